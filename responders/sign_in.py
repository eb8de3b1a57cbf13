"""Who must show what to sign in, how long that lasts, and whether a code or a password will do; pure."""

import hmac
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import pyotp
from msgspec import Struct

from config.settings import ConsoleSettings, SignInSettings
from domain.errors import Fault
from responders.views import Role

PERIOD_SECONDS = 30
DIGITS = 6
DRIFT = 1
"""Periods by which a phone's clock may be off to either side (RFC 6238, 5.2 recommends one)."""
LEAST_LENGTH = 10
MOST_LENGTH = 200
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without i, l, o, 0 and 1, which people mistake for one another."""
RECOVERY_LENGTH = 10
COMMON = ("password", "12345", "qwerty", "admin", "fenghuo", "11111", "abcdef", "iloveyou")
PER_LOGIN = 5
"""Wrong passwords for one login from one address within the window; NIST SP 800-63B asks for at most 100 in all."""
PER_ADDRESS = 50
"""A duty room may sit behind one address, so this is wider."""
PER_CODE = 5
"""Codes tried for one account: of a million, three hold at a time."""
WINDOW_SECONDS = 300.0
HOUR, DAY = 3_600.0, 86_400.0


class Way(StrEnum):
    """How somebody proved who he is."""

    PASSWORD = "password"  # noqa: S105  a way, no secret
    CODE = "code"
    RECOVERY = "recovery"
    PASSKEY = "passkey"
    OIDC = "oidc"


class Need(StrEnum):
    """What is still asked for before a session begins."""

    NOTHING = "nothing"
    CODE = "code"
    PASSWORD = "password"  # noqa: S105  a step, no secret
    ENROL = "enrol"


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of an account when somebody signs in to it."""

    role: Role
    has_code: bool
    passkeys: int
    password_given: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts in wall seconds: in all, and without a sign of life (None: it may stand untouched)."""

    seconds: float
    idle_seconds: float | None


def of_login(login: str, address: str) -> str:
    """Name what wrong passwords for one login from one address are counted under."""
    return f"login\x1f{login}\x1f{address}"


def attempt_limits(login: str, address: str) -> dict[str, int]:
    """Say under what an attempt is counted, and how often within the window.

    No login is shut for all addresses at once: else whoever guesses could keep a duty post out.
    """
    return {of_login(login, address): PER_LOGIN, f"address\x1f{address}": PER_ADDRESS}


def code_limits(user: UUID) -> dict[str, int]:
    """Say how often codes may be tried for an account: whoever tries knows its password, so the address does not matter."""
    return {f"code\x1f{user}": PER_CODE}


def need(
    facts: Facts, way: Way, required: Collection[str], *, proved: bool = False, can_enrol: bool = True
) -> Need:
    """Say what comes next; `proved` when the way holds two factors already, or the second one was shown.

    A passkey with the person verified is two factors in one (NIST SP 800-63B, 3.1.6). A password that somebody else has
    given is replaced before anything else is set up.
    """
    two = proved or way in (Way.CODE, Way.RECOVERY, Way.PASSKEY)
    if not two and (facts.has_code or facts.passkeys):
        return Need.CODE
    if facts.password_given and way in (Way.PASSWORD, Way.CODE, Way.RECOVERY):
        return Need.PASSWORD
    if not two and facts.role.value in required and can_enrol:
        return Need.ENROL
    return Need.NOTHING


def limits_of(role: Role, console: ConsoleSettings, ours: SignInSettings) -> Limits:
    """Say how long a session of a role lasts.

    A duty seat is shared, watched around the clock and may stand untouched for a night: it lasts a shift and its
    hand-over, without an idle limit, since a screen that signs itself out pages nobody. A wall display runs for weeks.
    """
    match role:
        case Role.OFFICER:
            return Limits(ours.seat_hours * HOUR, None)
        case Role.GRID:
            return Limits(ours.phone_days * DAY, None)
        case Role.COMMANDER | Role.ADMIN:
            return Limits(console.session_hours * HOUR, ours.idle_minutes * 60.0)
        case _:
            return Limits(ours.display_days * DAY, None)


def matching_step(secret: str, code: str, unix_seconds: float, last_step: int) -> int | None:
    """Find the period whose code was typed (TOTP, RFC 6238), later than the last one taken; None when there is none.

    A code counts once: whoever reads it over a shoulder cannot use it again.
    """
    typed = "".join(code.split())
    if not (len(typed) == DIGITS and typed.isascii() and typed.isdigit()):
        return None
    present = int(unix_seconds // PERIOD_SECONDS)
    generator = pyotp.HOTP(secret, digits=DIGITS)
    for step in range(present - DRIFT, present + DRIFT + 1):
        if step > last_step and hmac.compare_digest(generator.at(step), typed):
            return step
    return None


def make_recovery_codes() -> tuple[str, ...]:
    """Draw codes for when the phone is lost; each holds 49 bits and counts once."""
    return tuple(
        "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_LENGTH))
        for _ in range(RECOVERY_CODES)
    )


def read_recovery_code(text: str) -> str | None:
    """Read a recovery code as people type it, with gaps and capitals; None for what cannot be one."""
    bare = "".join(text.replace("-", " ").split()).lower()
    fits = len(bare) == RECOVERY_LENGTH and set(bare) <= set(RECOVERY_ALPHABET)
    return bare if fits else None


def password_faults(password: str, again: str, login: str) -> Iterator[Fault]:
    """Find what speaks against a new password: length before variety, nothing that is guessed first (NIST SP 800-63B)."""
    if len(password) < LEAST_LENGTH:
        yield Fault("password", f"至少 {LEAST_LENGTH} 个字符。 needs {LEAST_LENGTH} characters or more")
    if len(password) > MOST_LENGTH:
        yield Fault("password", f"至多 {MOST_LENGTH} 个字符。 may have {MOST_LENGTH} characters at most")
    lower = password.lower()
    if login.lower() in lower or any(word in lower for word in COMMON):
        yield Fault("password", "不能包含账号或常见密码。 must not hold the login or a common password")
    if password and len(set(password)) < 5:
        yield Fault("password", "字符过于单一。 repeats too few characters")
    if password != again:
        yield Fault("again", "两次输入不一致。 is not the same as the password")
