"""What a change of an account means for others, and when it must be refused; pure.

An account is a post. Whoever takes one away, moves it or lowers its role learns first which cases, desks and areas that
touches; where it would leave a desk without anybody, an area without an administrator, or shut the one who asks out of his
own office, it is refused with the reason.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from config.policies import TOWERS
from domain.areas import covers, is_area_code
from domain.errors import Fault
from domain.inputs import Slug
from responders.roster import Gap
from responders.views import Role

BEIJING = ZoneInfo("Asia/Shanghai")
DECIDES = frozenset({Role.OFFICER, Role.COMMANDER})
"""Roles that sit at desks and are paged."""
TOWER_LENGTHS = frozenset(int(level) for level in TOWERS.values())
LOGIN = r"^[a-z0-9][a-z0-9._@-]{0,39}$"


class AccountWish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account as it shall be. `display` names a post (青溪镇值班室), never a person."""

    login: Annotated[str, Meta(pattern=LOGIN)]
    display: Annotated[str, Meta(min_length=2, max_length=40)]
    role: Role
    area: Annotated[str, Meta(pattern=r"^\d{0,15}$")] = ""
    post: Annotated[str, Meta(max_length=60)] = ""
    channels: Annotated[tuple[Slug, ...], Meta(min_length=1, max_length=12)] = ("console",)
    disabled: bool = False


class DeskAhead(Struct, frozen=True, kw_only=True):
    """A desk at which an account is on the roster, and when nobody would be there without it."""

    name: str
    shifts: int
    gaps: tuple[Gap, ...]


class Standing(Struct, frozen=True, kw_only=True):
    """What hangs on an account now, and what there is to choose from."""

    areas: dict[str, str]
    """Names by code: every area of the registry."""
    posts: frozenset[str]
    channels: frozenset[str]
    held: int = 0
    tasks: int = 0
    sessions: int = 0
    cases_before: int = 0
    cases_after: int = 0
    desks: tuple[DeskAhead, ...] = ()
    peers: int = 0
    """Other accounts in use that decide at the same desk."""
    administrators: int = 0
    """Other administrators in use whose area covers that of the account."""


class Effect(Struct, frozen=True, kw_only=True):
    """One consequence: `code` names its text, `count` and `names` fill it in."""

    code: str
    count: int = 0
    names: tuple[str, ...] = ()


class Preview(Struct, frozen=True, kw_only=True):
    """What a change would do: fields with the values before and after, consequences, and what speaks against it."""

    changes: dict[str, tuple[str, str]]
    effects: tuple[Effect, ...]
    faults: tuple[Fault, ...]

    @property
    def same(self) -> bool:
        """Whether nothing would change."""
        return not self.changes


def preview(
    before: AccountWish | None, after: AccountWish, standing: Standing, actor_login: str, actor_area: str
) -> Preview:
    """Tell what it means to bring an account (None: a new one) to what is wished; `actor_…` is who asks."""
    faults = [*_field_faults(after, standing, actor_area)]
    if before is not None:
        faults += _own_faults(before, after, actor_login)
        faults += _gap_faults(before, after, standing)
    return Preview(
        changes=_changes(before, after),
        effects=tuple(_effects(before, after, standing)),
        faults=tuple(faults),
    )


def _field_faults(after: AccountWish, standing: Standing, actor_area: str) -> Iterator[Fault]:
    if not covers(actor_area, after.area):
        yield Fault("area", "不在您的辖区内。 lies outside your own area")
    elif after.area and not is_area_code(after.area):
        yield Fault("area", "不是区域代码。 is no area code")
    elif after.area and after.area not in standing.areas:
        yield Fault("area", f"区域表中没有 {after.area}。 {after.area} is no area of the registry")
    if after.post not in standing.posts:
        known = ", ".join(sorted(standing.posts - {""}))
        yield Fault("post", f"权责清单中没有这个岗位。 is no post of the duties: {known}")
    for channel in after.channels:
        if channel not in standing.channels:
            known = ", ".join(sorted(standing.channels))
            yield Fault("channels", f"没有渠道 {channel}。 {channel} is no channel; there are {known}")
    if len(set(after.channels)) < len(after.channels):
        yield Fault("channels", "有重复的渠道。 names a channel twice")


def _own_faults(before: AccountWish, after: AccountWish, actor_login: str) -> Iterator[Fault]:
    """Nobody may shut himself out, nor give himself another area or role."""
    if before.login != actor_login:
        return
    if after.disabled:
        yield Fault("disabled", "不能停用自己的账号。 you cannot disable your own account")
    if after.role is not before.role:
        yield Fault("role", "不能更改自己的角色。 you cannot change your own role")
    if after.area != before.area:
        yield Fault("area", "不能更改自己的辖区。 you cannot change your own area")


def leaves_desk(before: AccountWish, after: AccountWish) -> bool:
    """Say whether an account no longer sits where it sat: disabled, moved, or of a role that decides nothing."""
    if before.disabled or before.role not in DECIDES:
        return False
    moved = (before.area, before.post) != (after.area, after.post)
    return after.disabled or moved or after.role not in DECIDES


def _gap_faults(before: AccountWish, after: AccountWish, standing: Standing) -> Iterator[Fault]:
    if leaves_desk(before, after):
        field = "disabled" if after.disabled else "area" if before.area != after.area else "role"
        for desk in standing.desks:
            if desk.gaps:
                at = _local(desk.gaps[0].starts_at)
                yield Fault(
                    field,
                    f"{desk.name}自 {at} 起将无人值班，请先在值班表中安排他人。"
                    f" nobody would be on duty at {desk.name} from {at}: put somebody else on the roster first",
                )
        if standing.peers == 0 and len(before.area) in TOWER_LENGTHS:
            name = standing.areas.get(before.area, before.area)
            yield Fault(
                field,
                f"这是{name}该岗位唯一的账号，请先建立接替的账号。"
                f" this is the only account of its desk in {name}: create the one that follows first",
            )
    ends = after.disabled or after.role is not Role.ADMIN or not covers(after.area, before.area)
    if before.role is Role.ADMIN and not before.disabled and ends and standing.administrators == 0:
        yield Fault("role", "这是本区域最后一个管理员账号。 this is the last administrator of its area")


def _changes(before: AccountWish | None, after: AccountWish) -> dict[str, tuple[str, str]]:
    return {
        name: (_told(getattr(before, name)) if before else "", _told(getattr(after, name)))
        for name in AccountWish.__struct_fields__
        if before is None or getattr(before, name) != getattr(after, name)
    }


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _effects(before: AccountWish | None, after: AccountWish, standing: Standing) -> Iterator[Effect]:
    new_name = standing.areas.get(after.area, after.area) or "*"
    if before is None:
        yield Effect(code="gains", names=(new_name,))
        if after.role is not Role.ADMIN:
            yield Effect(code="will_see", count=standing.cases_after)
        return
    was, is_now = not before.disabled, not after.disabled
    old_name = standing.areas.get(before.area, before.area) or "*"
    if was and (not is_now or before.area != after.area):
        yield Effect(code="loses", names=(old_name,))
    if is_now and (not was or before.area != after.area):
        yield Effect(code="gains", names=(new_name,))
    if before.area != after.area and is_now:
        yield Effect(code="sees_instead", count=standing.cases_after, names=(str(standing.cases_before),))
    if leaves_desk(before, after):
        if standing.held:
            yield Effect(code="holds", count=standing.held)
        if standing.tasks:
            yield Effect(code="tasks", count=standing.tasks)
        if standing.desks:
            names = tuple(desk.name for desk in standing.desks)
            yield Effect(code="on_roster", count=sum(desk.shifts for desk in standing.desks), names=names)
    if standing.sessions and (not is_now or before.role is not after.role or before.area != after.area):
        yield Effect(code="signed_out", count=standing.sessions)
    if before.channels != after.channels:
        yield Effect(code="reached_by", names=after.channels)


def _local(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%m-%d %H:%M")
