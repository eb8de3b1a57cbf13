"""What a run was worth is reckoned from alerts and truth alone."""

from datetime import timedelta
from uuid import UUID

import pytest
from backtest_world import FAIR, LEAK, version

from domain.findings import Alert, HeldBack
from domain.levels import Level
from fenghuo.backtest.judged import Verdict, judge, lives
from fenghuo.demo.county import START
from fenghuo.demo.truth import Happening


def verdict(*versions: Alert, happenings: tuple[Happening, ...] | None = (LEAK, FAIR)) -> Verdict:
    """Judge a week."""
    until = START + timedelta(days=7)
    return judge(versions, happenings, start=START, judged_from=START, until=until, counties=1)


def test_a_found_event_has_its_lead() -> None:
    """The first alert that touches it counts, against the reference of the truth."""
    told = verdict(version(630), version(700, place="990101101001"))
    assert (told.found, told.probability_of_detection, told.median_lead_minutes) == (1, 1.0, 30.0)
    assert told.load.false == 0


def test_an_event_that_nobody_found_lowers_the_probability() -> None:
    """Nothing is found, so there is no lead."""
    told = verdict()
    assert (told.found, told.probability_of_detection, told.median_lead_minutes) == (0, 0.0, None)


@pytest.mark.parametrize(
    ("alert", "false"),
    [
        (version(5_000), 1),
        (version(5_000, level=Level.BLUE), 0),
        (version(610, category="noise-complaint", place="990101102"), 1),
        (version(-60), 0),
        (version(620, held_back=HeldBack.BUDGET), 0),
    ],
)
def test_false_is_what_is_above_blue_and_explained_by_nothing(alert: Alert, false: int) -> None:
    """A distraction explains nothing unless it is worth an alert; what paged nobody, or came before, is not counted."""
    assert verdict(alert).load.false == false


def test_an_alert_that_was_held_back_at_first_counts_from_when_people_heard() -> None:
    """An event whose only alert nobody saw is not found; when it is let go it is found then."""
    held = version(610, held_back=HeldBack.BUDGET)
    assert verdict(held).found == 0
    assert verdict(held).load.held_back == 1
    told = verdict(held, version(640, number=2, opened=610))
    assert (told.found, told.median_lead_minutes, told.load.held_back) == (1, 20.0, 0)


def test_without_truth_nothing_is_called_false() -> None:
    """The load is told all the same."""
    told = verdict(version(610), happenings=None)
    assert (told.events, told.load.false, told.load.share_true) == (None, None, None)
    assert told.load.above_blue_per_county_week == 1.0


def test_the_gravest_level_of_a_life_counts() -> None:
    """An alert is raised blue, grows, and is cleared."""
    found, _ = lives(
        [
            version(1, level=Level.BLUE),
            version(9, number=2, level=Level.RED, opened=1),
            version(20, number=3, opened=1),
        ]
    )
    assert [(alert.level, alert.opened_at) for alert, _ in found] == [
        (Level.RED, START + timedelta(minutes=1))
    ]
    assert isinstance(found[0][0].id, UUID)
