"""Packets become observations of named channels in China's time, with qualities by their flags."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from domain.inputs import Quality
from streams.devices.met import Observation
from streams.hj212.packet import Packet, parse_segment
from streams.hj212.readings import _read_quickly, _read_section, china_time, observations
from streams.packing import micros

VECTORS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("vectors.json").read_text(encoding="utf-8")
)
RIGHT = {vector["source"]: vector["packet"].encode()[6:-4] for vector in VECTORS if vector["crc_ok"]}
AT = micros(datetime(2026, 1, 1, 19, 4, tzinfo=UTC))
"""20260102030400 in China."""
LATER = AT + 60_000_000
GOOD, NOTED, FAULT = Quality.GOOD, Quality.NOTED, Quality.FAULT


def packet(cp: str, cn: str = "2011", notes: tuple[str, ...] = ()) -> Packet:
    """Make a packet of data."""
    return Packet(st="32", cn=cn, mn="010000A8900016F000169DC0", cp=cp, notes=notes)


def read(cp: str, cn: str = "2011") -> list[Observation]:
    """Read a CP in which nothing is wrong."""
    found, faults = observations(packet(f"DataTime=20260102030400;{cp}", cn))
    assert faults == []
    return found


def faults_of(cp: str, cn: str = "2011") -> list[str]:
    """Tell what is wrong with a CP."""
    return [str(fault) for fault in observations(packet(cp, cn))[1]]


def slowly(one: Packet) -> tuple[list[Observation], list[Any]]:
    """Read a packet item by item."""
    found: list[Observation] = []
    faults: list[Any] = []
    _read_section(one, one.cp, found, faults)
    return found, faults


@pytest.mark.parametrize(
    ("source", "count", "first"),
    [
        ("HJ212-2017 AnnexA", 0, None),
        ("HJ212-2025 AnnexA.1", 0, None),
        ("xiaoyao9184 hj-t212-parser H212ParserTest", 3, ("B01", "2016-08-23T16:38:17Z", 36.91, NOTED)),
        ("hj212def.h C++", 0, None),
        ("C# README", 0, None),
        ("CrcUtil.java", 19, ("001.minute.cou", "2015-02-03T14:50:00Z", 0.0, GOOD)),
        ("flash520/hj212 parse_test.go", 11, ("a21004.minute.avg", "2022-05-13T08:26:00Z", 4.0, NOTED)),
        ("php T212", 24, ("a00000.hour.cou", "2024-01-22T09:00:00Z", 19191.973, GOOD)),
        ("python", 1, ("restart", "2020-06-23T04:23:42Z", 1.0, GOOD)),
        ("go e212  zero-CRC placeholder", 11, ("a24088", "2020-04-28T04:03:00Z", 0.0, FAULT)),
        ("tracy4262/hj212 App.java", 8, ("w01001", "2023-08-03T08:55:00Z", 0.0, GOOD)),
        ("java NioSocketProxy", 1, ("40", "2017-08-31T01:45:25Z", 58.0, NOTED)),
        ("java", 0, None),
        ("C hcu", 8, ("PMD", "2012-10-16T16:10:00Z", 0.11, GOOD)),
        ("guocay+hj212-protocol", 7, ("a2106", "2019-10-12T05:37:10Z", 0.036, NOTED)),
        ("chenqi92+alltobs-hj212", 2, ("ele01", "2021-03-04T16:38:17Z", 1.0, NOTED)),
        ("1249993110+IceCoffee.HJ212", 5, ("a34006.hour.avg", "2019-09-24T14:00:00Z", 2.697, NOTED)),
    ],
)
def test_every_vector_measures_what_it_says(
    source: str, count: int, first: tuple[str, str, float, Quality] | None
) -> None:
    """How many observations there are, and which is the first; none has a fault."""
    found, faults = observations(parse_segment(RIGHT[source]))
    assert faults == []
    assert len(found) == count
    if first is not None:
        channel, at, value, quality = first
        assert found[0] == (channel, micros(datetime.fromisoformat(at)), value, quality)


@pytest.mark.parametrize(
    ("cn", "item", "channel"),
    [
        ("2011", "w01018-Rtd", "w01018"),
        ("2011", "a21026-ZsRtd", "a21026.zs"),
        ("2011", "a34011-Ori", "a34011.ori"),
        ("2021", "SB1-RS", "SB1.state"),
        ("2031", "w01018-Cou", "w01018.day.cou"),
        ("2041", "SB1-RT", "SB1.day.runtime"),
        ("2051", "a21026-ZsAvg", "a21026.minute.zsavg"),
        ("2051", "Leq-Data", "Leq.minute.data"),
        ("2061", "w01018-Max", "w01018.hour.max"),
        ("2062", "a21026-Check", "a21026.2062.check"),
    ],
)
def test_channels_have_names(cn: str, item: str, channel: str) -> None:
    """By command and field; read quickly or slowly it is the same."""
    assert read(f"{item}=1.5,x-{item.partition('-')[2]}=2", cn)[0] == (channel, AT, 1.5, GOOD)
    assert read(f"{item}=1.5", cn) == [(channel, AT, 1.5, GOOD)]


@pytest.mark.parametrize(
    ("flag", "quality"),
    [
        ("N", GOOD),
        ("n", GOOD),
        ("F", Quality.STOPPED),
        ("M", Quality.MAINTENANCE),
        ("S", Quality.SET),
        ("D", FAULT),
        ("d", FAULT),
        ("C", Quality.CALIBRATION),
        ("T", Quality.OVER_RANGE),
        ("B", Quality.COMMUNICATION),
        ("P", FAULT),
        ("0", Quality.CALIBRATION),
        ("1", GOOD),
        ("2", FAULT),
        ("3", GOOD),
    ],
)
def test_a_flag_is_a_quality(flag: str, quality: Quality) -> None:
    """Of all editions; it holds for every value of its code, wherever it stands."""
    assert [each.quality for each in read(f"a-Rtd=1,a-ZsRtd=2,a-Flag={flag}")] == [quality] * 2
    assert read(f"a-Flag={flag};a-Rtd=1") == [("a", AT, 1.0, quality)]


def test_without_a_flag_a_value_is_good() -> None:
    """Flows and totals often have none."""
    assert read("B01-Rtd=36.91;011-Rtd=2,011-Flag=D") == [("B01", AT, 36.91, GOOD), ("011", AT, 2.0, FAULT)]


def test_an_unknown_flag_is_told_and_its_value_kept_as_faulty() -> None:
    """Only N may reach detectors."""
    found, faults = observations(packet("DataTime=20260102030400;a-Rtd=1,a-Flag=hp;b-Rtd=2,b-Flag=N"))
    assert found == [("a", AT, 1.0, FAULT), ("b", AT, 2.0, GOOD)]
    assert list(map(str, faults)) == ["a-Flag: 'hp' is no flag of HJ 212: kept as faulty"]


def test_notes_of_a_packet_make_its_values_noted() -> None:
    """Not those that a flag says worse of."""
    one = packet("DataTime=20260102030400;a-Rtd=1,a-Flag=N;b-Rtd=2,b-Flag=D;c-Rtd=3", notes=("mn",))
    assert [each.quality for each in observations(one)[0]] == [NOTED, FAULT, NOTED]
    assert [each.quality for each in observations(structs.replace(one, cp=one.cp + ";d-Rtd=x"))[0]] == [
        NOTED,
        FAULT,
        NOTED,
    ]


def test_a_sample_time_wins() -> None:
    """For its own code; a wrong one is told, and DataTime holds."""
    assert read("a-SampleTime=20260102030500,a-Rtd=1;b-Rtd=2") == [
        ("a", LATER, 1.0, GOOD),
        ("b", AT, 2.0, GOOD),
    ]
    found, faults = observations(packet("DataTime=20260102030400;a-SampleTime=2026,a-Rtd=1"))
    assert found == [("a", AT, 1.0, GOOD)]
    assert list(map(str, faults)) == ["a-SampleTime: is no time such as 20260102030405"]
    assert observations(packet("a-SampleTime=20260102030500,a-Rtd=1"))[0] == [("a", LATER, 1.0, GOOD)]


def test_each_data_time_holds_for_what_follows() -> None:
    """Several records in one packet."""
    cp = "a-Avg=1,a-Flag=N;DataTime=20260102030500;a-Avg=2,a-Flag=D"
    assert read(cp, "2051") == [("a.minute.avg", AT, 1.0, GOOD), ("a.minute.avg", LATER, 2.0, FAULT)]


def test_a_restart_is_an_observation() -> None:
    """Of the moment at which the logger began; a wrong one is told."""
    assert read("RestartTime=20260102030500", "2081") == [("restart", LATER, 1.0, GOOD)]
    assert faults_of("DataTime=20260102030400", "2081") == ["RestartTime: is missing"]


def test_what_is_wrong_is_told_by_field_and_the_rest_is_kept() -> None:
    """Numbers that are none, items that are none, codes that are none."""
    found, faults = observations(
        packet(
            "DataTime=20260102030400;a-Rtd=1;b-Rtd=x;c-Rtd=;d-Rtd=nan;e-Rtd=1_0;f;g=5;温度-Rtd=3;h i-Rtd=4;-Rtd=5;"
            f"{'k' * 33}-Rtd=6;l-9=7;m-Rtd= 8 "
        )
    )
    assert found == [("a", AT, 1.0, GOOD), ("m", AT, 8.0, GOOD)]
    assert [str(fault) for fault in faults] == [
        "f: is no item: it has no =",
        "g: has no field, such as -Rtd, and is no item of its own",
        "温度-Rtd: must be a code of up to 32 of A-Z a-z 0-9 _ . : and a field",
        "h i-Rtd: must be a code of up to 32 of A-Z a-z 0-9 _ . : and a field",
        "-Rtd: must be a code of up to 32 of A-Z a-z 0-9 _ . : and a field",
        f"{'k' * 33}-Rtd: must be a code of up to 32 of A-Z a-z 0-9 _ . : and a field",
        "l-9: must be a code of up to 32 of A-Z a-z 0-9 _ . : and a field",
        "b-Rtd: is not a number",
        "c-Rtd: is empty",
        "d-Rtd: is not a number",
        "e-Rtd: is not a number",
    ]


def test_no_value_under_a_bad_flag_is_no_fault() -> None:
    """An instrument that is broken has nothing to say."""
    assert read("a-Rtd=,a-Flag=D;b-Rtd=2,b-Flag=N") == [("b", AT, 2.0, GOOD)]


@pytest.mark.parametrize(
    "text",
    [
        "2026",
        "20261302030400",
        "20260102250400",
        "2026010203040",
        "2026010203040x",
        "２０２６０１０２０３０４００",
    ],
)
def test_a_time_that_is_none_is_told(text: str) -> None:
    """And nothing can be placed in time."""
    found, faults = observations(packet(f"DataTime={text};a-Rtd=1,a-Flag=N;b-Rtd=2,b-Flag=N"))
    assert found == []
    assert list(map(str, faults)) == ["DataTime: is no time such as 20260102030405"]


def test_a_missing_time_is_told_once() -> None:
    """However many values there are."""
    assert faults_of("a-Rtd=1;b-Rtd=2") == ["DataTime: is missing"]


def test_times_are_chinas() -> None:
    """With milliseconds or without, and no summer time."""
    assert china_time("20260102030400") == AT
    assert china_time("20260702030400123") == micros(datetime(2026, 7, 1, 19, 4, 0, 123_000, tzinfo=UTC))
    assert china_time("") is None


@pytest.mark.parametrize("cn", ["1011", "3020", "9014", "9015"])
def test_other_commands_measure_nothing(cn: str) -> None:
    """Even when their CP looks like data."""
    assert observations(packet("DataTime=20260102030400;a-Rtd=1", cn)) == ([], [])


def test_a_flood_of_faults_is_cut_off() -> None:
    """With the number of those left out."""
    faults = faults_of("DataTime=20260102030400;" + ";".join(["x"] * 3_000))
    assert len(faults) == 1_001
    assert faults[-1] == "CP: has 2000 more faults"


CODES = st.sampled_from(["a21026", "w01018", "B01", "a.b", "a_b", "SB1", "011"])
FIELDS = st.sampled_from(["Rtd", "ZsRtd", "Avg", "Min", "Flag", "EFlag", "SampleTime", "x1"])
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.sampled_from(["N", "D", "n", "1", "-0.5", "nan", "1_0", "", "1e400", "20260102030500", "x"]),
)
ITEMS = st.builds("{}-{}={}".format, CODES, FIELDS, VALUES)
GROUPS = st.lists(ITEMS, min_size=1, max_size=4).map(",".join)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(["2011", "2021", "2051", "2081", "2099"]),
    st.lists(GROUPS, max_size=5).map(";".join),
    st.sampled_from([(), ("mn",)]),
)
def test_reading_quickly_is_reading_slowly(cn: str, groups: str, notes: tuple[str, ...]) -> None:
    """Whenever the quick way answers at all, the slow one says the same and finds no fault."""
    one = packet(f"DataTime=20260102030400;{groups}", cn, notes)
    quick = _read_quickly(one)
    if quick is not None:
        assert (quick, []) == slowly(one)
        assert all(type(each) is Observation for each in quick)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str) -> None:
    """Any CP gives observations and faults, never an error."""
    found, faults = observations(packet(text))
    assert isinstance(found, list)
    assert isinstance(faults, list)


def test_the_usual_packets_are_read_quickly() -> None:
    """What nearly all packets look like does not take the slow way."""
    cp = "DataTime=20260102030400;" + ";".join(
        f"a{number:05d}-Rtd={number}.5,a{number:05d}-Flag=N" for number in range(11)
    )
    assert _read_quickly(packet(cp)) is not None
    for source in ("CrcUtil.java", "flash520/hj212 parse_test.go", "php T212", "1249993110+IceCoffee.HJ212"):
        assert _read_quickly(parse_segment(RIGHT[source])) is not None
