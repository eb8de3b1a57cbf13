"""What passes along a river as findings: one for each township that it came to, with when it comes to the next stations."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta

from msgspec import structs

from config.rivers import River
from detectors.fusion.chains import Chain, Seen, Station, find_chains, window
from detectors.fusion.marks import County, Told
from detectors.fusion.travel import Travel
from domain.areas import township_of
from domain.findings import Arrival, Finding, FindingState, SubjectKind
from domain.identity import finding_id
from domain.levels import Feed

DETECTOR, DETECTOR_VERSION = "river", 1
OPENS_AT = 6.0
"""Pooled rarity from which something is said to pass: one in a million, as for a single series."""
MOST_TERMS, MOST_INPUTS, MOST_ARRIVALS = 20, 20, 3
ANY_RIVER = River(slug="", slowest=0.1, fastest=2.0)
"""Where nobody says anything of any river; the shipped data says the same."""
REGIONAL_WITHIN = timedelta(hours=6)
FEWEST_OTHERS = 3
LIKELY = 0.01
"""A chain is weather as well when whatever moves the others would have moved all its later stations with this chance."""

Stations = Mapping[str, Sequence[Station]]


class Passages:
    """Finds what passes along the rivers of a county, from the marks of their stations."""

    def __init__(self, rivers: Mapping[str, River]) -> None:
        """Take the ranges of velocities by river; that of "" is for all others."""
        self._rivers = rivers

    def learn(self, county: County, told: Told) -> None:
        """Learn a river's velocity from what passed and is over."""
        travel = county.travels.setdefault(told.river, Travel())
        travel.learn(told.metres, told.seconds, self._river(told.river))

    def find(
        self,
        county: County,
        river: str,
        category: str,
        stations: Stations,
        kinds: Mapping[str, Collection[str]],
    ) -> list[Finding]:
        """Tell what is new of a river and category: what passes, confirmed first, then what does no longer.

        `stations` are the river's by quantity, `kinds` the county's series of each of these quantities.
        """
        velocities = county.travels.get(river, Travel()).range(self._river(river))
        chains = [
            chain
            for quantity, places in sorted(stations.items())
            for above in (True, False)
            for chain in find_chains(
                _seen(county, category, places, above), velocities, _places(places), OPENS_AT
            )
            if not is_regional(county, chain, places, kinds[quantity])
        ]
        holding = {
            told.finding.id: told
            for episode in episodes(chains)
            for told in _tell(river, category, episode, stations, velocities)
        }
        news = []
        for name, told in holding.items():
            before = county.told.get(name)
            stood = before is not None and before.finding.state is FindingState.CONFIRMED
            stands = told.finding.state is FindingState.CONFIRMED
            if (stood or stands) and (before is None or before.finding != told.finding):
                news.append(told.finding)  # what is over before it was told needs no word
            county.told[name] = told
        for name, told in county.told.items():
            if (
                (told.river, told.category) == (river, category)
                and name not in holding
                and told.finding.state is FindingState.CONFIRMED
            ):
                told.finding = _cleared(told.finding)
                told.metres = told.seconds = 0.0
                news.append(told.finding)
        return sorted(news, key=lambda finding: finding.state is FindingState.CLEARED)

    def _river(self, slug: str) -> River:
        return self._rivers.get(slug) or self._rivers.get("") or ANY_RIVER


def is_regional(county: County, chain: Chain, places: Sequence[Station], kind: Collection[str]) -> bool:
    """Say whether what moves the series of the quantity that the water cannot come to would explain the chain as well.

    Those are the stations of other rivers, of none, and upstream of the chain. The share of them that moved the same way at
    the same time, as rarely as the chain's least rare station, is the chance that weather or season moved a station; a chain
    whose later stations it would all have moved LIKELY enough is no passage. What each series says of itself stands.
    """
    first = chain.seen[0].station.number
    reached = {station.series.id for station in places if station.number >= first}
    others = [name for name in kind if name not in reached and county.is_well(name)]
    begin, end = chain.begin - REGIONAL_WITHIN, chain.end
    least = min(one.mark.rarity for one in chain.seen)
    moving = sum(
        any(
            mark.above is chain.seen[0].mark.above and begin <= mark.begin <= end and mark.rarity >= least
            for mark in county.marks.get(name, ())
        )
        for name in others
    )
    links = len({one.station.number for one in chain.seen}) - 1
    return len(others) >= FEWEST_OTHERS and bool((moving / (len(others) + 1)) ** links > LIKELY)


def episodes(chains: Sequence[Chain]) -> list[list[Chain]]:
    """Put together the chains that overlap in time: several quantities of one spill, told as one. Rarest first in each."""
    groups: list[list[Chain]] = []
    for chain in sorted(chains, key=lambda one: (one.begin, one.seen[0].mark.id)):
        if groups and any(chain.begin <= other.end for other in groups[-1]):
            groups[-1].append(chain)
        else:
            groups.append([chain])
    return [sorted(group, key=lambda one: (-one.rarity, one.begin, one.seen[0].mark.id)) for group in groups]


def _seen(county: County, category: str, places: Sequence[Station], above: bool) -> list[Seen]:
    return [
        Seen(station, mark)
        for station in places
        for mark in county.marks.get(station.series.id, ())
        if mark.category == category and mark.above is above
    ]


def _places(stations: Sequence[Station]) -> int:
    return stations[-1].number + 1 if stations else 0


def _tell(
    river: str, category: str, chains: list[Chain], stations: Stations, velocities: tuple[float, float]
) -> Iterator[Told]:
    """Write an episode as a finding for each township that it came to; `chains` rarest first."""
    begin = min(chain.begin for chain in chains)
    townships = {township_of(one.station.series.area) for chain in chains for one in chain.seen}
    furthest = chains[0].seen[-1]
    for township in sorted(townships):
        concerned = [
            chain
            for chain in chains
            if any(township_of(one.station.series.area) == township for one in chain.seen)
        ]
        best = concerned[0]
        here = [
            one
            for chain in concerned
            for one in chain.seen
            if township_of(one.station.series.area) == township
        ]
        last = next(one for one in reversed(best.seen) if one in here)
        marks = [one.mark for chain in concerned for one in chain.seen]
        is_open = any(one.mark.open for one in here)
        observed_at = max(mark.seen_at for mark in marks)
        newest = sorted(marks, key=lambda mark: (mark.seen_at, mark.id), reverse=True)
        finding = Finding(
            id=finding_id(DETECTOR, DETECTOR_VERSION, f"{river}/{category}/{township}", begin),
            detector=DETECTOR,
            detector_version=DETECTOR_VERSION,
            category=category,
            subject_kind=SubjectKind.ZONE,
            subject=township,
            area=township,
            feed=Feed.READINGS,
            state=FindingState.CONFIRMED if is_open else FindingState.CLEARED,
            observed_at=observed_at,
            received_at=max(mark.received_at for mark in marks),
            period_start=begin,
            period_end=None if is_open else observed_at,
            direction="above" if last.mark.above else "below",
            observed=last.mark.observed,
            expected=last.mark.expected,
            unit=last.station.series.unit,
            p_value=best.p_value,
            inputs=tuple(dict.fromkeys(name for mark in newest for name in mark.inputs))[:MOST_INPUTS],
            restricted=any(mark.restricted for mark in marks),
            places=_each(one.station.series.area for one in best.seen),
            terms=_each(one.station.series.id for chain in concerned for one in chain.seen),
            arrivals=_arrivals(best, stations[best.seen[0].station.series.quantity], velocities)
            if is_open
            else (),
        )
        leads = furthest in here
        first = chains[0].seen[0].station
        yield Told(
            river,
            category,
            finding,
            metres=furthest.station.metres - first.metres if leads else 0.0,
            seconds=(chains[0].end - chains[0].begin).total_seconds() if leads else 0.0,
        )


def _arrivals(
    chain: Chain, stations: Sequence[Station], velocities: tuple[float, float]
) -> tuple[Arrival, ...]:
    """Tell when it comes to the next stations of the quantity downstream."""
    last = chain.seen[-1]
    below = [station for station in stations if station.number > last.station.number]
    arrivals = []
    for station in below[:MOST_ARRIVALS]:
        earliest, latest = window(last.station, station, last.mark.begin, velocities)
        arrivals.append(Arrival(series=station.series.id, earliest=earliest, latest=latest))
    return tuple(arrivals)


def _each(names: Iterator[str]) -> tuple[str, ...]:
    """Name each once, in order."""
    return tuple(dict.fromkeys(names))[:MOST_TERMS]


def _cleared(finding: Finding) -> Finding:
    """Take back what was told."""
    return structs.replace(finding, state=FindingState.CLEARED, period_end=finding.observed_at, arrivals=())
