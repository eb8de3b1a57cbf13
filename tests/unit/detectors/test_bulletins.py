"""Warnings that are in force, replaced, cancelled and over; and what they make of other findings while they hold."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from msgspec import structs

from config.data import load_data
from detectors.fusion.bulletins import REMEMBERED, Board, bulletin_findings
from detectors.fusion.fusion import Fusion
from detectors.fusion.levels import level_of
from domain.findings import AlertChange, Finding, FindingState, SubjectKind
from domain.identity import input_id
from domain.inputs import Bulletin, BulletinStatus
from domain.levels import Feed, Level

CATEGORIES = load_data().categories
NOW = datetime(2026, 6, 19, 1, tzinfo=UTC)
INSIDE, OUTSIDE = "990101104", "990101105"


def minutes(number: float) -> datetime:
    """Tell a time after the beginning."""
    return NOW + timedelta(minutes=number)


def warning(name: str = "A.1", minute: float = 0, **changes: object) -> Bulletin:
    """Make a warning of heavy rain for one township, in force for three hours."""
    bulletin = Bulletin(
        id=input_id(Feed.BULLETINS, "weather", name),
        source="weather",
        own_id=name,
        category="flood",
        level=Level.ORANGE,
        areas=(INSIDE,),
        effective_at=minutes(minute),
        expires_at=minutes(minute + 180),
        received_at=minutes(minute),
        headline="暴雨橙色预警",
    )
    return structs.replace(bulletin, **changes)


def cancellation(name: str, *ends: str, minute: float = 60, exercise: bool = False) -> Bulletin:
    """Make a message that only ends others."""
    return warning(
        name,
        minute,
        category=None,
        level=None,
        areas=(),
        supersedes=ends,
        status=BulletinStatus.CANCELLED,
        exercise=exercise,
    )


def said(findings: list[Finding]) -> list[tuple[str, str, FindingState]]:
    """Name what findings tell: of which warning, where, and whether it holds."""
    return [(finding.subject, finding.area, finding.state) for finding in findings]


CONFIRMED, CLEARED = FindingState.CONFIRMED, FindingState.CLEARED


def test_a_cancelled_warning_is_cleared_under_its_own_id() -> None:
    """The cancellation clears the very finding that the warning made, at its own time, and says nothing else."""
    board = Board()
    (posted,) = board.take(warning())
    (cleared,) = board.take(cancellation("C", "A.1"))
    assert cleared.id == posted.id
    assert (cleared.state, cleared.observed_at, cleared.received_at) == (CLEARED, minutes(60), minutes(60))
    assert board.take(cancellation("C", "A.1")) == []


def test_a_cancellation_before_the_beginning_is_the_later_word() -> None:
    """A warning for tomorrow that is cancelled today: the clearing is not older than what it clears."""
    board = Board()
    (posted,) = board.take(warning(minute=1440, received_at=NOW))
    (cleared,) = board.take(cancellation("C", "A.1", minute=5))
    assert cleared.observed_at == posted.observed_at
    fusion = Fusion(CATEGORIES)
    fusion.apply(posted, NOW)
    fusion.apply(cleared, minutes(5))
    assert fusion.tick(minutes(1441)) == []


def test_an_update_takes_the_place_of_all_parts_of_the_message_it_names() -> None:
    """A message that held two warnings is replaced by one that holds one."""
    board = Board()
    board.take(warning("A.1", part_of="A"))
    board.take(warning("A.2", part_of="A", areas=(OUTSIDE,)))
    update = warning("B.1", 30, part_of="B", supersedes=("A",), level=Level.RED)
    assert said(board.take(update)) == [
        ("A.1", INSIDE, CLEARED),
        ("A.2", OUTSIDE, CLEARED),
        ("B.1", INSIDE, CONFIRMED),
    ]
    assert list(board.in_force) == ["B.1"]


def test_parts_of_an_update_that_names_its_own_message_do_not_end_each_other() -> None:
    """Some senders keep the identifier: what was said before ends, what comes together stays, also when sent again."""
    board = Board()
    board.take(warning("A.1000.1", part_of="A"))
    parts = [
        warning(f"A.2000.{part}", 30, part_of="A", supersedes=("A",), areas=(area,))
        for part, area in ((1, INSIDE), (2, OUTSIDE))
    ]
    for part in [*parts, *(structs.replace(part, received_at=minutes(40)) for part in parts)]:
        board.take(part)
    assert list(board.in_force) == ["A.2000.1", "A.2000.2"]


@pytest.mark.parametrize("name", ["A.1", "A"])
def test_what_comes_after_its_own_end_stays_ended(name: str) -> None:
    """Feeds list the newest first: a warning that was cancelled or replaced before it came makes nothing."""
    board = Board()
    board.take(cancellation("C", name, minute=0))
    assert board.take(warning("A.1", 1, part_of="A")) == []
    seen = Board()
    seen.take(warning("A.1", 1, part_of="A"))
    seen.take(cancellation("C", name, minute=2))
    assert seen.take(warning("A.1", 1, part_of="A", received_at=minutes(3))) == []


def test_a_warning_that_was_replaced_is_not_what_a_later_cancellation_ends() -> None:
    """Only what a cancellation names ends: the replacement stays until it is named itself."""
    board = Board()
    board.take(warning("A.1"))
    board.take(warning("B.1", 10, supersedes=("A.1",)))
    assert board.take(cancellation("C", "A.1")) == []
    assert said(board.take(cancellation("D", "B.1"))) == [("B.1", INSIDE, CLEARED)]


def test_the_same_id_with_other_areas_clears_where_it_says_nothing_any_more() -> None:
    """A source that corrects a warning under its own id leaves nothing standing behind."""
    board = Board()
    board.take(warning(areas=(INSIDE, OUTSIDE)))
    again = board.take(warning(areas=(INSIDE,), received_at=minutes(5)))
    assert said(again) == [("A.1", OUTSIDE, CLEARED), ("A.1", INSIDE, CONFIRMED)]


def test_an_exercise_says_nothing_and_ends_nothing() -> None:
    """A rehearsal neither raises nor calls off what is real."""
    board = Board()
    assert board.take(warning("X", exercise=True)) == []
    board.take(warning())
    assert board.take(cancellation("C", "A.1", exercise=True)) == []
    assert list(board.in_force) == ["A.1"]


def test_what_is_long_over_is_forgotten() -> None:
    """A board holds no more than a month after the end."""
    board = Board()
    board.take(warning())
    board.take(warning("B", 1))
    board.take(cancellation("C", "B", minute=2))
    later = (REMEMBERED + timedelta(hours=4)) / timedelta(minutes=1)
    board.take(warning("Z", later))
    assert (list(board.in_force), board.ended) == (["Z"], {})


def rising(area: str, minute: float = 0) -> Finding:
    """Make the finding of water that is unusual once in ten million."""
    name = f"level-{area}"
    return Finding(
        id=uuid5(UUID(int=7), name),
        detector="innovation",
        detector_version=1,
        category="flood",
        subject_kind=SubjectKind.SERIES,
        subject=name,
        area=area,
        feed=Feed.READINGS,
        state=CONFIRMED,
        observed_at=minutes(minute),
        received_at=minutes(minute),
        period_start=NOW,
        observed=3.2,
        expected=1.1,
        unit="m",
        p_value=1e-7,
    )


def levels(fusion: Fusion) -> dict[str, Level]:
    """Tell the level of each place with an open alert."""
    return {place: level for _, _, place, level in fusion.open_alerts()}


def test_a_warning_in_force_lifts_the_same_finding_inside_and_not_outside() -> None:
    """Unusual water is blue; where heavy rain was foretold it is yellow, until the warning expires and the hold is over."""
    fusion = Fusion(CATEGORIES)
    for finding in bulletin_findings(warning(level=Level.BLUE)):
        fusion.apply(finding, NOW)
    for area in (INSIDE, OUTSIDE):
        fusion.apply(rising(area), minutes(1))
    assert levels(fusion) == {INSIDE: Level.YELLOW, OUTSIDE: Level.BLUE}
    fusion.tick(minutes(180))
    hold = CATEGORIES["flood"].hold_minutes
    (alert,) = [alert for alert in fusion.tick(minutes(180 + hold)) if alert.place == INSIDE]
    assert (alert.change, alert.level) == (AlertChange.CHANGED, Level.BLUE)


def test_a_cancelled_warning_lifts_nothing_any_more() -> None:
    """After the cancellation and the hold time the same finding stands where it would stand alone."""
    board, fusion = Board(), Fusion(CATEGORIES)
    for finding in [*board.take(warning(level=Level.BLUE)), rising(INSIDE)]:
        fusion.apply(finding, NOW)
    for finding in board.take(cancellation("C", "A.1", minute=30)):
        fusion.apply(finding, minutes(30))
    hold = CATEGORIES["flood"].hold_minutes
    assert fusion.tick(minutes(29 + hold)) == []
    (alert,) = fusion.tick(minutes(30 + hold))
    assert (alert.change, alert.level) == (AlertChange.CHANGED, Level.BLUE)


@pytest.mark.parametrize(
    ("category", "p_value", "without", "within"),
    [
        ("flood", 1e-6, Level.BLUE, Level.YELLOW),
        ("air-pollution", 1e-6, Level.BLUE, Level.YELLOW),
        ("fire-hazard", 1e-5, Level.BLUE, Level.YELLOW),
        ("geological-hazard", 1e-6, Level.BLUE, Level.YELLOW),
        ("municipal-service", 1e-7, Level.BLUE, Level.YELLOW),
    ],
)
def test_each_category_that_a_warning_prepares_asks_for_less(
    category: str, p_value: float, without: Level, within: Level
) -> None:
    """With a yellow warning around, rarity that is blue by itself is yellow."""
    found = structs.replace(rising(INSIDE), category=category, p_value=p_value)
    (yellow,) = bulletin_findings(warning(category=category, level=Level.YELLOW, areas=("990101",)))
    alone, prepared = (
        level_of(CATEGORIES[category], [found]),
        level_of(CATEGORIES[category], [found], [yellow]),
    )
    assert alone is not None and prepared is not None
    assert (alone[0], prepared[0]) == (without, within)


def test_a_wider_warning_raises_nothing_by_itself() -> None:
    """A red warning for the county is no case of each township where somebody found a trifle."""
    trifle = structs.replace(rising(INSIDE), p_value=0.1)
    (red,) = bulletin_findings(warning(level=Level.RED, areas=("990101",)))
    assert level_of(CATEGORIES["flood"], [trifle], [red]) is None
    assert level_of(CATEGORIES["flood"], [], [red]) is None
