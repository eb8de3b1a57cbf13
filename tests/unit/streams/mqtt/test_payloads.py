"""What payloads say: numbers, objects and lists as devices write them, and nonsense that harms nobody."""

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.routes import PayloadKind, Route, check_routes
from domain.inputs import Quality
from streams.mqtt.payloads import Item, Reader, Told

NOON = 1_782_878_400_000_000
"""2026-07-01 12:00 in Shanghai, in microseconds."""
VALUE = Route(topic="f/{device}/{channel}")
CHANNELS = Route(topic="f/{device}", payload=PayloadKind.CHANNELS)
READINGS = Route(
    topic="up",
    payload=PayloadKind.READINGS,
    items="d.list",
    device="sn",
    channel="k",
    value="v.0",
    time="ts",
    time_format="seconds",
)


def read(route: Route, payload: bytes | str | Any) -> Told:
    """Read a payload of the device `d` and, where the topic says so, the channel `c`."""
    assert not [*check_routes([route])]
    content = payload if isinstance(payload, bytes) else str(payload).encode()
    channel = "c" if "channel" in route.names else ""
    return Reader(route).read("d" if "device" in route.names else "", channel, content)


def only(route: Route, payload: bytes | str) -> Item:
    """Read a payload that tells one reading and nothing else."""
    told = read(route, payload)
    assert not told.problems
    (item,) = told.items
    return item


def wrong(route: Route, payload: bytes | str) -> tuple[str, str]:
    """Read a payload in which one thing is wrong; its reason and sentence."""
    (problem,) = read(route, payload).problems
    return problem.reason, str(problem.fault)


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        ("21.5", 21.5),
        (" 21.5\r\n", 21.5),
        ("+21.5", 21.5),
        ("-0", -0.0),
        ("007", 7.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ('"21.5"', 21.5),
        ('{"value": 21.5}', 21.5),
        ('{"value": "21.5", "more": [1]}', 21.5),
        (b"\xef\xbb\xbf21.5", 21.5),
        (b'\xef\xbb\xbf{"value": 21.5}', 21.5),
        (str(10**30), 1e30),
    ],
)
def test_numbers_as_devices_write_them(payload: bytes | str, value: float) -> None:
    """Plain, signed, padded, in quotes, in an object, after a byte order mark."""
    assert only(VALUE, payload) == Item("d", "c", None, value, Quality.GOOD, "")


@pytest.mark.parametrize(
    ("payload", "reason", "sentence"),
    [
        ("", "payload", "f/{device}/{channel}: is neither a number nor JSON"),
        ("n/a", "payload", "neither a number nor JSON"),
        ("1_000", "payload", "neither"),
        ("nan", "payload", "neither"),
        ("١٢", "payload", "neither"),
        ("0x1F", "payload", "neither"),
        (b"\xff\xfe", "payload", "neither"),
        ("[" * 100_000, "payload", "neither"),
        ("\ufeff" * 20_000, "payload", "neither"),
        ("true", "value", "f/{device}/{channel}: is not a number"),
        ("null", "value", "is not a number"),
        ("[1]", "value", "f/{device}/{channel} value: is missing"),
        ("{}", "value", "f/{device}/{channel} value: is missing"),
        ('{"value": {"x": 1}}', "value", "f/{device}/{channel} value: is not a number"),
        (str(10**400), "value", "beyond any number"),
        ('{"value": 1, "observed_at": "noon"}', "time", "observed_at: is no time of the form iso"),
        ('{"value": 1, "observed_at": 1782878400.5}', "time", "observed_at"),
        ('{"value": 1, "quality": "?"}', "quality", "quality: must be one of N F M S D C T B"),
        ('{"value": 1, "quality": true}', "quality", "quality"),
        ('{"value": 1, "unit": 3}', "unit", "unit: is not text"),
    ],
)
def test_what_cannot_be_taken_has_a_reason_and_a_place(
    payload: bytes | str, reason: str, sentence: str
) -> None:
    """The topic's shape, the field and what is wrong; the payload itself is not repeated."""
    found, text = wrong(VALUE, payload)
    assert found == reason
    assert sentence in text


@pytest.mark.parametrize(
    ("form", "told", "expected"),
    [
        ("iso", "2026-07-01T12:00:00+08:00", NOON),
        ("iso", "2026-07-01T04:00:00Z", NOON),
        ("iso", "2026-07-01 12:00", NOON),
        ("iso", "2026-07-01T12:00:00.250", NOON + 250_000),
        ("iso", 20260701, NOON - 12 * 3_600_000_000),
        ("seconds", NOON // 1_000_000, NOON),
        ("seconds", "1782878400", NOON),
        ("seconds", 1_782_878_400.5, NOON + 500_000),
        ("milliseconds", NOON // 1_000 + 1, NOON + 1_000),
        ("milliseconds", "1782878400001", NOON + 1_000),
        ("%Y%m%d%H%M%S", "20260701120000", NOON),
        ("%Y%m%d%H%M%S", 20260701120000, NOON),
        ("%d.%m.%Y %H:%M %z", "01.07.2026 04:00 +0000", NOON),
        ("iso", None, None),
    ],
)
def test_times_as_devices_write_them(form: str, told: Any, expected: int | None) -> None:
    """With and without a zone, Unix seconds and milliseconds, a pattern; no time is left to the moment of arrival."""
    route = Route(topic="f/{device}/{channel}", time_format=form)
    assert only(route, json.dumps({"value": 1, "observed_at": told})).observed == expected


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("seconds", "noon"),
        ("seconds", 1e300),
        ("seconds", True),
        ("seconds", "9" * 6_000),
        ("milliseconds", -1e30),
        ("milliseconds", []),
        ("%Y%m%d%H%M%S", "2026"),
        ("iso", "0001-01-01T00:00:00+23:00"),
        ("iso", ""),
    ],
)
def test_no_time_is_no_reading(form: str, told: Any) -> None:
    """What is no time is refused, not taken at the moment of arrival."""
    route = Route(topic="f/{device}/{channel}", time_format=form)
    document = json.dumps({"value": 1, "observed_at": told})
    if told == "0001-01-01T00:00:00+23:00":  # a time, if an absurd one: the intake notes it
        assert only(route, document).observed is not None
    else:
        assert wrong(route, document)[0] == "time"


def test_zone_scale_default_and_words_of_quality() -> None:
    """What a route says of its devices."""
    route = Route(
        topic="f/{device}/{channel}",
        time_zone="UTC",
        scale=0.1,
        default_quality="M",
        qualities={"192": "N", "bad": "D"},
    )
    assert only(route, '{"value": 5, "observed_at": "2026-07-01T04:00:00"}').observed == NOON
    assert only(route, "5") == Item("d", "c", None, 0.5, Quality.MAINTENANCE, "")
    assert only(route, '{"value": 5, "quality": 192}').quality is Quality.GOOD
    assert only(route, '{"value": 5, "quality": "bad"}').quality is Quality.FAULT


def test_many_channels_at_one_time() -> None:
    """The payload's own time and quality hold for every channel that does not say otherwise; a wrong one is told alone."""
    told = read(
        CHANNELS,
        '{"observed_at": "2026-07-01T12:00:00", "quality": "M", "ph": 7.1, "unit": "x", '
        '"level": {"value": 0.4, "quality": "N", "observed_at": null, "unit": "m"}, "door": "open", "a b": 1, "x": null}',
    )
    assert told.items == [
        Item("d", "ph", NOON, 7.1, Quality.MAINTENANCE, "x"),
        Item("d", "level", None, 0.4, Quality.GOOD, "m"),
    ]
    assert [(problem.reason, str(problem.fault)) for problem in told.problems] == [
        ("value", "f/{device} door: is not a number"),
        ("channel", "f/{device} a b: is not a short name of letters, digits and . : - _"),
        ("value", "f/{device} x: is not a number"),
    ]
    assert wrong(CHANNELS, "5") == ("payload", "f/{device}: is not an object of channels")


def test_channels_inside_an_envelope_and_keys_that_are_none() -> None:
    """The object may lie deeper, and what a route skips is no reading."""
    route = Route(
        topic="f/{device}",
        payload=PayloadKind.CHANNELS,
        items="data.values",
        time="meta.at",
        skip=("rssi",),
    )
    payload = (
        '{"meta": {"at": "2026-07-01T12:00:00"}, "data": {"values": {"ph": 7, "rssi": "weak", "level": {}}}}'
    )
    told = read(route, payload)
    assert [(item.channel, item.observed) for item in told.items] == [("ph", NOON)]
    assert [str(problem.fault) for problem in told.problems] == [
        "f/{device} data.values.level.value: is missing"
    ]


def test_a_list_of_readings_of_several_devices() -> None:
    """Each item by itself; what it does not say is looked for around the list."""
    seconds = NOON // 1_000_000
    told = read(
        READINGS,
        json.dumps(
            {
                "ts": seconds,
                "d": {
                    "list": [
                        {"sn": "a", "k": "ph", "v": [7]},
                        {"sn": 17, "k": "ph", "v": [8], "ts": seconds + 1},
                        {"k": "ph", "v": [9]},
                        {"sn": "a", "k": "ph", "v": []},
                        5,
                    ]
                },
            }
        ),
    )
    assert told.items == [
        Item("a", "ph", NOON, 7.0, Quality.GOOD, ""),
        Item("17", "ph", NOON + 1_000_000, 8.0, Quality.GOOD, ""),
    ]
    assert [(problem.reason, str(problem.fault)) for problem in told.problems] == [
        ("device", "up d.list[2].sn: is missing"),
        ("value", "up d.list[3].v.0: is missing"),
        ("device", "up d.list[4].sn: is missing"),
    ]
    assert wrong(READINGS, '{"d": {"list": {}}}') == ("payload", "up d.list: is not a list of readings")


def test_names_that_no_registry_could_hold_are_refused() -> None:
    """A topic may hold anything between its slashes."""
    for device, channel, reason in (
        ("x" * 41, "c", "device"),
        ("a b", "c", "device"),
        ("d", "c?", "channel"),
    ):
        told = Reader(VALUE).read(device, channel, b"1")
        assert [problem.reason for problem in told.problems] == [reason]
        assert not told.items
    assert Reader(VALUE).read("水位站-1", "水位", b"1").items


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["value", "observed_at", "quality", "unit", "d", "list", "sn", "k", "v", "ts", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(st.one_of(st.binary(max_size=200), JSON.map(lambda value: json.dumps(value).encode())))
@example(b"\xed\xa0\x80")
@example(b'{"value": 1e999}')
@example(b'"\\ud800"')
def test_no_payload_does_harm(payload: bytes) -> None:
    """Whatever comes is readings or problems, and each reading is something that the intake can judge."""
    for route in (VALUE, CHANNELS, READINGS):
        told = read(route, payload)
        for item in told.items:
            assert isinstance(item.value, float)
            assert item.device
            assert item.channel
            assert item.observed is None or isinstance(item.observed, int)
            assert isinstance(item.quality, Quality)
        for problem in told.problems:
            assert problem.fault.field.startswith(route.topic)
            str(problem.fault).encode("utf-8", "surrogatepass")
        if route is VALUE:
            assert len(told.items) + len(told.problems) == 1


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_through_exactly(value: float) -> None:
    """What a device prints is what is kept."""
    assert only(VALUE, repr(value)).value == value
    assert only(VALUE, msgspec.json.encode({"value": value})).value == value
    assert math.isfinite(value)
