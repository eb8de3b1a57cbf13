"""Routes of MQTT topics are checked as a whole, and what is subscribed to brings each message once."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from config.data import load_data
from config.routes import PayloadKind, Route, check_routes, covers, filters_of, meets
from domain.decode import convert


def told(*routes: Route) -> str:
    """Check routes, and read what is told of them."""
    return "; ".join(map(str, check_routes(routes)))


def test_the_shipped_routes_take_one_value_or_many() -> None:
    """The documented layout: a topic per channel, and a topic per device."""
    routes = load_data().routes
    assert [(route.filter, route.payload) for route in routes] == [
        ("fenghuo/+/+", PayloadKind.VALUE),
        ("fenghuo/+", PayloadKind.CHANNELS),
    ]


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("a/{device}/{channel}", "a/+/+"),
        ("county/+/st-{device}/{channel}", "county/+/+/+"),
        ("{device}/{channel}/#", "+/+/#"),
    ],
)
def test_placeholders_become_wildcards(topic: str, expected: str) -> None:
    """A level with a name in it is subscribed to with a plus."""
    assert Route(topic=topic).filter == expected
    assert not told(Route(topic=topic))


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("", "does not begin with $"),
        ("$SYS/{device}/{channel}", "does not begin with $"),
        ("a/#/{device}/{channel}", "# only at its end"),
        ("a/b+/{device}/{channel}", "stand alone"),
        ("a/{device}{channel}", "where one name ends"),
        ("a/{device}/{channel", "not closed"),
        ("a/{device}/{channel}/{place}", "{place}"),
        ("a/{device}/{device}/{channel}", "{device} twice"),
        ("a/{channel}", "device: must be told once"),
        ("a/{device}", "channel: must be told once"),
    ],
)
def test_a_wrong_topic_is_told(topic: str, reason: str) -> None:
    """Each thing that no MQTT broker, or we, could make sense of."""
    assert reason in told(Route(topic=topic))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"time_zone": "Asia/Nowhere"}, "time_zone: 'Asia/Nowhere' is not"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_format": "epoch"}, "time_format"),
        ({"time_format": "%H:%M"}, "time_format"),
        ({"default_quality": "X"}, "default_quality: must be one of N"),
        ({"qualities": {"ok": "N", "bad": "Z"}}, "qualities.bad"),
        ({"scale": 0.0}, "scale"),
        ({"scale": float("nan")}, "scale"),
        ({"time": "meta..ts"}, "time: 'meta..ts' is no path"),
        ({"value": ""}, "value"),
        ({"items": "data"}, "items"),
        ({"skip": ("rssi",)}, "skip"),
        ({"device": "dev"}, "device: must be told once"),
    ],
)
def test_a_wrong_field_is_told(fields: dict[str, Any], reason: str) -> None:
    """Each field by name, with what it should be."""
    assert reason in told(Route(topic="a/{device}/{channel}", **fields))


def test_good_fields_are_let_through() -> None:
    """A pattern of time, words for qualities, a list with everything inside."""
    assert not told(
        Route(topic="a/{device}/{channel}", time_format="%Y%m%d%H%M%S", qualities={"ok": "N"}, scale=-0.1),
        Route(topic="b", payload=PayloadKind.READINGS, items="data.list", device="d", channel="c"),
        Route(topic="c/#", payload=PayloadKind.IGNORED),
    )


def test_all_faults_come_together() -> None:
    """Two faults of one route and one of another."""
    text = told(
        Route(topic="a/{device}/{channel}", scale=0.0, time_zone="x"),
        Route(topic="b/{device}", payload=PayloadKind.CHANNELS, channel="c"),
    )
    assert "route[0].scale" in text
    assert "route[0].time_zone" in text
    assert "route[1].channel" in text


@pytest.mark.parametrize(
    ("one", "other", "both", "covered"),
    [
        ("a/+", "a/b", True, True),
        ("a/b", "a/+", True, False),
        ("a/#", "a", True, True),
        ("a/#", "a/b/c", True, True),
        ("a/+/c", "a/b/+", True, False),
        ("a/+", "a/b/c", False, False),
        ("a/+", "b/+", False, False),
        ("a/+", "a/#", True, False),
        ("#", "a/+/b", True, True),
        ("a/b/#", "a/+", True, False),
        ("a", "a/b/#", False, False),
    ],
)
def test_filters_meet_and_cover(one: str, other: str, both: bool, covered: bool) -> None:
    """Two filters meet where a topic fits both; one covers the other where all of its topics fit."""
    assert meets(one, other) is both
    assert meets(other, one) is both
    assert covers(one, other) is covered


def test_a_message_comes_once() -> None:
    """A filter inside another is not subscribed to; filters that overlap otherwise are a fault."""
    inside = [Route(topic="a/{device}/{channel}"), Route(topic="a/+/status", payload=PayloadKind.IGNORED)]
    assert filters_of(inside) == ["a/+/+"]
    assert not told(*inside)
    across = [Route(topic="a/{device}/{channel}/x"), Route(topic="a/b/{device}/{channel}")]
    assert "a/+/+/x and a/b/+/+ overlap" in told(*across)
    assert "is there twice" in told(inside[0], inside[0])


def test_the_routes_of_the_guide_are_right() -> None:
    """What docs/how-to/connect-mqtt.md offers to copy passes the check, together with the shipped routes."""
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "connect-mqtt.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "[[route]]" in block]
    routes = [convert(Route, entry) for block in blocks for entry in tomllib.loads(block).get("route", [])]
    assert len(routes) >= 3
    assert not told(*routes, *load_data().routes)
