"""The folder of a back-test: areas, registry, recorded feeds and truth, read and checked before anything runs."""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from config.data import Data
from config.settings import Settings
from domain.areas import AreaLevel, county_of
from domain.decode import convert
from domain.errors import Fault, InvalidInput
from domain.inputs import AwareTime, BulletinIn, ReportIn, TicketIn
from domain.levels import Domain, Level
from domain.registry import Area, Series
from fenghuo.areas_file import read_areas
from fenghuo.backtest.intake import Columns, TextIntake, arrivals_of, merged, townships_of
from fenghuo.backtest.readings_file import SHANGHAI, read_readings
from fenghuo.backtest.runner import Arrival
from fenghuo.backtest.texts_file import read_texts
from fenghuo.demo.truth import Happening
from fenghuo.registering import make_wish
from fenghuo.registry_file import Entry, read_entries
from responders.registration import Kind
from streams.packing import time_of
from streams.registry import Registry

FORMS = ("csv", "ndjson", "jsonl", "json")
TABLES = ("csv", "xlsx", "toml")
SHOWN_FAULTS = 20
TEXTS: dict[str, type[TicketIn | ReportIn | BulletinIn]] = {
    "tickets": TicketIn,
    "reports": ReportIn,
    "bulletins": BulletinIn,
}

Item = tuple[datetime, str, str, TicketIn | ReportIn | BulletinIn]
"""When it arrives, source, place in the files, and the item."""


class Refusals:
    """Rows that a gateway would refuse: all are counted, the first SHOWN_FAULTS are kept to be shown."""

    def __init__(self) -> None:
        """Start with none."""
        self.count = 0
        self.shown: list[Fault] = []

    def tell(self, fault: Fault) -> None:
        """Take one."""
        self.count += 1
        if len(self.shown) < SHOWN_FAULTS:
            self.shown.append(fault)


class TruthEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happened, as people know afterwards; times are aware, or local times of Shanghai.

    A `distraction` looks like an event and is none; it explains an alert only if it is `worth_an_alert`. Leads are measured
    against `reference_at`, which `reference` names.
    """

    slug: str
    name: str = ""
    kind: Literal["event", "distraction"] = "event"
    domain: Domain
    categories: tuple[str, ...]
    areas: tuple[str, ...]
    begins: AwareTime
    ends: AwareTime
    expected: Level = Level.BLUE
    worth_an_alert: bool = False
    reference_at: AwareTime | None = None
    reference: str = ""


class Truth(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The truth file: what happened, and from when to when alerts are judged."""

    judged_from: AwareTime | None = None
    until: AwareTime | None = None
    event: tuple[TruthEvent, ...] = ()

    def happenings(self, start: datetime) -> tuple[Happening, ...]:
        """Write the events in minutes since a start, as the judgement takes them."""

        def minutes(at: datetime) -> float:
            return (at - start) / timedelta(minutes=1)

        return tuple(
            Happening(
                slug=one.slug,
                kind=one.kind,
                name=one.name or one.slug,
                domain=one.domain,
                categories=one.categories,
                areas=one.areas,
                after_minutes=minutes(one.begins),
                until_minutes=minutes(one.ends),
                expected=one.expected,
                worth_an_alert=one.worth_an_alert,
                reference_minutes=None if one.reference_at is None else minutes(one.reference_at),
                reference=one.reference,
            )
            for one in self.event
        )


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A county's recorded feeds in memory; `refusals` grows while arrivals are taken."""

    areas: tuple[Area, ...]
    series: tuple[Series, ...]
    readings: Columns
    items: tuple[Item, ...]
    truth: Truth | None
    refusals: Refusals = field(default_factory=Refusals)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Tell the times of the first and the last input."""
        times = [at for at, *_ in (self.items[:1] + self.items[-1:])]
        if len(self.readings):
            times += [time_of(int(self.readings.observed.min())), time_of(int(self.readings.observed.max()))]
        return min(times), max(times)

    @property
    def counties(self) -> tuple[str, ...]:
        """Name the counties that anything lies in."""
        codes = [one.area for one in self.series] + [area.code for area in self.areas]
        return tuple(sorted({county_of(code) for code in codes if len(code) >= AreaLevel.COUNTY}))

    def arrivals(self, settings: Settings, data: Data, registry: Registry) -> Iterator[Arrival]:
        """Give all inputs in order of time, as a gateway would have put them on their topics."""
        townships = townships_of(one.area for one in self.series)
        return merged(
            arrivals_of(self.readings, townships), self._texts(TextIntake(settings, data, registry))
        )

    def _texts(self, intake: TextIntake) -> Iterator[Arrival]:
        for at, source, place, item in self.items:
            try:
                yield intake.take(source, item, at)
            except InvalidInput as error:
                for fault in error.faults:
                    self.refusals.tell(Fault(f"{place}: {fault.field}", fault.reason))


def read_folder(folder: Path, settings: Settings, data: Data) -> Recording:
    """Read a folder; InvalidInput when a file is missing or cannot be read. Rows that a gateway would refuse are counted."""
    if not folder.is_dir():
        raise InvalidInput([Fault(str(folder), "is no folder")])
    areas = _areas(folder)
    refusals = Refusals()
    items: list[Item] = []
    for feed, kind in TEXTS.items():
        items += [
            (_arrival_time(item), source, place, item)
            for source, place, item in read_texts(_files(folder, feed, FORMS), kind, refusals.tell)
        ]
    items.sort(key=lambda item: item[0])
    files = _files(folder, "readings", FORMS)
    truth = _truth(folder, data)
    entries = _entries(folder, needed=bool(files))
    readings = read_readings(files, [entry.id for entry in entries], refusals.tell)
    if not len(readings) and not items:
        told = "; ".join(f"{fault.field}: {fault.reason}" for fault in refusals.shown[:3])
        names = ", ".join(f"{name}*.csv" for name in ("readings", *TEXTS))
        raise InvalidInput(
            [Fault(str(folder), told or f"holds no input: put {names} (or NDJSON, JSON) there")]
        )
    recording = Recording(areas, (), readings, tuple(items), truth, refusals)
    day = recording.span[0].astimezone(SHANGHAI).date()
    return replace(recording, series=_series(entries, settings, data, day))


def _files(folder: Path, feed: str, forms: tuple[str, ...]) -> list[Path]:
    """Find the files of a feed, such as `readings.csv` and `readings-2026-06.ndjson.gz`."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file()
        and path.name.removesuffix(".gz").rpartition(".")[2].lower() in forms
        and path.name.split(".", 1)[0].partition("-")[0] == feed
    )


def _arrival_time(item: TicketIn | ReportIn | BulletinIn) -> datetime:
    return item.effective_at if isinstance(item, BulletinIn) else item.observed_at


def _areas(folder: Path) -> tuple[Area, ...]:
    found = _files(folder, "areas", TABLES)
    if not found:
        raise InvalidInput(
            [Fault(str(folder), "has no areas.csv (or .xlsx, .toml): code and name of each area")]
        )
    return tuple(convert(Area, values, lenient=True) for path in found for values in read_areas(path))


def _entries(folder: Path, *, needed: bool) -> list[Entry]:
    """Read what the registry file says of series; how devices connect does not matter here, nor do their passwords."""
    found = _files(folder, "registry", TABLES)
    if needed and not found:
        raise InvalidInput(
            [
                Fault(
                    str(folder),
                    "has readings, and no registry.toml (or .csv, .xlsx) that describes their series",
                )
            ]
        )
    entries = [entry for path in found for entry in read_entries(path, Kind.SERIES)]
    entries = [entry for entry in entries if entry.kind is Kind.SERIES]
    doubles = [name for name, count in Counter(entry.id for entry in entries).items() if count > 1]
    if doubles:
        raise InvalidInput([Fault(f"series {name}", "is there twice") for name in doubles])
    return entries


def _series(entries: Sequence[Entry], settings: Settings, data: Data, day: date) -> tuple[Series, ...]:
    """Make the series of the registry file, their limits by the standards in force on a day."""
    wanted = make_wish(entries, data, day, {}, settings.personal_key)
    faults = list(wanted.faults)
    faults += [
        Fault(f"series {one.id}: category", f"{one.category!r} is no category")
        for one in wanted.wish.series
        if one.category not in data.categories
    ]
    if faults:
        raise InvalidInput(faults)
    return wanted.wish.series


def _truth(folder: Path, data: Data) -> Truth | None:
    path = folder / "truth.toml"
    if not path.exists():
        return None
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidInput([Fault(path.name, f"cannot be read: {error.strerror}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput([Fault(path.name, f"is not TOML: {error}")]) from error
    try:
        truth = convert(Truth, _with_zones(values))
    except InvalidInput as error:
        raise InvalidInput(
            [Fault(f"{path.name}: {fault.field}", fault.reason) for fault in error.faults]
        ) from error
    faults = [
        Fault(f"{path.name}: event {one.slug}: {name}", reason)
        for one in truth.event
        for name, reason in _faults_of(one, data)
    ]
    if faults:
        raise InvalidInput(faults)
    return truth


def _faults_of(event: TruthEvent, data: Data) -> Iterator[tuple[str, str]]:
    """Find what would make an event one that nothing can ever find."""
    if event.ends <= event.begins:
        yield "ends", "must be later than begins"
    for name in event.categories:
        if name not in data.categories:
            yield "categories", f"{name!r} is no category"
    if not event.areas or not all(area.isdigit() for area in event.areas):
        yield "areas", "must be codes of areas, one at least"


def _with_zones(value: Any) -> Any:
    """Give local times of TOML the zone of Shanghai."""
    match value:
        case datetime() if value.tzinfo is None:
            return value.replace(tzinfo=SHANGHAI)
        case Mapping():
            return {name: _with_zones(one) for name, one in value.items()}
        case list():
            return [_with_zones(one) for one in value]
        case _:
            return value
