"""Who is on duty when people stand in for each other, and what a look at a desk finds: tables and properties."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from config.rosters import DeskRule
from responders.cases import Desk, Person, Roster
from responders.handovers import LOOK_AGAIN, Change, Seen, Unsigned, look_at, remind
from responders.roster import Gap, Span, StandIn, effective, gaps, on_duty, put_in, times_of

NAMES = UUID("5a4d7a52-6c0f-4a7a-8d0e-9b1c3a990101")
A, B, C, D = (uuid5(NAMES, name) for name in "abcd")
START = datetime(2026, 5, 1, tzinfo=UTC)
RULE = DeskRule()


def at(hours: float) -> datetime:
    """Tell a time by its hours since the start."""
    return START + timedelta(hours=hours)


people = st.sampled_from([A, B, C, D])
edges = st.tuples(st.integers(0, 96), st.integers(1, 48))
shifts = st.lists(
    st.builds(lambda who, edge: Span(who, at(edge[0]), at(edge[0] + edge[1])), people, edges), max_size=6
)
changes = st.lists(st.tuples(people, people, edges), max_size=8)


@given(shifts, changes)
def test_each_change_does_what_it_says_and_nothing_else(
    planned: list[Span], asked: list[tuple[UUID, UUID, tuple[int, int]]]
) -> None:
    """At any instant the people on duty are those before, with one in another one's place while that was agreed."""
    stand_ins: list[StandIn] = []
    for away, instead, (first, length) in asked:
        if away == instead:
            continue
        after = put_in(stand_ins, away, instead, at(first), at(first + length))
        for hour in range(150):
            moment = at(hour + 0.5)
            before = set(on_duty(planned, stand_ins, moment))
            expected = (
                {instead if who == away else who for who in before}
                if first <= hour < first + length
                else before
            )
            assert set(on_duty(planned, after, moment)) == expected
        for one in after:
            same = [each for each in after if each.away == one.away and each is not one]
            assert all(each.ends_at <= one.starts_at or one.ends_at <= each.starts_at for each in same)
        stand_ins = after


@given(shifts, changes)
def test_spans_say_the_same_as_a_look_at_an_instant(
    planned: list[Span], asked: list[tuple[UUID, UUID, tuple[int, int]]]
) -> None:
    """Spread out over time, shifts and stand-ins tell of each instant what looking them up does; gaps are the rest."""
    stand_ins: list[StandIn] = []
    for away, instead, (first, length) in asked:
        if away != instead:
            stand_ins = put_in(stand_ins, away, instead, at(first), at(first + length))
    spans = effective(planned, stand_ins)
    vacant = list(gaps(spans, at(0), at(150)))
    for hour in range(150):
        moment = at(hour + 0.5)
        there = {span.user for span in spans if span.starts_at <= moment < span.ends_at}
        assert there == set(on_duty(planned, stand_ins, moment))
        assert any(gap.starts_at <= moment < gap.ends_at for gap in vacant) is not bool(there)


def test_whoever_stands_in_may_be_stood_in_for_and_gives_a_duty_back() -> None:
    """A's duty goes to B, then partly to C, then back to A: it is his own again."""
    once = put_in([], A, B, at(0), at(24))
    twice = put_in(once, B, C, at(8), at(16))
    assert [on_duty([Span(A, at(0), at(24))], twice, at(hour)) for hour in (4, 12, 20)] == [(B,), (C,), (B,)]
    back = put_in(twice, C, A, at(0), at(24))
    assert on_duty([Span(A, at(0), at(24))], back, at(12)) == (A,)
    assert StandIn(A, A, at(8), at(16)) not in back


def test_times_that_meet_are_one() -> None:
    """Two turns of the same person in a row are one time on duty."""
    spans = [Span(A, at(0), at(12)), Span(A, at(12), at(24)), Span(B, at(24), at(36))]
    assert times_of(spans, A, at(6), at(30)) == [Gap(at(6), at(24))]


def test_a_change_of_people_is_handed_over_once() -> None:
    """The first look takes note; who comes must sign; who only leaves hands nothing over."""
    day, night = Span(A, at(0), at(12)), Span(B, at(12), at(24))
    first = look_at(Seen(), [day, night], [], RULE, at(1))
    assert (first.on_duty, first.change) == ((A,), None)
    later = look_at(Seen((A,)), [night], [], RULE, at(12))
    assert later.change == Change((A,), (B,), at(12))
    assert look_at(Seen((B,)), [night], [], RULE, at(13)).change is None
    assert look_at(Seen((A, B)), [night], [], RULE, at(13)).change is None
    missed = look_at(Seen((A,)), [Span(C, at(36), at(48))], [], RULE, at(40))
    assert missed.change == Change((A,), (C,), at(36))


def test_a_vacancy_is_told_once_as_long_as_it_lasts() -> None:
    """Told twelve hours ahead, not again while it comes and lasts, over when somebody is there; then a new one is new."""
    own = [Span(A, at(0), at(20)), Span(A, at(30), at(100))]
    early = look_at(Seen((A,)), own, [], RULE, at(2))
    assert (early.vacancy, early.next_at) == (None, at(8))
    told = look_at(Seen((A,)), own, [], RULE, at(8.5))
    assert told.vacancy == Gap(at(20), at(26.5))
    seen = Seen((A,), told.vacant_from)
    assert look_at(seen, own, [], RULE, at(15)).vacancy is None
    during = look_at(seen, own, [], RULE, at(25))
    assert (during.vacancy, during.vacant_from, during.over) == (None, at(20), False)
    over = look_at(Seen((), during.vacant_from), own, [], RULE, at(31))
    assert (over.vacancy, over.vacant_from, over.over) == (None, None, True)
    sudden = look_at(Seen((A,), None), [], [], RULE, at(40))
    assert sudden.vacancy is not None
    assert sudden.vacant_from == at(40)


def test_the_general_desk_stands_in_for_a_post() -> None:
    """No vacancy where the general desk is there; the next look is at the next change of either."""
    look = look_at(Seen((A,)), [Span(A, at(0), at(5))], [Span(B, at(0), at(400))], RULE, at(1))
    assert look.vacancy is None
    assert look.next_at == at(5)
    assert look_at(Seen(()), [], [Span(B, at(0), at(400))], RULE, at(9)).next_at == at(9) + LOOK_AGAIN


def person(user: UUID) -> Person:
    """Make somebody to page."""
    return Person(user, "值班室")


def test_an_unsigned_hand_over_climbs_level_by_level() -> None:
    """Both sides each time; each half hour one more level above, a vacant one passed over; at the top no further."""
    desk = Desk("990101101", "flood-duty")
    one = Unsigned(desk, (person(A),), (person(B),), at(0), 0, 0)
    roster = Roster({Desk("990101", ""): (person(C),), Desk("99", ""): (person(D),)})
    first = remind(one, roster, RULE, at(0.25))
    assert [each.user for each in (*first.both, *first.above)] == [A, B]
    assert first.next_at == at(0.5)
    county = remind(one, roster, RULE, at(0.5))
    assert ([each.user for each in county.above], county.climbed) == ([C], 1)
    city = remind(Unsigned(desk, (), (person(B),), at(0), 3, 1), roster, RULE, at(1))
    assert ([each.user for each in city.above], city.climbed) == ([D], 3)
    top = remind(Unsigned(desk, (), (person(B),), at(0), 9, 3), roster, RULE, at(5))
    assert (top.above, top.climbed, [each.user for each in top.both]) == ((), 3, [B])
    province = Unsigned(Desk("99", ""), (person(A),), (person(D),), at(0), 5, 0)
    assert remind(province, roster, RULE, at(9)).above == ()
