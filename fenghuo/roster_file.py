"""A roster (值班表) as an office keeps it, CSV or XLSX: rotations and single shifts, read with every fault at its cell."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from domain.errors import Fault, InvalidInput
from fenghuo.cells import Fields, find_formulas, names_of, raise_if_any, read_fields
from fenghuo.tables import Table, read_tables
from fenghuo.tickets.times import parse_time
from responders import words
from responders.arrangements import Account, account_fault
from responders.cases import Desk
from responders.roster_plan import Plan
from responders.rotations import (
    FIRST_YEAR,
    LAST_YEAR,
    LEAST_TURN_HOURS,
    MOST_TURN_HOURS,
    SHANGHAI,
    Crew,
    Rotation,
)
from responders.views import Shift

ROTATION_COLUMNS = {
    "area": ("区域", "区域代码"),
    "post": ("岗位", "值班岗位"),
    "members": ("值班账号", "值班顺序", "轮值人员", "轮值账号"),
    "turn": ("每班时长", "班长", "时长"),
    "hand_over": ("交接时间", "交接班时间"),
    "starts_on": ("起始日期", "开始日期"),
}
SHIFT_COLUMNS = {
    "area": ("区域", "区域代码"),
    "post": ("岗位", "值班岗位"),
    "account": ("账号", "值班账号", "值班人员"),
    "starts_at": ("开始", "开始时间", "上班时间"),
    "ends_at": ("结束", "结束时间", "下班时间"),
}
SHEETS = {
    "rotation": ("rotation", "rotations", "轮值", "轮班"),
    "shift": ("shift", "shifts", "班次", "排班", "值班表"),
}
LONGEST_SHIFT = timedelta(days=92)
POSTS = {called: slug for slug, called in words.POST.items()} | {"": ""}
_SEPARATORS = re.compile(r"[、,，;；\s]+")
_TOGETHER = re.compile(r"[+＋]")
_TURN = re.compile(r"(\d{1,4})\s*(?:(天|日|d|days?)|(小时|时|h|hours?)|(周|星期|w|weeks?))", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2})[:：时点](\d{1,2})?(?:[:：]00)?分?")
ENDS = frozenset({"停止", "结束", "终止", "end"})
"""Written instead of accounts: the desk's rotation ends, and no other one follows."""
HOURS_OF_DAY, HOURS_OF_WEEK = 24, 24 * 7


@dataclass(frozen=True, slots=True)
class Known:
    """What a roster must agree with: accounts in use by login, area codes, and the posts that duties name."""

    accounts: Mapping[str, Account]
    areas: frozenset[str]
    posts: frozenset[str]


def read_roster(path: Path, known: Known) -> Plan:
    """Read a file; InvalidInput with every fault by sheet, row and column. Times are in Asia/Shanghai."""
    tables = read_tables(path)
    formulas = find_formulas(path)
    faults: list[Fault] = []
    rotations: list[tuple[Fields, Rotation]] = []
    shifts: list[tuple[Fields, Shift]] = []
    for sheet, kind in _kinds(tables).items():
        columns = ROTATION_COLUMNS if kind == "rotation" else SHIFT_COLUMNS
        for row in read_fields(tables[sheet], names_of(columns), formulas.get(sheet, frozenset()), faults):
            reader = _Reader(row, known, faults)
            if kind == "rotation" and (rotation := reader.rotation()):
                rotations.append((row, rotation))
            elif kind == "shift" and (shift := reader.shift()):
                shifts.append((row, shift))
    faults += _rotations_twice(rotations)
    faults += _shifts_overlapping(shifts)
    raise_if_any(faults)
    if not rotations and not shifts:
        raise InvalidInput([Fault(path.name, "holds no rotation and no shift")])
    return Plan(tuple(one for _, one in rotations), tuple(one for _, one in shifts))


def _kinds(tables: Mapping[str, Table]) -> dict[str, str]:
    """Say which sheets hold rotations and which shifts, by their names, else the first one by its heading."""
    named = {
        sheet: kind for sheet in tables for kind, names in SHEETS.items() if sheet.strip().lower() in names
    }
    if named:
        return named
    sheet, table = next(iter(tables.items()))
    found: dict[str, int] = {}
    for kind, columns in (("rotation", ROTATION_COLUMNS), ("shift", SHIFT_COLUMNS)):
        try:
            found[kind] = len(table.heading(names_of(columns)).columns)
        except InvalidInput:
            found[kind] = 0
    return {sheet: max(found, key=lambda kind: found[kind])}


class _Reader:
    """Makes something of one row; what is wrong becomes faults, all of them."""

    def __init__(self, row: Fields, known: Known, faults: list[Fault]) -> None:
        self._row, self._known, self._faults = row, known, faults
        self._wrong = bool(row.broken)

    def rotation(self) -> Rotation | None:
        """Read a rotation, or the end of one, which has a beginning and nothing more."""
        desk = self._desk()
        ends = self._row.values.get("members", "").lower() in ENDS
        crews = () if ends else self._crews(desk)
        hours = HOURS_OF_DAY if ends else self._turn()
        hand_over, starts_on = self._hand_over(), self._starts_on()
        if self._wrong or desk is None or hand_over is None or starts_on is None:
            return None
        return Rotation(desk.area, desk.post, crews, hours, hand_over, starts_on)

    def shift(self) -> Shift | None:
        """Read a single shift."""
        desk = self._desk()
        account = self._account(self._text("account"), "account", desk)
        starts_at, ends_at = self._time("starts_at"), self._time("ends_at")
        if starts_at and ends_at and not timedelta(0) < ends_at - starts_at <= LONGEST_SHIFT:
            self._fault(
                "ends_at",
                f"须晚于开始时间，且不超过 {LONGEST_SHIFT.days} 天。 must follow, within so many days",
            )
        if self._wrong or desk is None or account is None or starts_at is None or ends_at is None:
            return None
        return Shift(area=desk.area, post=desk.post, user=account.user, starts_at=starts_at, ends_at=ends_at)

    def _fault(self, field: str, reason: str) -> None:
        self._wrong = True
        self._faults.append(Fault(self._row.place_of(field), reason))

    def _text(self, field: str) -> str:
        text = self._row.values.get(field, "")
        if not text and field not in self._row.broken:
            self._fault(field, f"没有填写。 {field} is missing")
        return text

    def _desk(self) -> Desk | None:
        area = self._text("area")
        if area and area not in self._known.areas:
            self._fault("area", f"区域表中没有 {area}。 {area} is no area of the registry")
        named = self._row.values.get("post", "")
        post = POSTS.get(named, named)
        if post not in self._known.posts:
            there = "、".join(sorted(filter(None, self._known.posts)))
            self._fault("post", f"权责清单中没有岗位 {named}。 {named!r} is no post; there are {there}")
        return None if self._wrong and not area else Desk(area, post)

    def _account(self, login: str, field: str, desk: Desk | None) -> Account | None:
        if not login:
            return None
        account = self._known.accounts.get(login)
        if account is None:
            self._fault(field, f"没有账号 {login}，或已停用。 {login!r} is no account in use")
        elif desk is not None and (fault := account_fault(account, desk, field)):
            self._fault(field, fault.reason)
        return account

    def _crews(self, desk: Desk | None) -> tuple[Crew, ...]:
        crews: list[Crew] = []
        for words_of_crew in filter(None, _SEPARATORS.split(self._text("members"))):
            logins = [login.strip() for login in _TOGETHER.split(words_of_crew)]
            if len(set(logins)) < len(logins):
                self._fault("members", f"同一班内重复：{words_of_crew}。 names somebody twice in one crew")
            accounts = [self._account(login, "members", desk) for login in logins]
            crews.append(tuple(account.user for account in accounts if account is not None))
        return tuple(crews)

    def _turn(self) -> int:
        text = self._text("turn")
        if not text:
            return 0
        found = _TURN.fullmatch(text)
        if found is None:
            self._fault(
                "turn", "须写成 7天、12小时 或 1周。 must be days, hours or weeks, such as 7天 or 12h"
            )
            return 0
        number, days, hours, _ = found.groups()
        length = int(number) * (HOURS_OF_DAY if days else 1 if hours else HOURS_OF_WEEK)
        if not LEAST_TURN_HOURS <= length <= MOST_TURN_HOURS:
            self._fault("turn", f"须为 1 小时至 {MOST_TURN_HOURS // 24} 天。 must be an hour to so many days")
        return length

    def _hand_over(self) -> time | None:
        text = self._text("hand_over")
        found = _CLOCK.fullmatch(text) if text else None
        if found is not None:
            try:
                return time(int(found[1]), int(found[2] or 0))
            except ValueError:
                found = None
        if text and found is None:
            self._fault("hand_over", "须写成 08:00。 must be a time of day such as 08:00")
        return None

    def _starts_on(self) -> date | None:
        at = self._time("starts_on", time())
        return None if at is None else at.astimezone(SHANGHAI).date()

    def _time(self, field: str, time_of_day: time | None = None) -> datetime | None:
        text = self._text(field)
        if not text:
            return None
        next_day = re.fullmatch(r"(.*\S)\s+24[:：]00(?:[:：]00)?", text)
        try:
            at = parse_time(f"{next_day[1]} 00:00" if next_day else text, SHANGHAI, time_of_day)
        except ValueError as error:
            self._fault(field, f"看不懂这个时间。 {error}")
            return None
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            self._fault(
                field, f"年份须在 {FIRST_YEAR} 至 {LAST_YEAR} 之间。 is of a year that cannot be meant"
            )
            return None
        return at + timedelta(days=1) if next_day else at


def _rotations_twice(rotations: Sequence[tuple[Fields, Rotation]]) -> list[Fault]:
    first: dict[tuple[str, str, datetime], Fields] = {}
    faults = []
    for row, one in rotations:
        key = (one.area, one.post, one.starts_at)
        if key in first:
            where = f"与第 {first[key].line} 行同岗同时起始。 begins at the same desk and time as row {first[key].line}"
            faults.append(Fault(row.place_of("starts_on"), where))
        first.setdefault(key, row)
    return faults


def _shifts_overlapping(shifts: Sequence[tuple[Fields, Shift]]) -> list[Fault]:
    """Find shifts of one person at one desk that overlap; those of several people may."""
    faults = []
    latest: dict[tuple[str, str, object], tuple[Fields, Shift]] = {}
    for row, shift in sorted(shifts, key=lambda one: one[1].starts_at):
        key = (shift.area, shift.post, shift.user)
        before = latest.get(key)
        if before is not None and shift.starts_at < before[1].ends_at:
            where = (
                f"与第 {before[0].line} 行时间重叠。 overlaps with row {before[0].line} of the same account"
            )
            faults.append(Fault(row.place_of("starts_at"), where))
        if before is None or shift.ends_at > before[1].ends_at:
            latest[key] = (row, shift)
    return faults
