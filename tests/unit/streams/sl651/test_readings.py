"""What messages of SL 651 say: published ones, odd ones, and the times of series."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.data import load_data
from domain.errors import InvalidInput
from domain.inputs import Quality
from fenghuo.simulate.sl651_texts import even_text, hour_text, report_text, station_guide
from streams.devices.met import Observation
from streams.packing import micros, time_of
from streams.sl651.elements import (
    BEIJING,
    read_duration,
    read_number,
    read_step,
    read_time,
    write_elements,
    write_number,
    write_time,
)
from streams.sl651.frames import Frame, Framer
from streams.sl651.readings import EVEN, HOURLY, MANUAL, TEST, TIMED, Content, Message, Reader, open_message

VECTORS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("vectors.json").read_text(encoding="utf-8")
)
ELEMENTS = {element.id: element for element in load_data().elements}
READER = Reader(ELEMENTS.values())
AT = datetime(2026, 7, 1, 12, tzinfo=BEIJING)
GUIDE = station_guide("0012345678", "H")


def message_of(hexadecimal: str) -> Message:
    """Take the message out of a published frame."""
    (frame, *_) = Framer().feed(bytes.fromhex(hexadecimal))
    assert isinstance(frame, Frame)
    return open_message(frame.function, frame.text)


def vector(function: str, *, last: bool = False) -> Message:
    """Find a published frame of a function whose checksum is right."""
    found = [one["hex"] for one in VECTORS if one["func"] == function and one["crc_ok"]]
    return message_of(found[-1 if last else 0])


def read(body: bytes, function: int = TIMED, sent: datetime | None = AT) -> Content:
    """Read a body that was sent at a time."""
    return READER.read(Message(function, 1, micros(sent) if sent else None, body))


def values(content: Content) -> dict[str, float]:
    """Take the newest value of each channel."""
    return {one.channel: one.value for one in content.observations}


def times(content: Content, channel: str) -> list[str]:
    """List the times of a channel, in Beijing."""
    return [
        time_of(one.observed).astimezone(BEIJING).strftime("%H:%M")
        for one in content.observations
        if one.channel == channel
    ]


def test_a_published_test_report() -> None:
    """Rain 0.5 mm, total 0.5 mm, level 0.127 m and 11.15 V; marked, since somebody is testing there."""
    message = vector("30")
    content = READER.read(message)
    assert values(content) == {"20": 0.5, "26": 0.5, "39": 0.127, "38": 11.15}
    assert message.serial == 3
    assert {one.quality for one in content.observations} == {Quality.MAINTENANCE}
    assert {time_of(one.observed) for one in content.observations} == {
        datetime(2059, 10, 11, 15, 49, tzinfo=BEIJING)
    }


def test_a_published_alarm_report() -> None:
    """Level, rain and voltage of an extra report, in good quality, at its minute."""
    content = READER.read(vector("33"))
    assert values(content) == {"20": 4.0, "26": 4.0, "39": 10.49, "38": 11.02}
    assert {one.quality for one in content.observations} == {Quality.GOOD}
    assert times(content, "39") == ["10:22"]


def test_a_published_answer_with_the_rain_of_an_hour() -> None:
    """Five of the twelve values are marked missing; the others lie five minutes apart from the time that is told."""
    content = READER.read(vector("38"))
    assert content.missing == 5
    assert times(content, "f4") == ["10:05", "10:10", "10:15", "10:20", "10:25", "10:55", "11:00"]
    assert [one.value for one in content.observations] == [0.5, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0]


def test_published_hourly_reports_of_two_makers() -> None:
    """One tells the time of the first value, the other that of the last; both write a wrong format before the levels."""
    first, last = READER.read(vector("34", last=True)), READER.read(vector("34"))
    assert times(first, "f5")[::11] == ["12:20", "13:15"]
    assert [one.value for one in first.observations if one.channel == "f5"][-2:] == [27.96, 27.96]
    assert values(first)["39"] == 28.96
    assert times(last, "f5") == ["01:05", "01:10"]
    assert last.missing == 10
    assert values(last)["39"] == 27.3


def test_published_states_phases_and_gaps() -> None:
    """The bits of a state are channels of their own; a level of all FF is missing, what stands beside it is not."""
    state = values(READER.read(vector("46")))
    assert len(state) == 12
    assert {channel for channel, value in state.items() if value} == {"45.pump"}
    assert values(READER.read(vector("44"))) == dict.fromkeys(("70", "71", "72", "73", "74", "75"), 2200.3)
    present = READER.read(vector("37"))
    assert (values(present), present.missing) == ({"20": 0.0, "26": 0.0, "38": 11.43}, 1)


@pytest.mark.parametrize("function", ["36", "39"])
def test_pictures_and_texts_are_no_readings(function: str) -> None:
    """Their bytes are counted, and nothing in them is taken for an element."""
    content = READER.read(vector(function, last=function == "36"))
    assert (content.observations, content.faults) == ([], [])
    assert content.other_bytes > 0


@pytest.mark.parametrize(
    ("data", "decimals", "value"),
    [
        ("00000127", 3, 0.127),
        ("ff000127", 3, -0.127),
        ("ff12", 1, -1.2),
        ("99", 0, 99.0),
        ("ff", 0, None),
        ("ffffffff", 3, None),
        ("aaaa", 1, None),
        ("1105", 2, 11.05),
        ("123456789012", 3, 123456789.012),
    ],
)
def test_numbers(data: str, decimals: int, value: float | None) -> None:
    """Digits, two a byte; FF before them is a minus, and nothing but FF or AA is nothing."""
    assert read_number(bytes.fromhex(data), decimals) == value


@given(st.integers(-999_999, 999_999), st.integers(0, 5))
def test_a_number_that_is_written_is_read_again(digits: int, decimals: int) -> None:
    """Also a negative one, which is a byte longer."""
    value = digits / 10**decimals
    data = write_number(value, 3, decimals)
    assert len(data) == 3 + (value < 0)
    assert read_number(data, decimals) == value


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))  # noqa: DTZ001  # the zone comes below
def test_a_time_that_is_written_is_read_again(naive: datetime) -> None:
    """To the second and to the minute."""
    at = naive.replace(microsecond=0, tzinfo=BEIJING)
    assert read_time(write_time(at, seconds=True)) == micros(at)
    assert read_time(write_time(at, seconds=False)) == micros(at.replace(second=0))


@pytest.mark.parametrize("data", ["260230120000", "261301000000", "2607012400", "ff0701120000", "aaaaaaaaaa"])
def test_what_is_no_time(data: str) -> None:
    """30 February, month 13, hour 24, and digits that are not decimal."""
    assert read_time(bytes.fromhex(data)) is None


def test_steps_and_durations() -> None:
    """A step has days, hours and minutes; a duration hours and minutes."""
    minute = 60_000_000
    assert [read_step(bytes.fromhex(data)) // minute for data in ("000005", "000100", "010000")] == [
        5,
        60,
        1440,
    ]
    for wrong in ("000000", "0005", "0000ff"):
        with pytest.raises(ValueError, match="is no step"):
            read_step(bytes.fromhex(wrong))
    assert read_duration(bytes.fromhex("0130")) == 1.5
    assert read_duration(b"\xff\xff") is None


def test_without_a_time_of_observation_it_is_that_of_sending() -> None:
    """And where neither is a time, none is given: the gateway takes that of arrival."""
    body = GUIDE + bytes.fromhex("392300001000")
    assert read(body).observations == [Observation("39", micros(AT), 1.0)]
    assert read(body, sent=None).observations == [Observation("39", 0, 1.0)]


def test_a_wrong_time_of_observation_is_told() -> None:
    """The values are kept at the time of sending."""
    content = read(GUIDE + bytes.fromhex("f0f02613011200392300001000"))
    assert [str(fault) for fault in content.faults] == ["f0: is no time"]
    assert content.observations == [Observation("39", micros(AT), 1.0)]


@pytest.mark.parametrize(
    ("first", "expected"),
    [(AT - timedelta(minutes=55), ["11:05", "12:00"]), (AT, ["11:05", "12:00"])],
    ids=["first", "last"],
)
def test_values_at_even_steps(first: datetime, expected: list[str]) -> None:
    """One identifier stands for twelve values; the time told is that of the first, or of the last if sent then."""
    level = [1.0 + number / 100 for number in range(12)]
    content = read(GUIDE + even_text(first, "39", level, ELEMENTS["39"]), EVEN)
    assert times(content, "39")[::11] == expected
    assert [one.value for one in content.observations] == level
    assert not content.faults


def test_even_steps_of_several_elements() -> None:
    """A maker that writes one value of each element after the step is understood too."""
    body = GUIDE + bytes.fromhex("f0f02607011200 0418000005 2019000055 392300028960 38121290")
    content = read(body, EVEN)
    assert values(content) == {"20": 5.5, "39": 28.96, "38": 12.9}
    assert {one.observed for one in content.observations} == {micros(AT)}


def test_missing_values_within_even_steps() -> None:
    """They give no reading, and those after them keep their times."""
    content = read(
        GUIDE + even_text(AT - timedelta(minutes=55), "39", [1.0, None, 3.0], ELEMENTS["39"]), EVEN
    )
    assert (times(content, "39"), content.missing) == (["11:05", "11:15"], 1)


def test_an_hour_written_by_our_own_station() -> None:
    """Rain and relative level of the hour, then the present values."""
    rain: list[float | None] = [0.1 * number for number in range(12)]
    text = hour_text(AT, rain, [None] * 11 + [655.34]) + report_text(AT, {"39": 2.5}, ELEMENTS)
    content = read(GUIDE + text, HOURLY)
    assert times(content, "f4")[::11] == ["11:05", "12:00"]
    assert [round(one.value, 1) for one in content.observations][:12] == [
        round(0.1 * number, 1) for number in range(12)
    ]
    assert (times(content, "f5"), content.missing) == (["12:00"], 11)
    assert values(content)["39"] == 2.5


def test_elements_that_nobody_has_named() -> None:
    """They are read by their format, and kept under their identifier; a maker's own stand behind FF."""
    content = read(GUIDE + bytes.fromhex("801a000123 ff14230000 5000"))
    assert values(content) == {"80": 1.23, "ff14": 5.0}


def test_digits_that_are_not_decimal_spoil_one_value_alone() -> None:
    """What stands after it is read, and every such value is told."""
    content = read(GUIDE + bytes.fromhex("39230000b127 2019c00005 38121290"))
    assert values(content) == {"38": 12.9}
    assert [str(fault) for fault in content.faults] == [
        "39: has digits that are not decimal",
        "20: has digits that are not decimal",
    ]


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("39", "39: has no format"),
        ("ff14", "ff14: has no format"),
        ("3923000012", "39: runs past the end"),
        ("3903", "39: has no bytes"),
        ("f0f02607", "f0: runs past the end"),
        ("041800000039230000", "04: is no step of days, hours and minutes"),
    ],
)
def test_what_cannot_be_read_to_its_end(rest: str, told: str) -> None:
    """What came before it is kept."""
    content = read(GUIDE + bytes.fromhex("38121290" + rest))
    assert values(content)["38"] == 12.9
    assert told in [str(fault) for fault in content.faults]


def test_a_text_too_short_for_number_and_time() -> None:
    """Eight bytes are the least."""
    with pytest.raises(InvalidInput, match="text: has 7 bytes"):
        open_message(TIMED, bytes(7))


@given(st.binary(max_size=300), st.sampled_from([TEST, EVEN, TIMED, HOURLY, MANUAL, 0x38, 0x46]))
def test_any_body_is_survived(body: bytes, function: int) -> None:
    """Readings or faults come of it, never an error; and no more readings than bytes and bits allow."""
    content = read(body, function)
    assert len(content.observations) <= 32 * len(body)
    assert read(GUIDE + body, function).missing >= 0


def test_what_cannot_be_written_is_told_at_once() -> None:
    """An element that is no number, one that there is not, and a value too great, each by its name."""
    with pytest.raises(InvalidInput) as caught:
        write_elements({"f4": 1.0, "zz": 1.0, "38": 123.45, "39": 1.0}, ELEMENTS)
    assert [fault.field for fault in caught.value.faults] == ["f4", "zz", "38"]
