"""Stations that confirm and explain each other: chains along a river, weather, lone devices, order, state."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from config.data import load_data
from detectors.fusion.fusion import Fusion
from detectors.fusion.marks import MOST_MARKS, REMEMBERED
from detectors.fusion.neighbours import PREFIX, Around, Neighbours
from domain.errors import InvalidInput
from domain.findings import BrokenLimit, Finding, FindingState, SubjectKind
from domain.levels import Feed, Level
from domain.registry import Series

RIVERS = load_data().rivers
NOW = datetime(2026, 6, 19, 1, tzinfo=UTC)
NAMES = UUID(int=3)
TOWNSHIPS = ("990101101", "990101101", "990101102", "990101102", "990101103")
METRES = 2700.0
"""Between the stations of the river `qs`: at 1 m/s 45 minutes."""


def minutes(number: float) -> datetime:
    """Tell a time after the beginning."""
    return NOW + timedelta(minutes=number)


def series_at(name: str, area: str, *, river: str | None = None, km: float | None = None) -> Series:
    """Make a series of ammonia that is read every quarter of an hour."""
    return Series(
        id=name,
        name=name,
        quantity="ammonia",
        unit="mg/L",
        area=f"{area}001001",
        category="water-pollution",
        source="bureau",
        interval_seconds=900.0,
        river=river,
        river_km=km,
    )


RIVER = [
    series_at(f"qs{number}", area, river="qs", km=4.0 + number * METRES / 1000)
    for number, area in enumerate(TOWNSHIPS)
]
BROOK = [series_at(f"ly{number}", "990101104", river="ly", km=1.0 + 2 * number) for number in range(4)]
SERIES = {one.id: one for one in (*RIVER, *BROOK)}


def rare(series: str, minute: float, rarity: float = 7.0, *, above: bool = True) -> Finding:
    """Make a learned finding that a series deviates since a minute."""
    return Finding(
        id=uuid5(NAMES, f"{series}/{minute}/{above}"),
        detector="innovation",
        detector_version=1,
        category="water-pollution",
        subject_kind=SubjectKind.SERIES,
        subject=series,
        area=SERIES[series].area,
        feed=Feed.READINGS,
        state=FindingState.CONFIRMED,
        observed_at=minutes(minute),
        received_at=minutes(minute + 1),
        period_start=minutes(minute),
        direction="above" if above else "below",
        observed=1.2,
        expected=0.3,
        unit="mg/L",
        p_value=10.0**-rarity,
        inputs=(uuid5(NAMES, f"input/{series}/{minute}"),),
    )


def over(finding: Finding, minute: float) -> Finding:
    """Clear a finding at a minute."""
    return structs.replace(
        finding,
        state=FindingState.CLEARED,
        observed_at=minutes(minute),
        received_at=minutes(minute + 1),
        period_end=minutes(minute),
    )


def silent(series: str, minute: float) -> Finding:
    """Make the finding that a device says nothing any more."""
    return structs.replace(
        rare(series, minute), detector="silent", category="equipment-fault", p_value=None, observed=None
    )


def fresh() -> Neighbours:
    """Make neighbours that know the rivers."""
    return Neighbours(SERIES, RIVERS)


def take(neighbours: Neighbours, *findings: Finding) -> list[Finding]:
    """Take findings in, and list what was told."""
    return [told for finding in findings for told in neighbours.take(finding)]


def holding(told: list[Finding]) -> dict[UUID, Finding]:
    """Keep the last word of each finding that was told, where it says that something holds."""
    last = {finding.id: finding for finding in told}
    return {name: finding for name, finding in last.items() if finding.state is FindingState.CONFIRMED}


def test_two_stations_in_order_are_one_passage() -> None:
    """A station and 45 minutes later the next one tell more together than each alone, and say where it goes."""
    neighbours = fresh()
    assert take(neighbours, rare("qs1", 0)) == []
    told = take(neighbours, rare("qs2", 45))
    assert [finding.subject for finding in told] == ["990101101", "990101102"]
    for finding in told:
        assert (finding.detector, finding.subject_kind) == ("river", SubjectKind.ZONE)
        assert finding.terms == ("qs1", "qs2")
        assert finding.period_start == minutes(0)
        assert finding.p_value is not None
        assert finding.p_value < 1e-7
        assert [arrival.series for arrival in finding.arrivals] == ["qs3", "qs4"]
    arrival = told[0].arrivals[0]
    assert (arrival.earliest - minutes(45)).total_seconds() == pytest.approx(METRES / 2.0)
    assert (arrival.latest - minutes(45)).total_seconds() == pytest.approx(METRES / 0.1)


def test_a_longer_chain_is_rarer_and_keeps_its_id() -> None:
    """Each station that it comes to makes the same finding more certain."""
    neighbours = fresh()
    first = take(neighbours, rare("qs0", 0), rare("qs1", 40))
    then = take(neighbours, rare("qs2", 90))
    assert first[0].id == then[0].id
    assert then[0].p_value is not None
    assert first[0].p_value is not None
    assert then[0].p_value < first[0].p_value / 5
    assert then[0].terms == ("qs0", "qs1", "qs2")


@pytest.mark.parametrize(
    ("upper", "lower", "why"),
    [
        (("qs2", 0), ("qs1", 45), "upstream after downstream"),
        (("qs0", 0), ("qs1", 60 * 24), "slower than any water"),
        (("qs0", 0), ("qs3", 120), "two stations between saw nothing"),
        (("qs0", 0), ("ly1", 45), "another river"),
    ],
)
def test_what_no_water_does_is_no_passage(upper: tuple[str, int], lower: tuple[str, int], why: str) -> None:
    """Marks that no flow of water can join are not joined."""
    assert take(fresh(), rare(*upper, 9.0), rare(*lower, 9.0)) == [], why


def test_opposite_directions_are_no_passage() -> None:
    """More ammonia here and less there is not the same water."""
    assert take(fresh(), rare("qs1", 0), rare("qs2", 45, above=False)) == []


def test_weak_ones_confirm_but_two_do_not_suffice() -> None:
    """Two marks of one in ten thousand are too little in a window of hours; a strong one beside a weak one is enough."""
    weak = structs.replace(rare("qs2", 45, 4.0), weak=True)
    assert take(fresh(), rare("qs1", 0, 4.0), weak) == []
    assert len(take(fresh(), rare("qs1", 0, 7.5), weak)) == 2


def test_a_broken_limit_confirms() -> None:
    """A limit says nothing of its rarity, and still joins a chain."""
    broken = structs.replace(
        rare("qs2", 45), p_value=None, limit=BrokenLimit(level=Level.BLUE, value=1.0, basis="GB 3838-2002")
    )
    assert {finding.subject for finding in take(fresh(), rare("qs1", 0, 9.0), broken)} == {
        "990101101",
        "990101102",
    }


def test_what_was_seen_upstream_raises_the_level_downstream() -> None:
    """Where one station moves alone the alert is blue; that the water brought it makes it yellow before any limit breaks."""
    fusion = Fusion(load_data().categories)
    alone = [alert.level for alert in fusion.apply(rare("qs2", 45, 9.0), minutes(46))]
    neighbours, fusion = fresh(), Fusion(load_data().categories)
    levels = {
        alert.place: alert.level
        for finding in (rare("qs1", 0, 9.0), rare("qs2", 45, 9.0))
        for told in (finding, *neighbours.take(finding))
        for alert in fusion.apply(told, minutes(46))
    }
    assert alone == [Level.BLUE]
    assert levels == {"990101101": Level.YELLOW, "990101102": Level.YELLOW}


def test_rivers_that_nobody_described_flow_all_the_same() -> None:
    """Without any data on rivers the shipped range holds."""
    assert len(take(Neighbours(SERIES, {}), rare("qs1", 0), rare("qs2", 45))) == 2


def test_weather_is_no_passage() -> None:
    """When most stations of the other rivers move as well, it is the weather: nothing is said to pass."""
    everywhere = [rare(f"ly{number}", 9 - number) for number in range(3)]
    assert take(fresh(), *everywhere, rare("qs1", 0), rare("qs2", 45)) == []


@pytest.mark.parametrize(("stations", "passes"), [(2, False), (4, True)])
def test_one_of_the_others_speaks_against_a_short_chain_only(stations: int, passes: bool) -> None:
    """What moved one of three other stations may well have moved a second one here, and hardly three more in order."""
    chain = [rare(f"qs{number}", 45 * number) for number in range(stations)]
    told = take(fresh(), rare("ly0", -20), *chain)
    assert (holding(told) != {}) is passes


def test_what_is_less_rare_elsewhere_explains_nothing() -> None:
    """Ordinary weather elsewhere does not take back what is a thousand times rarer."""
    told = take(fresh(), rare("ly0", -20, 6.0), rare("qs1", 0, 9.0), rare("qs2", 45, 9.0))
    assert holding(told)


def test_all_at_once_is_no_passage() -> None:
    """What four stations see within minutes cannot have come with the water, nor what is too fast as a whole only."""
    assert take(fresh(), *[rare(f"qs{number}", 2 * number, 9.0) for number in range(4)]) == []
    assert holding(take(fresh(), *[rare(f"qs{number}", 9 * number, 9.0) for number in range(4)])) == {}


def test_weather_that_is_seen_later_takes_the_passage_back() -> None:
    """What was told is cleared as soon as it turns out that everything moves, though the other river spoke."""
    neighbours = fresh()
    told = take(neighbours, rare("qs1", 0), rare("qs2", 45))
    assert len(holding(told)) == 2
    told += take(neighbours, *[rare(f"ly{number}", 9 - number) for number in range(3)])
    assert holding(told) == {}


def test_it_is_over_township_by_township() -> None:
    """Where the stations have calmed down the passage is cleared, further down it goes on."""
    neighbours = fresh()
    up, down = rare("qs1", 0), rare("qs2", 45)
    told = take(neighbours, up, down, over(up, 200))
    assert {finding.subject for finding in holding(told).values()} == {"990101102"}
    told += take(neighbours, over(down, 260))
    assert holding(told) == {}


def test_the_same_again_tells_nothing() -> None:
    """A finding that comes again, or an old word on it, changes nothing."""
    neighbours = fresh()
    up, down = rare("qs1", 0), rare("qs2", 45)
    take(neighbours, up, down, over(up, 200))
    assert take(neighbours, up, down, over(up, 200)) == []


def test_trials_and_own_findings_are_nothing() -> None:
    """What is on trial weighs nothing, and what was told here does not come back as evidence."""
    shadow = structs.replace(rare("qs2", 45), shadow=True)
    assert take(fresh(), rare("qs1", 0), shadow) == []
    neighbours = fresh()
    told = take(neighbours, rare("qs1", 0), rare("qs2", 45))
    assert take(neighbours, *told) == []


MOMENTS = st.integers(0, 40).map(lambda quarter: 15.0 * quarter)
SPOKEN = st.tuples(st.sampled_from(sorted(SERIES)), MOMENTS, st.sampled_from([4.0, 6.5, 9.0]), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(SPOKEN, max_size=8, unique_by=lambda said: said[:2]), st.randoms(use_true_random=False))
def test_what_holds_does_not_hang_on_the_order(
    said: list[tuple[str, float, float, bool]], random: Random
) -> None:
    """Late, repeated and reordered findings lead to the same findings that hold."""
    words = []
    for series, minute, rarity, ended in said:
        words.append(rare(series, minute, rarity))
        words += [over(words[-1], minute + 100)] if ended else []
    mixed = [*words, *words[::2]]
    random.shuffle(mixed)
    assert holding(take(fresh(), *words)) == holding(take(fresh(), *mixed))


def test_a_river_teaches_how_fast_it_is() -> None:
    """After some passages at 1 m/s the next arrival is told more narrowly, and around 1 m/s."""
    neighbours = fresh()
    spans, step = [], METRES / 60
    for day in range(0, 40, 4):
        start = day * 24 * 60.0
        words = [rare(f"qs{number}", start + number * step) for number in range(3)]
        told = take(neighbours, *words)
        spans.append(told[-1].arrivals[0])
        take(neighbours, *(over(word, start + 300) for word in words))
        assert spans[-1].earliest <= minutes(start + 3 * step) <= spans[-1].latest
    widths = [span.latest - span.earliest for span in spans]
    assert widths[-1] < widths[0] / 2
    assert all(later <= earlier for earlier, later in pairwise(widths))


def test_neighbours_that_move_along_are_named_and_the_quiet_counted() -> None:
    """Of the neighbours of a series that moved, those that did too are named, the others are counted."""
    neighbours = fresh()
    take(neighbours, rare("qs1", 0), rare("qs2", 45))
    assert neighbours.facts("qs1", "water-pollution", minutes(60)) == Around(("qs2",), 7)
    assert neighbours.facts("990101101", "water-pollution", minutes(60)) == Around(("qs2",), 7)
    assert neighbours.facts("qs1", "air-pollution", minutes(60)) == Around((), 0)
    assert neighbours.facts("990102", "water-pollution", minutes(60)) == Around((), 0)


def test_a_lone_station_has_quiet_neighbours_only() -> None:
    """A series that moves alone has nobody nearby, and says how many saw nothing."""
    neighbours = fresh()
    take(neighbours, rare("ly0", 0))
    around = neighbours.facts("ly0", "water-pollution", minutes(30))
    assert around == Around((), 3)


def test_a_silent_device_is_not_quiet() -> None:
    """A neighbour whose device is silent cannot see that nothing happens; once it speaks again it counts."""
    neighbours = fresh()
    lost = silent("ly1", 0)
    take(neighbours, rare("ly0", 10), lost)
    assert neighbours.facts("ly0", "water-pollution", minutes(30)) == Around((), 2)
    take(neighbours, over(lost, 40))
    assert neighbours.facts("ly0", "water-pollution", minutes(50)) == Around((), 3)


def test_moving_along_needs_the_same_time_and_direction() -> None:
    """What was over before, and what goes the other way, explains nothing."""
    neighbours = fresh()
    before = rare("ly1", 0)
    take(neighbours, before, over(before, 60), rare("ly2", 100, above=False), rare("ly0", 120))
    assert neighbours.facts("ly0", "water-pollution", minutes(130)) == Around((), 3)


def test_the_state_goes_on_exactly() -> None:
    """What was written and taken up again tells what the one that went on tells."""
    ours = fresh()
    take(ours, rare("qs1", 0), rare("ly0", 3))
    pieces = ours.dump()
    assert set(pieces) == {f"{PREFIX}990101"}
    assert ours.dump() == {}
    other = fresh()
    other.restore(pieces)
    assert take(other, rare("qs2", 45)) == take(ours, rare("qs2", 45))
    assert other.facts("ly0", "water-pollution", minutes(50)) == ours.facts(
        "ly0", "water-pollution", minutes(50)
    )
    assert other.dump() == ours.dump()


@pytest.mark.parametrize("piece", [b"", b"\xc1", b"\x81\xa7version\x63"])
def test_a_piece_of_another_form_is_refused(piece: bytes) -> None:
    """Broken bytes and another version are told by name."""
    with pytest.raises(InvalidInput, match="990101"):
        fresh().restore({f"{PREFIX}990101": piece})


def test_memory_is_bounded() -> None:
    """A series that flaps for days leaves a few marks, and what is over for long leaves nothing."""
    neighbours = fresh()
    for number in range(200):
        word = rare("qs1", number * 10)
        take(neighbours, word, over(word, number * 10 + 5))
    flapping = len(neighbours.dump()[f"{PREFIX}990101"])
    assert flapping < 400 * MOST_MARKS
    take(neighbours, rare("ly0", 200 * 10 + REMEMBERED.total_seconds() / 60 + 60))
    assert len(neighbours.dump()[f"{PREFIX}990101"]) < 600


def test_a_series_that_leaves_takes_its_passage_along() -> None:
    """When a station leaves the registry or its river, what rested on it is taken back."""
    neighbours = fresh()
    told = take(neighbours, rare("qs1", 0), rare("qs2", 45))
    told += neighbours.forget("qs2")
    assert holding(told) == {}
    told += neighbours.know(SERIES["qs2"])
    assert len(holding(told)) == 2
    told += neighbours.know(structs.replace(SERIES["qs2"], river=None, river_km=None))
    assert holding(told) == {}
    assert neighbours.forget("nobody") == []
