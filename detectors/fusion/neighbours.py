"""Stations that confirm or explain each other: along a river, and by what they measure in one township or county.

Rivers are followed within a county: a county never spans two workers, and nothing is known of the next one here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from config.rivers import River
from detectors.fusion.marks import VERSION, County, Mark
from detectors.fusion.near import Near
from detectors.fusion.passages import DETECTOR, Passages
from domain.areas import county_of
from domain.errors import Fault, InvalidInput
from domain.findings import Finding
from domain.registry import Series

PREFIX = "neighbours/"
"""What the keys of dumped pieces begin with; the county follows."""
MOST_NEARBY = 20
MOST_ASKED = 12
"""Series of a place whose neighbours are asked, those first that still move: hundreds may move in a storm."""


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
        self._near = Near(series.values())
        self._passages = Passages(rivers)
        self._counties: dict[str, County] = {}
        self._changed: set[str] = set()

    def know(self, series: Series) -> list[Finding]:
        """Take a new or changed series into account; tells what holds of its rivers now."""
        before = self._near.get(series.id)
        if before == series:
            return []
        self._near.put(series)
        return self._again(before) + self._again(series)

    def forget(self, name: str) -> list[Finding]:
        """Take no account of a series any more that left the registry."""
        before = self._near.get(name)
        self._near.drop(name)
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
        series = self._near.get(finding.subject)
        return [] if series is None else self._judge(name, series.quantity)

    def facts(self, subject: str, category: str, now: datetime) -> Around:
        """Tell what lies around a series, or around all series of a category that moved at a place.

        A neighbour moves along when what it said overlaps in time with what the subject said, in the same direction. One
        whose device has a fault is neither: it cannot see that nothing happens.
        """
        own = self._own(subject, category)
        moving: dict[str, datetime] = {}
        quiet: set[str] = set()
        for series, mark in own:
            county = self._counties[county_of(series.area)]
            end = now if mark.open else mark.seen_at
            for other in self._near.neighbours(series):
                along = [
                    seen
                    for seen in county.marks.get(other, ())
                    if seen.above is mark.above and seen.overlaps(mark.begin, end)
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
        """Find the series that a question is about, each with its newest mark; of a place, those that move if any does."""
        known = self._near.get(subject)
        county = self._counties.get(county_of(known.area if known else subject))
        if county is None:
            return []
        found = []
        for name in [subject] if known else county.marks:
            series = self._near.get(name)
            if series is None or not (known or series.area.startswith(subject)):
                continue
            marks = [mark for mark in county.marks.get(name, ()) if mark.category == category]
            found += [(series, marks[-1])] if marks else []
        moving = [one for one in found if one[1].open]
        return sorted(moving or found, key=lambda one: (one[1].begin, one[0].id))[:MOST_ASKED]

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
        for river in self._near.rivers(name, quantity):
            stations = self._near.stations(name, river)
            kinds = {measured: self._near.kind(name, measured) for measured in stations}
            marks = (county.marks.get(one.series.id, ()) for one in stations[quantity])
            categories = {mark.category for each in marks for mark in each}
            categories |= {told.category for told in county.told.values() if told.river == river}
            for category in sorted(categories):
                found += self._passages.find(county, river, category, stations, kinds)
        return found
