"""The route of a topic is the most specific one that fits."""

import pytest

from config.routes import PayloadKind, Route
from streams.mqtt import topics as module
from streams.mqtt.topics import Router

ROUTES = [
    Route(topic="a/#", payload=PayloadKind.IGNORED),
    Route(topic="a/{device}/{channel}"),
    Route(topic="a/st-{device}/{channel}", scale=2.0),
    Route(topic="a/+/status", payload=PayloadKind.IGNORED),
    Route(topic="b/{device}.{channel}/#"),
]


@pytest.mark.parametrize(
    ("topic", "route", "device", "channel"),
    [
        ("a/x/ph", "a/{device}/{channel}", "x", "ph"),
        ("a/st-7/ph", "a/st-{device}/{channel}", "7", "ph"),
        ("a/st-/ph", "a/{device}/{channel}", "st-", "ph"),
        ("a/x/status", "a/+/status", "", ""),
        ("a/st-7/status", "a/+/status", "", ""),
        ("a", "a/#", "", ""),
        ("a/x", "a/#", "", ""),
        ("a/x/y/z", "a/#", "", ""),
        ("b/x.ph", "b/{device}.{channel}/#", "x", "ph"),
        ("b/x.y.ph/up/now", "b/{device}.{channel}/#", "x.y", "ph"),
        ("b/x", None, "", ""),
        ("a/x\n/ph", "a/{device}/{channel}", "x\n", "ph"),
        ("ab", None, "", ""),
    ],
)
def test_the_most_specific_route_takes_a_topic(
    topic: str, route: str | None, device: str, channel: str
) -> None:
    """Of two routes that fit, the one with more levels that are written out, then the one with more letters."""
    for _ in range(2):  # found, and remembered
        match = router.find(topic)
        if route is None:
            assert match is None
        else:
            assert match is not None
            assert (match.reader.route.topic, match.device, match.channel) == (route, device, channel)


router = Router(ROUTES)


def test_strange_topics_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered has a bound."""
    monkeypatch.setattr(module, "REMEMBERED", 10)
    small = Router(ROUTES)
    for number in range(100):
        assert small.find(f"strange/{number}") is None
    assert len(small._known) <= 10


def test_it_subscribes_to_what_the_routes_need() -> None:
    """One filter covers the others here."""
    assert router.filters == ["a/#", "b/+/#"]
