"""The offline run says what the stream's desks say, in order of time, and sets aside what they cannot read."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stream_world import COUNTY, START, TOWNSHIPS, pack_of, series_of, ticket_of

from config.data import load_data
from config.settings import Settings
from detectors.words.text import Classifier
from domain.codec import decode
from domain.findings import Alert
from domain.registry import Area
from domain.topics import ALERTS, FINDINGS, REJECTED
from fenghuo.backtest.intake import Columns, arrivals_of, merged
from fenghuo.backtest.runner import Arrival, Offline, play
from streams.packing import micros, unpack
from streams.producer import Message

DATA = load_data()
CLASSIFIER = Classifier(DATA.terms)
AREAS = [Area(code=COUNTY, name="示例县"), *(Area(code=code, name=f"{code}镇") for code in TOWNSHIPS)]


def offline() -> Offline:
    """A county of three river stations."""
    return Offline(Settings(), DATA, AREAS, map(series_of, range(3)), CLASSIFIER)


def arrival(sent: tuple[str, str, bytes, list[tuple[str, bytes]]], minute: int) -> Arrival:
    """What was sent, so many minutes after the start."""
    topic, key, value, headers = sent
    return Arrival(START + timedelta(minutes=minute), Message(topic, key.encode(), value, headers))


def alerts(run: Offline, arrivals: list[Arrival], until: datetime | None = None) -> list[Alert]:
    """All versions of all alerts of a run."""
    return [
        decode(ALERTS, said.message.value, said.message.headers)
        for said in play(run, arrivals, until)
        if said.message.topic == ALERTS.name
    ]


def broken() -> list[Arrival]:
    """A station that breaks its limit from the twentieth minute to the thirtieth."""
    return [arrival(pack_of(0, [minute], high=range(20, 30)), minute) for minute in range(60)]


def test_a_broken_limit_becomes_an_alert_at_the_time_of_its_reading() -> None:
    """Readings go through the detectors and the fusion at once; the limit asks for two readings."""
    found = alerts(offline(), broken())
    first = next(alert for alert in found if alert.category == "water-pollution")
    assert first.opened_at == START + timedelta(minutes=21)
    assert first.place == TOWNSHIPS[0]


def test_time_alone_clears_an_alert() -> None:
    """Nothing comes any more, the hold time passes: the alert is cleared."""
    found = alerts(offline(), broken(), START + timedelta(hours=6))
    assert [alert.change for alert in found if alert.category == "water-pollution"][-1] == "cleared"


def test_two_runs_say_the_same() -> None:
    """Nothing hangs on the machine, the day or the process."""
    feed = [*broken(), arrival(ticket_of(1, "工地拖欠工资，工人要讨薪", TOWNSHIPS[1], 70), 70)]
    assert alerts(offline(), feed) == alerts(offline(), feed)


def test_arrivals_must_not_go_back_in_time() -> None:
    """A caller that forgot to sort is told, not believed."""
    run = offline()
    run.take(arrival(pack_of(0, [5]), 5))
    with pytest.raises(ValueError, match="must be in order of time"):
        run.take(arrival(pack_of(0, [4]), 4))


def test_what_a_desk_cannot_read_is_set_aside() -> None:
    """It becomes a record of `feed.rejected`, as in the stream, and the run goes on."""
    topic, key, _, headers = pack_of(0, [0])
    out = offline().take(Arrival(START, Message(topic, key.encode(), b"?", headers)))
    assert [said.message.topic for said in out] == [REJECTED.name]


minutes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 600), st.integers(-5, 5)), max_size=60)


@given(rows=minutes)
def test_packing_keeps_every_reading_in_order_of_time(rows: list[tuple[int, int, int]]) -> None:
    """A pack holds one township and one minute, arrives with its newest reading, and nothing is lost or doubled."""
    names = ["a", "b", "c", "d"]
    start = micros(datetime(2026, 6, 1, tzinfo=UTC))
    observed = np.array([start + second * 1_000_000 for _, second, _ in rows], np.int64)
    index = np.array([name for name, _, _ in rows], np.int32)
    values = np.array([float(value) for _, _, value in rows])
    columns = Columns(names, index, observed, values, np.zeros(len(rows), np.uint8))
    found = list(arrivals_of(columns, ["990101101", "990101102", "990101101", "990101103"]))
    assert [one.at for one in found] == sorted(one.at for one in found)
    packs = [unpack(one.message.value, one.message.headers) for one in found]
    for one, pack in zip(found, packs, strict=True):
        assert len({*(pack.observed // 60_000_000).tolist()}) == 1
        assert micros(one.at) >= int(pack.observed.max())
        assert (np.diff(pack.observed) >= 0).all()
    told = sorted(
        (pack.names[name], at, value)
        for pack in packs
        for name, at, value in zip(
            pack.index.tolist(), pack.observed.tolist(), pack.values.tolist(), strict=True
        )
    )
    assert told == sorted(
        (names[name], at, value)
        for name, at, value in zip(index.tolist(), observed.tolist(), values.tolist(), strict=True)
    )


def test_feeds_are_merged_by_time() -> None:
    """Of one instant the earlier feed comes first: a reading before the call about it."""
    readings = [arrival(pack_of(0, [minute]), minute) for minute in (1, 3)]
    calls = [arrival(ticket_of(minute, "路灯不亮", TOWNSHIPS[0], minute), minute) for minute in (1, 2)]
    assert [one.message.topic for one in merged(readings, calls)] == [
        "feed.readings", "feed.tickets", "feed.tickets", "feed.readings",
    ]  # fmt: skip


def test_findings_may_be_fused_apart() -> None:
    """Detectors hear nothing of alerts: in two runs, one after the other, they and the fusion say the same."""
    feed = [*broken(), arrival(ticket_of(1, "工地拖欠工资，工人要讨薪", TOWNSHIPS[1], 70), 70)]
    until = START + timedelta(hours=6)
    detectors = Offline(Settings(), DATA, AREAS, map(series_of, range(3)), CLASSIFIER, without=("fusion",))
    findings = [said for said in play(detectors, feed, until) if said.message.topic == FINDINGS.name]
    others = ("readings", "texts", "bulletins")
    fusion = Offline(Settings(), DATA, AREAS, map(series_of, range(3)), CLASSIFIER, without=others)
    assert findings
    assert alerts(fusion, findings, until) == alerts(offline(), feed, until)
