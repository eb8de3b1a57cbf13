"""Simulated officers decide once about each alert that reaches people, by the truth, after some time."""

from datetime import timedelta

import pytest
from backtest_world import FAIR, LEAK, version

from config.data import load_data
from config.settings import Settings
from domain.codec import decode
from domain.findings import HeldBack
from domain.incidents import Verdict
from domain.topics import DISPOSITIONS
from fenghuo.backtest.officers import DECIDE, Officers, play_with
from fenghuo.backtest.runner import Arrival, Offline
from fenghuo.demo.county import START
from streams.producer import Message


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


def test_verdicts_are_in_time_where_nothing_arrives_for_hours() -> None:
    """An alert that time alone brings about, between two arrivals far apart, is decided before the next of them."""
    officers = Officers((LEAK,), START)
    offline = Offline(Settings(), load_data(), (), (), without=("readings", "texts", "bulletins"))
    quiet = [
        Arrival(START + timedelta(hours=hours), Message("other", b"990101", b"", [])) for hours in (0, 30, 60)
    ]
    heard = version(5)
    said = play_with(officers, offline, quiet, START + timedelta(hours=70))
    assert next(said).message.topic == "other"
    officers.hear(heard)
    rest = list(said)
    assert [one.message.topic for one in rest] == ["other", "other"]
    assert verdicts(officers, 10_000) == []
