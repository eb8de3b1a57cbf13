"""Simulated officers decide once about each alert that reaches people, by the truth, after some time."""

from datetime import timedelta

import pytest
from backtest_world import FAIR, LEAK, version

from domain.codec import decode
from domain.findings import HeldBack
from domain.incidents import Verdict
from domain.topics import DISPOSITIONS
from fenghuo.backtest.officers import DECIDE, Officers
from fenghuo.demo.county import START


def verdicts(officers: Officers, minutes: float) -> list[Verdict]:
    """What is decided by so many minutes after the start."""
    due = officers.due(START + timedelta(minutes=minutes))
    return [decode(DISPOSITIONS, one.message.value, one.message.headers).verdict for one in due]


@pytest.mark.parametrize(
    ("minutes", "place", "verdict"), [(620, "990101101", Verdict.TRUE), (620, "990101109", Verdict.FALSE)]
)
def test_a_verdict_follows_the_truth(minutes: float, place: str, verdict: Verdict) -> None:
    """Some time after the alert, and once however often it changes."""
    officers = Officers((LEAK, FAIR), START)
    officers.hear(version(minutes, place=place))
    officers.hear(version(minutes + 5, place=place, number=2, opened=minutes))
    wait = DECIDE / timedelta(minutes=1)
    assert verdicts(officers, minutes + wait - 1) == []
    assert verdicts(officers, minutes + wait) == [verdict]
    assert verdicts(officers, minutes + 10 * wait) == []


def test_what_was_held_back_is_decided_when_it_is_let_go() -> None:
    """Nobody heard of it before."""
    officers = Officers((LEAK,), START)
    officers.hear(version(620, held_back=HeldBack.CHANCE))
    assert verdicts(officers, 5_000) == []
    officers.hear(version(640, number=2, opened=620))
    assert verdicts(officers, 5_000) == [Verdict.TRUE]
