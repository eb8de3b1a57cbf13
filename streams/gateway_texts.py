"""Tickets, reports and bulletins from a body to messages: checked, masked, sealed, named."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from config.data import Data
from config.personal import protect, protect_all
from config.sealing import Sealer
from config.settings import Settings
from domain.areas import covers, township_of
from domain.codec import encode, headers_for
from domain.decode import MAX_FAULTS
from domain.errors import Fault, InvalidInput
from domain.hotline import ORDER_TIMES, Handling
from domain.identity import input_id
from domain.inputs import Bulletin, BulletinIn, Report, ReportIn, Ticket, TicketIn
from domain.levels import Feed
from domain.registry import Source
from domain.topics import BULLETINS, REPORTS, TICKETS, Topic
from streams.gateway_body import decode_items, is_single, refuse
from streams.gateway_problems import Reason, Refused
from streams.places import Places
from streams.producer import OVERHEAD_BYTES, Message
from streams.registry import Registry

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MAX_EFFECTIVE_AHEAD = timedelta(days=30)
"""A warning may be meant for next week; one for next year is a typing error."""
MAX_VALID = timedelta(days=366)
MAX_DUE_AHEAD = timedelta(days=366)
"""Hard orders have months; one that is due in three years is a typing error."""
NOT_YOURS = "is outside the area of this source"

In = TypeVar("In", TicketIn, ReportIn, BulletinIn)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What becomes of a body: messages, the ids of its items in their order, and how many got a note."""

    messages: list[Message]
    ids: list[UUID]
    noted: int


@dataclass(frozen=True, slots=True)
class Desk:
    """All that deciding on texts needs."""

    settings: Settings
    data: Data
    registry: Registry
    sealer: Sealer
    places: Places

    def take(self, feed: Feed, body: bytearray, source: Source, now: datetime, *, lines: bool) -> Accepted:
        """Make messages of a body; Refused with every fault. `now` is county time."""
        match feed:
            case Feed.TICKETS:
                tickets = self._decode(TicketIn, body, source, now, lines=lines)
                areas = [self._area(item, source, now) for item in tickets]
                records = [
                    self._ticket(source, item, area, now) for item, area in zip(tickets, areas, strict=True)
                ]
                return self._accept(TICKETS, records, tickets, now, areas)
            case Feed.REPORTS:
                reports = self._decode(ReportIn, body, source, now, lines=lines)
                made = [self._report(source, item, now) for item in reports]
                return self._accept(REPORTS, made, reports, now, [one.area for one in reports])
            case Feed.BULLETINS:
                bulletins = self._decode(BulletinIn, body, source, now, lines=lines)
                return self.accept_bulletins(bulletins, source, now)
            case Feed.READINGS:
                raise AssertionError("readings have their own way")

    def bulletin_faults(self, item: BulletinIn, source: Source, now: datetime) -> list[Fault]:
        """Find what is wrong with a warning that came in another form than JSON."""
        return list(self._faults(item, source, now, ""))

    def accept_bulletins(self, items: list[BulletinIn], source: Source, now: datetime) -> Accepted:
        """Make messages of warnings without faults; keyed by source, since a later one may end an earlier one."""
        records = [_bulletin(source, item, now) for item in items]
        return self._accept(BULLETINS, records, (), now, [source.slug] * len(records))

    def _decode(
        self, kind: type[In], body: bytearray, source: Source, now: datetime, *, lines: bool
    ) -> list[In]:
        items = decode_items(kind, body, lines=lines)
        single = is_single(body, lines=lines)
        faults: list[Fault] = []
        for number, item in enumerate(items):
            faults += self._faults(item, source, now, "" if single else f"[{number}].")
            if len(faults) >= MAX_FAULTS:
                break
        if faults:
            only_rights = all(fault.reason == NOT_YOURS for fault in faults)
            reason = Reason.FORBIDDEN if only_rights else Reason.INVALID
            raise refuse(body, faults, lines=lines, reason=reason, count=len(items))
        return items

    def _faults(
        self, item: TicketIn | ReportIn | BulletinIn, source: Source, now: datetime, place: str
    ) -> Iterator[Fault]:
        """Find what the form alone does not tell."""
        if item.category is not None and item.category not in self.data.categories:
            yield Fault(f"{place}category", "is not a known category")
        if isinstance(item, BulletinIn):
            yield from (
                Fault(f"{place}{name}", "is missing: only a cancelled bulletin may leave it out")
                if name != "supersedes"
                else Fault(f"{place}{name}", "is missing: a cancelled bulletin must name what it ends")
                for name in item.missing()
            )
            for number, area in enumerate(item.areas):
                yield from self._area_faults(area, source, f"{place}areas[{number}]")
            yield from _time_faults(item.effective_at, now + MAX_EFFECTIVE_AHEAD, f"{place}effective_at")
            yield from _time_faults(item.expires_at, now + MAX_VALID, f"{place}expires_at")
            return
        ahead = timedelta(seconds=self.settings.gateway.future_refuse_seconds)
        yield from _time_faults(item.observed_at, now + ahead, f"{place}observed_at")
        if isinstance(item, TicketIn):
            for name in ORDER_TIMES:
                if (at := getattr(item, name)) is not None:
                    latest = now + (MAX_DUE_AHEAD if name == "due_at" else ahead)
                    yield from _time_faults(at, latest, place + name)
            if item.area is None:
                yield from self._address_faults(item, source, now, place)
                return
        yield from self._area_faults(item.area or "", source, f"{place}area")

    def _address_faults(self, item: TicketIn, source: Source, now: datetime, place: str) -> Iterator[Fault]:
        if item.address is None:
            yield Fault(f"{place}area", "is missing: send it, or an address that names a known area")
            return
        try:
            self.places.locate(item.address, source.area, now)
        except InvalidInput as error:
            yield from (Fault(place + fault.field, fault.reason) for fault in error.faults)

    def _area(self, item: TicketIn, source: Source, now: datetime) -> str:
        """Tell where a ticket that has no faults belongs."""
        return item.area or self.places.locate(item.address or "", source.area, now)

    def _area_faults(self, area: str, source: Source, place: str) -> Iterator[Fault]:
        if not covers(source.area, area):
            yield Fault(place, NOT_YOURS)
        elif area not in self.registry.areas:
            yield Fault(place, "is not a known area")

    def _accept(
        self,
        topic: Topic,
        records: Iterable[Ticket | Report | Bulletin],
        items: Iterable[TicketIn | ReportIn],
        now: datetime,
        areas: list[str],
    ) -> Accepted:
        made = list(records)
        headers = headers_for(topic)
        messages = [
            Message(
                topic.name,
                (area if topic is BULLETINS else township_of(area)).encode(),
                encode(record),
                headers,
            )
            for record, area in zip(made, areas, strict=True)
        ]
        limit = self.settings.broker.max_message_bytes - OVERHEAD_BYTES
        if any(len(message.value) > limit for message in messages):
            raise Refused(Reason.TOO_LARGE, f"one item may take {limit} bytes")
        noted = sum(1 for item in items if self._is_ahead(item.observed_at, now))
        return Accepted(messages, [record.id for record in made], noted)

    def _is_ahead(self, at: datetime, now: datetime) -> bool:
        return at > now + timedelta(seconds=self.settings.gateway.future_note_seconds)

    def _seen(self, at: datetime, now: datetime) -> datetime:
        """Take the time of observation, or of receipt when the sender's clock runs ahead."""
        return now if self._is_ahead(at, now) else at.astimezone(UTC)

    def _ticket(self, source: Source, item: TicketIn, area: str, now: datetime) -> Ticket:
        identity = input_id(Feed.TICKETS, source.slug, item.order_number)
        given = {"text": item.text, "title": item.title, "address": item.address, "unit": item.unit}
        words, sealed = protect_all(
            self.sealer, item.caller, {name: word for name, word in given.items() if word}, str(identity)
        )
        handling = {name: getattr(item, name) for name in Handling.__struct_fields__}
        times = {name: at.astimezone(UTC) for name in ORDER_TIMES if (at := handling[name])}
        return Ticket(
            **(handling | times | words),
            id=identity,
            source=source.slug,
            order_number=item.order_number,
            observed_at=self._seen(item.observed_at, now),
            received_at=now,
            area=area,
            category=item.category,
            sealed=sealed,
        )

    def _report(self, source: Source, item: ReportIn, now: datetime) -> Report:
        identity = input_id(Feed.REPORTS, source.slug, str(item.id))
        text, sealed = protect(self.sealer, item.reporter, item.text, str(identity))
        return Report(
            id=identity,
            source=source.slug,
            client_id=item.id,
            observed_at=self._seen(item.observed_at, now),
            received_at=now,
            area=item.area,
            text=text,
            category=item.category,
            sealed=sealed,
        )


def _bulletin(source: Source, item: BulletinIn, now: datetime) -> Bulletin:
    """Make a bulletin; one for several areas is one message."""
    return Bulletin(
        id=input_id(Feed.BULLETINS, source.slug, item.id),
        source=source.slug,
        own_id=item.id,
        category=item.category,
        level=item.level,
        areas=item.areas,
        effective_at=item.effective_at.astimezone(UTC),
        expires_at=item.expires_at.astimezone(UTC),
        received_at=now,
        headline=item.headline,
        text=item.text,
        status=item.status,
        supersedes=item.supersedes,
        part_of=item.part_of,
        exercise=item.exercise,
        restricted=item.restricted,
    )


def _time_faults(at: datetime, latest: datetime, place: str) -> Iterator[Fault]:
    if at < EARLIEST:
        yield Fault(place, "is before 2000: the sender lost its clock")
    elif at > latest:
        yield Fault(place, "is too far in the future")
