"""Tokens for machines: what each scope lets a program do, and why one is turned away. Pure; the store keeps them.

A token acts for an account, within an area of the account's, and may do less than the account: its scopes say what. So
rights are checked where they are for people, and the record of a case names both.
"""

import hashlib
import secrets
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.areas import covers, is_area_code
from domain.errors import Fault
from domain.inputs import AwareTime
from responders.views import Viewer

PREFIX = "fenghuo_"
"""Begins every token, so that scanners of source code find one that was left there."""
TOKEN_BYTES = 32
LONGEST_DAYS = 400
"""A year and a month: long enough for a yearly review, and no token lives for ever."""
USE_SECONDS = 60.0
"""How exact the last use is: a program that asks each second must not write each second."""
API = "/api/v1/"


class Scope(StrEnum):
    """What a token may do; a command that no scope names is for people."""

    READ = "read"
    FEEDS = "feeds"
    CASES = "cases"
    TASKS = "tasks"
    MAINTENANCE = "maintenance"
    ROSTER = "roster"
    DRILLS = "drills"
    REGISTRY = "registry"


COMMANDS = {
    "incidents": Scope.CASES,
    "alerts": Scope.CASES,
    "tasks": Scope.TASKS,
    "maintenance": Scope.MAINTENANCE,
    "roster": Scope.ROSTER,
    "drills": Scope.DRILLS,
    "registry": Scope.REGISTRY,
}
"""Which scope lets a program send commands under an address, by the first word after /api/v1/."""
FEEDS = ("events", "cap")
"""What `feeds` opens besides: the live events, and our alerts as CAP messages."""
PERSONAL = frozenset({"push", "tokens"})
"""What no token reads: subscriptions are of browsers, tokens are made by people."""


class Refusal(StrEnum):
    """Why a token opens nothing; told to the program as 401, or 403 where it is only about the scope."""

    UNKNOWN = "unknown"
    ENDED = "ended"
    EXPIRED = "expired"
    ACCOUNT_DISABLED = "account_disabled"
    SCOPE = "scope"


class TokenRow(Struct, frozen=True, kw_only=True):
    """A token as administrators see it; the token itself is stored nowhere. Times are wall time."""

    id: UUID
    name: str
    login: str
    display: str
    area: str
    scopes: tuple[Scope, ...]
    made_by: str
    made_at: AwareTime
    expires_at: AwareTime
    ended_at: AwareTime | None
    ended_by: str | None
    used_at: AwareTime | None


class NewToken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to be made: its name, the account that it acts for, its area (empty: the account's), and for how long."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    login: Annotated[str, Meta(min_length=1, max_length=80)]
    scopes: tuple[Scope, ...]
    area: Annotated[str, Meta(max_length=15)] = ""
    days: Annotated[int, Meta(ge=1, le=LONGEST_DAYS)] = 365


class Holder(Struct, frozen=True, kw_only=True):
    """Who a token stands for, and what it may do."""

    viewer: Viewer
    scopes: frozenset[Scope]


def make_token() -> tuple[str, str]:
    """Make a token; answers it, which is shown once, and its digest, which is kept."""
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    """Hash a token as it is stored: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def faults_of(wanted: NewToken, account_area: str) -> list[Fault]:
    """Find everything that is wrong with a wish, against the account that the token would act for."""
    faults = []
    if not wanted.scopes:
        faults.append(Fault("scopes", f"至少选一项。 Name at least one of {', '.join(Scope)}."))
    if wanted.area and not is_area_code(wanted.area):
        faults.append(Fault("area", "不是行政区划代码。 This is no area code."))
    elif wanted.area and not covers(account_area, wanted.area):
        faults.append(Fault("area", "不在该账号的辖区内。 This is outside the account's area."))
    return faults


def refusal_of(scopes: Iterable[Scope], method: str, path: str) -> Refusal | None:
    """Say why a token may not do this; None when it may."""
    held = set(scopes)
    word = path.removeprefix(API).removeprefix("/").partition("/")[0]
    if word in FEEDS and Scope.FEEDS in held:
        return None
    if not path.startswith(API) or word in PERSONAL:
        return Refusal.SCOPE
    if method in ("GET", "HEAD"):
        return None if Scope.READ in held else Refusal.SCOPE
    needed = COMMANDS.get(word)
    return None if needed is not None and needed in held else Refusal.SCOPE
