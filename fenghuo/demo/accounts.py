"""Posts, roster, sources and devices' passwords of the demo county; nobody real, no secret that outlives a start."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, time, timedelta

from argon2 import PasswordHasher
from msgspec import Struct, convert, structs

from config.sealing import Sealer
from domain.areas import AreaLevel, township_of
from domain.codec import encode
from domain.identity import derived_id
from domain.levels import Feed
from domain.registry import Device, Secrets, Source
from fenghuo.demo.networks import Channel
from fenghuo.demo.places import Places, read_data
from responders.rotations import SHANGHAI, Rotation
from responders.views import Role, Shift, User
from streams.devices.directory import secrets_record

ON_DUTY = timedelta(days=3650)
"""The demo's roster never ends, on either side of its start."""
ITEMS_PER_SECOND = 1_000_000.0
"""The demo plays days in minutes: its sources are not held back."""


class _Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    login: str
    display: str
    area: str
    role: Role
    post: str = ""
    desk: bool = True
    """Whether the account sits at a desk that is paged."""


class _Turns(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rotation at a desk of the county: the crews' logins in their order."""

    post: str
    crews: tuple[tuple[str, ...], ...]
    turn_hours: int
    hand_over: time


class _Sender(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slug: str
    feeds: tuple[Feed, ...]


class _AccountFile(Struct, frozen=True, forbid_unknown_fields=True):
    account: tuple[_Account, ...]
    rotation: tuple[_Turns, ...]
    source: tuple[_Sender, ...]


def build_users(places: Places, password: str) -> list[User]:
    """Build all accounts; they share the demo's password (hashed once: a hash costs 0.1 s)."""
    known = PasswordHasher().hash(password)
    return [
        User(
            id=derived_id("user", account.login),
            login=account.login,
            display=account.display,
            role=account.role,
            area=account.area,
            post=account.post,
            password_hash=known,
            channels=_channels(account),
        )
        for account in _accounts(places)
    ]


def _channels(account: _Account) -> tuple[str, ...]:
    """Townships look at the console and the file; higher towers are reached over the webhook first."""
    return ("console", "file") if len(account.area) == AreaLevel.TOWNSHIP else ("console", "webhook", "file")


def build_shifts(places: Places, start: datetime) -> list[Shift]:
    """Put everybody who sits at a desk on duty for good."""
    return [
        Shift(
            area=account.area,
            post=account.post,
            user=derived_id("user", account.login),
            starts_at=start - ON_DUTY,
            ends_at=start + ON_DUTY,
        )
        for account in _accounts(places)
        if account.desk
    ]


def build_rotations(county: str, start: datetime) -> tuple[Rotation, ...]:
    """Build the rotations of the county's desks; they began some days before the demo does."""
    return tuple(
        Rotation(
            area=county,
            post=one.post,
            crews=tuple(tuple(derived_id("user", login) for login in crew) for crew in one.crews),
            turn_hours=one.turn_hours,
            hand_over=one.hand_over,
            starts_on=(start.astimezone(SHANGHAI) - timedelta(days=30)).date(),
        )
        for one in convert(read_data("accounts.toml"), _AccountFile).rotation
    )


def logins_by_display(places: Places) -> dict[str, str]:
    """Name the account of each post by what the post is called."""
    return {account.display: account.login for account in _accounts(places)}


def _accounts(places: Places) -> tuple[_Account, ...]:
    townships = tuple(
        _Account(
            login=f"t{area.code[AreaLevel.COUNTY :]}",
            display=f"{area.name}值班室",
            area=area.code,
            role=Role.OFFICER,
        )
        for area in places.at_level(AreaLevel.TOWNSHIP)
    )
    return (*convert(read_data("accounts.toml"), _AccountFile).account, *townships)


def login_for(place: str) -> str:
    """Name the account that answers first for a place: its township's, else the county's."""
    code = township_of(place)
    return f"t{code[AreaLevel.COUNTY :]}" if len(code) == AreaLevel.TOWNSHIP else "c00"


def build_sources(county: str) -> tuple[list[Source], dict[str, str]]:
    """Build the sources, and the token of each, which nobody else gets to know."""
    senders = convert(read_data("accounts.toml"), _AccountFile).source
    tokens = {sender.slug: secrets.token_urlsafe(24) for sender in senders}
    sources = [
        Source(
            slug=sender.slug,
            token_sha256=hashlib.sha256(tokens[sender.slug].encode()).hexdigest(),
            feeds=sender.feeds,
            area=county,
            items_per_second=ITEMS_PER_SECOND,
            burst=ITEMS_PER_SECOND,
        )
        for sender in senders
    ]
    return sources, tokens


def build_device_passwords(channels: Iterable[Channel]) -> dict[str, str]:
    """Make a password for each device that connects by itself: four hexadecimal digits are all that SL 651 has."""
    devices = dict.fromkeys(channel.device for channel in channels if channel.device)
    return {device.id: secrets.token_hex(2).upper() for device in devices}


def seal_password(device: Device, password: str, sealer: Sealer) -> Device:
    """Give a device its password, sealed for gateways alone."""
    sealed = sealer.seal(encode(Secrets(password=password)), secrets_record(device.id))
    return structs.replace(device, sealed=sealed)
