"""Stations that confirm or explain each other: along a river, and by what they measure in one township or county.

Rivers are followed within a county: a county never spans two workers, and nothing is known of the next one here.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from config.rivers import River
from detectors.fusion.chains import Station, stations_of
from detectors.fusion.marks import VERSION, County, Mark
from detectors.fusion.passages import DETECTOR, Passages
from domain.areas import county_of, township_of
from domain.errors import Fault, InvalidInput
from domain.findings import Finding
from domain.registry import Series

PREFIX = "neighbours/"
"""What the keys of dumped pieces begin with; the county follows."""
MOST_NEARBY = 20
STATIONS_EACH_WAY = 3
"""So many stations up and down the river are asked what they see."""
FEWEST_KIND = 3
"""With fewer of its quantity in the township, a series is compared with those of the county."""


class Around(NamedTuple):
    """What lies around: series that move along, nearest in time first, and how many neighbours see nothing."""

    nearby: tuple[str, ...]
    quiet: int


class Neighbours:
    """Knows which series are neighbours, and what they said lately. It has no clock: event time decides.

    The findings that hold are a function of the set of findings taken in, whatever their order, as long as none comes later
    than `marks.REMEMBERED` behind the county's newest. It confirms and explains; it suppresses nothing.
    """

    def __init__(self, series: Mapping[str, Series], rivers: Mapping[str, River]) -> None:
        """Know these series; `rivers` holds ranges of velocities by slug, that of "" for all others."""
        self._series: dict[str, Series] = {}
        self._passages = Passages(rivers)
        self._rivers: dict[tuple[str, str, str], set[str]] = {}
        self._kinds: dict[tuple[str, str], set[str]] = {}
        self._counties: dict[str, County] = {}
        self._changed: set[str] = set()
        for one in series.values():
            self._index(one)

    def know(self, series: Series) -> list[Finding]:
        """Take a new or changed series into account; tells what holds of its rivers now."""
        before = self._series.get(series.id)
        if before == series:
            return []
        self._remove(before)
        self._index(series)
        return self._again(before) + self._again(series)

    def forget(self, name: str) -> list[Finding]:
        """Take no account of a series any more that left the registry."""
        before = self._series.get(name)
        self._remove(before)
        return self._again(before)

    def take(self, finding: Finding) -> list[Finding]:
        """Take in a finding of a series, weak ones too; tells what it changes in what passes along its river.

        Findings of other subjects, those on trial and its own are nothing to it.
        """
        if finding.shadow or finding.detector == DETECTOR:
            return []
        name = county_of(finding.area)
        county = self._counties.setdefault(name, County())
        if not county.note(finding):
            return []
        self._changed.add(name)
        for told in county.forget():
            self._passages.learn(county, told)
        series = self._series.get(finding.subject)
        return [] if series is None else self._judge(name, series.quantity)

    def facts(self, subject: str, category: str, now: datetime) -> Around:
        """Tell what lies around a series, or around all series of a category that moved at a place.

        A neighbour moves along when what it said overlaps in time with what the subject said, and for the same quantity in
        the same direction. One whose device has a fault is neither: it cannot see that nothing happens.
        """
        own = self._own(subject, category)
        moving: dict[str, datetime] = {}
        quiet: set[str] = set()
        for series, mark in own:
            county = self._counties[county_of(series.area)]
            end = now if mark.open else mark.seen_at
            for other in sorted(self._around(series)):
                along = [
                    seen
                    for seen in county.marks.get(other, ())
                    if seen.overlaps(mark.begin, end)
                    and (seen.above is mark.above or self._series[other].quantity != series.quantity)
                ]
                if along:
                    begin = min(seen.begin for seen in along)
                    moving[other] = min(begin, moving.get(other, begin))
                elif county.is_well(other):
                    quiet.add(other)
        ours = {series.id for series, _ in own}
        apart = {name: abs(begin - own[0][1].begin) for name, begin in moving.items() if name not in ours}
        nearby = sorted(apart, key=lambda name: (apart[name], name))
        return Around(tuple(nearby[:MOST_NEARBY]), len(quiet - moving.keys() - ours))

    def dump(self) -> dict[str, bytes]:
        """Write the counties that changed since the last dump, a piece each, by `PREFIX` and code."""
        changed, self._changed = self._changed, set()
        return {PREFIX + name: msgspec.msgpack.encode(self._counties[name]) for name in sorted(changed)}

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up written counties; InvalidInput when one is of another form."""
        for name, piece in pieces.items():
            try:
                county = msgspec.msgpack.decode(piece, type=County)
            except msgspec.DecodeError as error:
                raise InvalidInput([Fault(name, f"is no state of neighbours: {error}")]) from error
            if county.version != VERSION:
                raise InvalidInput([Fault(name, f"version {county.version} is not {VERSION}")])
            self._counties[name.removeprefix(PREFIX)] = county

    def _own(self, subject: str, category: str) -> list[tuple[Series, Mark]]:
        """Find the series that a question is about, each with its newest mark."""
        county = self._counties.get(
            county_of(self._series[subject].area if subject in self._series else subject)
        )
        if county is None:
            return []
        names = [subject] if subject in self._series else sorted(county.marks)
        found = []
        for name in names:
            series = self._series.get(name)
            marks = [mark for mark in county.marks.get(name, ()) if mark.category == category]
            if series is not None and marks and (name == subject or series.area.startswith(subject)):
                found.append((series, marks[-1]))
        return sorted(found, key=lambda one: (not one[1].open, one[1].begin, one[0].id))

    def _around(self, series: Series) -> set[str]:
        """Name the neighbours of a series: near stations of its river, and those of its quantity in its township."""
        kind = self._kinds[county_of(series.area), series.quantity]
        near = {name for name in kind if township_of(self._series[name].area) == township_of(series.area)}
        found = near if len(near) > FEWEST_KIND else set(kind)
        if series.river is not None:
            stations = self._stations(county_of(series.area), series.river, series.quantity)
            number = next(one.number for one in stations if one.series.id == series.id)
            found |= {one.series.id for one in stations if abs(one.number - number) <= STATIONS_EACH_WAY}
        return found - {series.id}

    def _passages_of(self, name: str, river: str, category: str) -> list[Finding]:
        stations = {
            quantity: self._stations(name, river, quantity)
            for county, of, quantity in self._rivers
            if (county, of) == (name, river)
        }
        kinds = {quantity: self._kinds[name, quantity] for quantity in stations}
        return self._passages.find(self._counties[name], river, category, stations, kinds)

    def _again(self, series: Series | None) -> list[Finding]:
        """Judge anew the river of a series that came, changed or went."""
        if series is None or county_of(series.area) not in self._counties:
            return []
        found = self._judge(county_of(series.area), series.quantity)
        self._changed |= {county_of(series.area)} if found else set()
        return found

    def _judge(self, name: str, quantity: str) -> list[Finding]:
        """Judge all rivers where a quantity is measured: what moves elsewhere may explain what passes on one."""
        county, found = self._counties[name], []
        for of, river, measured in sorted(self._rivers):
            if (of, measured) == (name, quantity):
                marks = (county.marks.get(one, ()) for one in self._rivers[of, river, measured])
                categories = {mark.category for each in marks for mark in each}
                categories |= {told.category for told in county.told.values() if told.river == river}
                for category in sorted(categories):
                    found += self._passages_of(name, river, category)
        return found

    def _stations(self, county: str, river: str, quantity: str) -> list[Station]:
        names = self._rivers.get((county, river, quantity), set())
        return stations_of(self._series[name] for name in names)

    def _index(self, series: Series) -> None:
        self._series[series.id] = series
        for index, key in self._places(series):
            index.setdefault(key, set()).add(series.id)

    def _remove(self, series: Series | None) -> None:
        if series is not None:
            del self._series[series.id]
            for index, key in self._places(series):
                index[key].discard(series.id)

    def _places(self, series: Series) -> Iterator[tuple[dict[Any, set[str]], tuple[str, ...]]]:
        county = county_of(series.area)
        yield self._kinds, (county, series.quantity)
        if series.river is not None:
            yield self._rivers, (county, series.river, series.quantity)
