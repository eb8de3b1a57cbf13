"""What people of the demo county call and report about: ordinary days with their rhythm, and what the script adds.

Nobody is real: callers are 测试来电人 with telephone numbers 1380000…, so that sealing and masking have something to do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from msgspec import Struct, convert

from domain.areas import AreaLevel
from domain.identity import derived_id
from domain.inputs import BulletinIn, Person, ReportIn, TicketIn
from fenghuo.demo.places import Places, read_data
from fenghuo.demo.readings import SHANGHAI
from fenghuo.demo.truth import Calls, Happening, Repeated

DAY = timedelta(days=1)
OFFICE_HOURS = np.array([1, 1, 0.5, 0.5, 0.5, 1, 3, 6, 9, 10, 10, 8, 6, 6, 8, 9, 9, 8, 6, 5, 5, 4, 3, 2])
EVENING_HOURS = np.array([2, 1, 0.5, 0.5, 0.5, 0.5, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 6, 9, 10, 10, 8, 5])
WEEKEND = 0.7
NAMED = 0.4
"""Share of calls to which the hotline itself gives a category."""

Item = TicketIn | ReportIn | BulletinIn


@dataclass(frozen=True, slots=True)
class Call:
    """Something to be sent at a time of the county."""

    at: datetime
    item: Item


class Phrases(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts about one thing, and how many calls an ordinary day brings."""

    slug: str
    category: str
    texts: tuple[str, ...]
    tickets_per_day: float = 0.0
    reports_per_day: float = 0.0
    evening: bool = False


class _PhraseFile(Struct, frozen=True, forbid_unknown_fields=True):
    places: tuple[str, ...]
    openings: tuple[str, ...]
    closings: tuple[str, ...]
    phrases: tuple[Phrases, ...]


def build_calls(
    places: Places,
    happenings: Sequence[Happening],
    *,
    history_from: datetime,
    start: datetime,
    until: datetime,
    seed: int,
) -> list[Call]:
    """Build everything that is called in, reported and announced, in order of time."""
    writer = _Writer(places, seed)
    calls = list(writer.ordinary(history_from, until))
    for happening in happenings:
        for scripted in happening.call:
            calls.extend(writer.scripted(scripted, start))
        for repeated in happening.repeat:
            calls.extend(writer.repeated(repeated, start))
        for notice in happening.bulletin:
            at = start + timedelta(minutes=notice.after)
            bulletin = BulletinIn(
                id=notice.id,
                category=notice.category,
                level=notice.level,
                areas=notice.areas,
                effective_at=at,
                expires_at=at + timedelta(hours=notice.hours),
                headline=notice.headline,
            )
            calls.append(Call(at, bulletin))
    return sorted((call for call in calls if call.at <= until), key=lambda call: call.at)


class _Writer:
    """Writes tickets and reports; counts order numbers."""

    def __init__(self, places: Places, seed: int) -> None:
        self._places = places
        self._seed = seed
        self._random = np.random.default_rng([seed, 2])
        self._file = convert(read_data("phrases.toml"), _PhraseFile)
        self._phrases = {phrases.slug: phrases for phrases in self._file.phrases}
        self._villages = {area.code: area.name for area in places.at_level(AreaLevel.VILLAGE)}
        self._number = 0

    def ordinary(self, since: datetime, until: datetime) -> Iterator[Call]:
        """Write ordinary days: more by day than by night, fewer at weekends."""
        day = since.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
        while day < until:
            weekly = WEEKEND if day.weekday() >= 5 else 1.0
            for phrases in self._file.phrases:
                for feed, per_day in (
                    ("tickets", phrases.tickets_per_day),
                    ("reports", phrases.reports_per_day),
                ):
                    hours = EVENING_HOURS if phrases.evening else OFFICE_HOURS
                    for moment in self._moments(per_day * weekly, hours):
                        at = day + moment
                        if since <= at < until:
                            yield self._write(feed, phrases, at, self._pick(self._places.cells))
            day += DAY

    def scripted(self, calls: Calls, start: datetime) -> Iterator[Call]:
        """Write the calls of an event, evenly spaced under a rate that grows or fades; the first at its beginning."""
        first, last = calls.per_hour
        minutes = np.linspace(0, calls.until - calls.after, 1_000)
        expected = np.cumsum(np.linspace(first, last, 1_000)) * (minutes[1] / 60)
        cells = self._places.cells_in(calls.areas)
        for number in range(int(expected[-1]) + 1):
            minute = calls.after + float(np.interp(number, expected - expected[0], minutes))
            at = start + timedelta(minutes=minute)
            yield self._write(calls.feed, self._phrases[calls.phrases], at, self._pick(cells))

    def repeated(self, repeated: Repeated, start: datetime) -> Iterator[Call]:
        """Write a few tickets and say each of them again and again, word for word."""
        cells = self._places.cells_in(repeated.areas)
        first = start + timedelta(minutes=repeated.after)
        tickets = [
            self._write("tickets", self._phrases[repeated.phrases], first, self._pick(cells))
            for _ in range(repeated.tickets)
        ]
        for number in range(repeated.times):
            minutes = (repeated.until - repeated.after) * number / repeated.times
            yield from (Call(first + timedelta(minutes=minutes), ticket.item) for ticket in tickets)

    def _moments(
        self, expected: float, hours: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    ) -> list[timedelta]:
        count = int(self._random.poisson(expected))
        picked = self._random.choice(24, size=count, p=hours / hours.sum())
        minutes = self._random.uniform(0, 60, count)
        return [
            timedelta(hours=int(hour), seconds=round(float(minute) * 60))
            for hour, minute in zip(picked, minutes, strict=True)
        ]

    def _pick(self, choices: Sequence[str]) -> str:
        return choices[int(self._random.integers(len(choices)))]

    def _write(self, feed: str, phrases: Phrases, at: datetime, cell: str) -> Call:
        self._number += 1
        phone = f"1380000{self._number % 10_000:04d}"
        village = self._villages[cell[: AreaLevel.VILLAGE]]
        body = self._pick(phrases.texts).format(village=village, place=self._pick(self._file.places))
        category = phrases.category if self._random.random() < NAMED else None
        if feed == "reports":
            report = ReportIn(
                id=derived_id("demo-report", self._seed, self._number),
                observed_at=at,
                area=cell,
                text=body,
                category=category,
                reporter=Person(name=f"测试网格员{self._number % 600 + 1:03d}"),
            )
            return Call(at, report)
        closing = self._pick(self._file.closings).format(phone=phone)
        ticket = TicketIn(
            order_number=f"12345-{at.astimezone(SHANGHAI):%Y%m%d}-{self._number:06d}",
            observed_at=at,
            area=cell,
            text=self._pick(self._file.openings) + body + closing,
            category=category,
            caller=Person(name=f"测试来电人{self._number:04d}", phone=phone),
        )
        return Call(at, ticket)
