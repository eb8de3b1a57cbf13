"""From a CAP message to our bulletins: what it warns of, how gravely, where, until when, and what it ends."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from config.cap_events import CapEvent, CapEvents
from domain.cap import (
    LEVEL_OF,
    CapAlert,
    CapArea,
    CapInfo,
    MessageType,
    Scope,
    Status,
    read_chinese_identifier,
)
from domain.errors import Fault
from domain.inputs import BulletinIn, BulletinStatus
from domain.levels import Level
from domain.registry import Area
from streams.cap.outlines import Outlines

IGNORED_STATUS = frozenset({Status.TEST, Status.SYSTEM, Status.DRAFT})
IGNORED_TYPE = frozenset({MessageType.ACK, MessageType.ERROR})
ALL_CLEAR = "AllClear"
COLOURS = {"红": Level.RED, "橙": Level.ORANGE, "黄": Level.YELLOW, "蓝": Level.BLUE}
MAX_HEADLINE, MAX_TEXT = 500, 20_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What becomes of a message.

    `faults` tell of parts that cannot be taken, `reason` says why in one word where nothing was: `no-category`, `no-level`,
    `no-area`, `outside`, `expired`, `invalid`, or what makes it none of our business (`test`, `system`, `draft`, `ack`,
    `error`).
    """

    bulletins: tuple[BulletinIn, ...]
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""


def message_key(sender: str, identifier: str) -> str:
    """Name a message so that others can name it: readable, and different for different senders."""
    digest = hashlib.sha256(f"{sender}\x1f{identifier}".encode()).hexdigest()[:12]
    plain = re.sub(r"[^A-Za-z0-9_.\-]", "-", identifier)[:40]
    return f"{plain}-{digest}"


def to_bulletins(
    alert: CapAlert,
    known: Mapping[str, Area],
    events: CapEvents,
    *,
    within: str,
    now: datetime,
    outlines: Outlines,
) -> Taken:
    """Make bulletins for the areas inside `within`; `known` are all areas of the registry, `now` is county time."""
    if alert.status in IGNORED_STATUS:
        return Taken((), reason=alert.status.lower())
    if alert.type in IGNORED_TYPE:
        return Taken((), reason=alert.type.lower())
    work = _Work(alert, known, events, within, now, outlines)
    return work.cancel() if alert.type is MessageType.CANCEL else work.warn()


@dataclass(frozen=True, slots=True)
class _Warning:
    """One info that can be taken."""

    number: int
    info: CapInfo
    event: CapEvent
    level: Level
    codes: tuple[str, ...]
    effective: datetime
    expires: datetime

    @property
    def is_chinese(self) -> bool:
        return self.info.language.lower().startswith("zh")


@dataclass
class _Work:
    """One message on its way."""

    alert: CapAlert
    known: Mapping[str, Area]
    events: CapEvents
    within: str
    now: datetime
    outlines: Outlines
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)

    def cancel(self) -> Taken:
        if not self.alert.references:
            fault = Fault("references", "is missing: a Cancel must name what it cancels")
            return Taken((), (fault,), reason="invalid")
        return Taken((self._ending(),))

    def warn(self) -> Taken:
        if not self.alert.infos:
            return Taken(
                (), (Fault("info", "is missing: an Alert must say what it warns of"),), reason="invalid"
            )
        if self.alert.type is MessageType.UPDATE and not self.alert.references:
            self.notes.append("references: is missing: the Update was taken as a new warning")
        warnings = list(self._warnings())
        groups: dict[tuple[object, ...], list[_Warning]] = {}
        for one in warnings:  # the same in several languages is one warning
            key = (one.event.category, one.level, one.codes, one.effective, one.expires)
            groups.setdefault(key, []).append(one)
        bulletins = [self._bulletin(group) for group in groups.values()]
        self._forgive_translations(warnings)
        if not bulletins and self.alert.type is MessageType.UPDATE and self.alert.references:
            bulletins = [self._ending()]  # what it replaces is over, whatever we make of the replacement
        reason = "" if bulletins else next((r for r in _WEIGHTS if r in self.reasons), "invalid")
        return Taken(tuple(bulletins), tuple(self.faults), tuple(self.notes), reason)

    def _warnings(self) -> Iterator[_Warning]:
        for number, info in enumerate(self.alert.infos):
            if ALL_CLEAR in info.responses:
                self.reasons.add("expired")
                continue
            event = self.events.find(info.event, [value for _, value in info.event_codes])
            level = LEVEL_OF.get(info.severity) or _colour(info)
            effective = info.effective or self.alert.sent
            expires = info.expires or effective + timedelta(hours=event.hours if event else 24)
            if event is None:
                self._refuse(
                    number, "event", "no-category", f"{info.event[:80]!r} has no category in cap_events.toml"
                )
            if level is None:
                self._refuse(
                    number, "severity", "no-level", "is Unknown, and no colour stands in the headline"
                )
            if expires <= effective:
                self._refuse(number, "expires", "invalid", "is not later than the beginning")
                continue
            if event is None or level is None:
                continue
            codes = self._codes(number, info)
            if expires <= self.now:
                self.reasons.add("expired")
            elif codes:
                if info.expires is None:
                    self.notes.append(f"info[{number}].expires: is missing: {event.hours:g} h were taken")
                yield _Warning(number, info, event, level, codes, effective, expires)

    def _codes(self, number: int, info: CapInfo) -> tuple[str, ...]:
        codes = self.outlines.codes(info.areas, self.known, self.within, self.now)
        if codes:
            return codes
        if any(area.polygons or area.circles or area.geocodes for area in info.areas):
            self.reasons.add("outside")
            return ()
        office = read_chinese_identifier(self.alert.identifier)
        if office is not None:
            issuing = CapArea("", geocodes=(("GB/T 2260", office.area),))
            codes = self.outlines.codes((issuing,), self.known, self.within, self.now)
            if codes:
                self.notes.append(
                    f"info[{number}].area: tells no place: that of the issuing office was taken"
                )
                return codes
            self.reasons.add("outside")
            return ()
        self._refuse(
            number, "area", "no-area", "has no polygon, circle or code that we know, and no known name"
        )
        return ()

    def _refuse(self, number: int, name: str, reason: str, words: str) -> None:
        self.reasons.add(reason)
        self.faults.append(Fault(f"info[{number}].{name}", words))

    def _forgive_translations(self, warnings: list[_Warning]) -> None:
        """Drop the complaint about an event in a language that we do not know, when we know it in another."""
        known = {(one.info.severity, one.info.areas) for one in warnings}
        languages = {one.info.language for one in warnings}

        def is_translation(fault: Fault) -> bool:
            number = int(fault.field.removeprefix("info[").partition("]")[0])
            info = self.alert.infos[number]
            return (
                fault.field.endswith(".event")
                and info.language not in languages
                and (info.severity, info.areas) in known
            )

        self.faults = [fault for fault in self.faults if not is_translation(fault)]

    def _bulletin(self, group: list[_Warning]) -> BulletinIn:
        best = next((one for one in group if one.is_chinese), group[0])
        info = best.info
        words = [info.description, info.instruction]
        return BulletinIn(
            id=f"{self._own_id()}.{group[0].number + 1}",
            category=best.event.category,
            level=best.level,
            areas=best.codes,
            effective_at=best.effective,
            expires_at=best.expires,
            headline=(info.headline or info.event)[:MAX_HEADLINE],
            text="\n".join(word for word in words if word)[:MAX_TEXT],
            supersedes=self._superseded(),
            part_of=self._key(),
            exercise=self.alert.status is Status.EXERCISE,
            restricted=self.alert.scope is not Scope.PUBLIC,
        )

    def _ending(self) -> BulletinIn:
        info = next(iter(self.alert.infos), None)
        words = (info.headline or info.event if info else "") or self.alert.note or self.alert.identifier
        return BulletinIn(
            id=f"{self._own_id()}.1",
            effective_at=self.alert.sent,
            expires_at=self.alert.sent,
            headline=words[:MAX_HEADLINE],
            text=(info.description if info else self.alert.note)[:MAX_TEXT],
            status=BulletinStatus.CANCELLED,
            supersedes=self._superseded(),
            part_of=self._key(),
            exercise=self.alert.status is Status.EXERCISE,
            restricted=self.alert.scope is not Scope.PUBLIC,
        )

    def _key(self) -> str:
        return message_key(self.alert.sender, self.alert.identifier)

    def _own_id(self) -> str:
        return f"{self._key()}.{self.alert.sent.astimezone(UTC):%Y%m%d%H%M%S}"

    def _superseded(self) -> tuple[str, ...]:
        keys = (message_key(one.sender, one.identifier) for one in self.alert.references)
        return tuple(dict.fromkeys(keys))


_WEIGHTS = ("no-category", "no-level", "invalid", "no-area", "outside", "expired")
"""Of several reasons the one that an operator can do most about is told."""


def _colour(info: CapInfo) -> Level | None:
    """Find the colour that Chinese offices name in headline or event, when the severity is unknown."""
    found = {level for sign, level in COLOURS.items() if f"{sign}色" in f"{info.headline} {info.event}"}
    return found.pop() if len(found) == 1 else None
