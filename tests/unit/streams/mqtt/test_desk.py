"""A message at the desk: what goes to the intake, what is refused, and when its letter is done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from config.routes import PayloadKind, Route
from domain.clock import Clock
from domain.errors import Fault
from domain.registry import Protocol
from streams.devices.met import Done, Met, Observation
from streams.mqtt.desk import Desk
from streams.mqtt.window import Window
from streams.packing import micros

ROUTES = [
    Route(topic="f/{device}/{channel}"),
    Route(topic="many", payload=PayloadKind.READINGS, device="d", channel="c"),
]


@dataclass
class Message:
    """A message as the client hands it over."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass
class FakeIntake:
    """Keeps what it gets; knows three devices at most."""

    is_congested: bool = False
    put_in: list[tuple[str, list[Observation]]] = field(default_factory=list)
    done: list[Done | None] = field(default_factory=list)
    refused: list[tuple[str | None, str, list[str], bytes]] = field(default_factory=list)
    met: dict[str, Met] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def meet(self, protocol: Protocol, address: str) -> Met | None:
        """Meet a device."""
        if address not in self.met and len(self.met) >= 3:
            return None
        return self.met.setdefault(address, Met(protocol, address))

    def series(self, met: Met, channel: str) -> Any:
        """Find what a channel is registered as."""
        unit = self.units.get(channel)
        return unit and SimpleNamespace(id=channel, unit=unit)

    def put(self, met: Met, observations: Iterable[Observation], done: Done | None = None) -> int:
        """Collect readings."""
        self.put_in.append((met.address, [*observations]))
        self.done.append(done)
        return len(self.put_in[-1][1])

    def refuse(
        self, met: Met | None, reason: str, faults: Sequence[Fault], item: bytes, *, protocol: Protocol
    ) -> None:
        """Keep a refusal."""
        self.refused.append((met and met.address, reason, [*map(str, faults)], item))


class World:
    """A desk between a window and an intake."""

    def __init__(self) -> None:
        """Put it together."""
        self.intake = FakeIntake()
        self.acknowledged: list[int] = []
        self.clock = Clock(factor=1.0)
        registry: Any = SimpleNamespace(clock=self.clock)
        self.desk = Desk(ROUTES, registry, self.intake, 100)  # type: ignore[arg-type]  a fake
        self.window = Window(self.acknowledged.append, lambda: None, lambda seconds: None)

    def take(self, topic: str, payload: str, mid: int = 1, *, retain: bool = False) -> None:
        """Publish with QoS 1."""
        self.desk.take(Message(topic, payload.encode(), retain), self.window.open(mid))


@pytest.fixture
async def world() -> World:
    """Make a world inside a running loop."""
    return World()


async def test_a_reading_is_acknowledged_when_it_is_written(world: World) -> None:
    """Not when it is read; without a time it is of now."""
    before = micros(world.clock.now())
    world.take("f/d/ph", "7")
    ((address, (observation,)),) = world.intake.put_in
    assert (address, observation.channel, observation.value) == ("d", "ph", 7.0)
    assert before <= observation.observed <= micros(world.clock.now())
    assert world.acknowledged == []
    (done,) = world.intake.done
    assert done is not None
    done(True)
    assert world.acknowledged == [1]


async def test_readings_of_two_devices_in_one_message(world: World) -> None:
    """It is acknowledged when both are written; readings without a time keep their order."""
    world.take(
        "many", '[{"d":"a","c":"x","value":1},{"d":"b","c":"x","value":2},{"d":"a","c":"x","value":3}]'
    )
    assert [address for address, _ in world.intake.put_in] == ["a", "b"]
    first, second = world.intake.put_in[0][1]
    assert second.observed == first.observed + 1
    for done in world.intake.done:
        assert done is not None
        assert world.acknowledged == []
        done(True)
    assert world.acknowledged == [1]


@pytest.mark.parametrize(
    ("topic", "payload", "retain", "reason", "sender"),
    [
        ("g/d/ph", "7", False, "route", None),
        ("f/d/ph", "7" * 101, False, "size", "d"),
        ("f/d/ph", "x", False, "payload", "d"),
        ("f/a b/ph", "7", False, "device", None),
        ("f/d/ph", "7", True, "retained", "d"),
        ("f/d/ph", '{"value": 7, "unit": "g/L"}', False, "unit", "d"),
    ],
)
async def test_what_is_refused_is_acknowledged_and_kept(
    world: World, topic: str, payload: str, retain: bool, reason: str, sender: str | None
) -> None:
    """Or it would come for ever; what is kept begins with the topic."""
    world.intake.units["ph"] = "mg/L"
    world.take(topic, payload, retain=retain)
    ((who, why, faults, item),) = world.intake.refused
    assert (who, why) == (sender, reason)
    assert faults
    assert item == f"{topic}\n{payload}".encode()
    assert world.acknowledged == [1]
    assert not world.intake.put_in


async def test_the_right_unit_and_a_retained_message_with_a_time_are_taken(world: World) -> None:
    """A unit of a channel that nobody registered is not judged."""
    world.intake.units["ph"] = "mg/L"
    world.take("f/d/ph", '{"value": 7, "unit": "mg/L"}')
    world.take("f/d/new", '{"value": 7, "unit": "g"}')
    world.take("f/d/ph", '{"value": 7, "observed_at": "2026-07-01T12:00:00"}', retain=True)
    assert len(world.intake.put_in) == 3
    assert not world.intake.refused


async def test_one_stranger_too_many_is_refused(world: World) -> None:
    """The others of the same message are taken."""
    items = ",".join(f'{{"d":"{name}","c":"x","value":1}}' for name in "abcd")
    world.desk._max_payload_bytes = 1_000
    world.take("many", f"[{items}]")
    assert [address for address, _ in world.intake.put_in] == ["a", "b", "c"]
    assert [reason for _, reason, _, _ in world.intake.refused] == ["too-many-devices"]


async def test_without_acknowledgement_congestion_drops(world: World) -> None:
    """QoS 0 is best effort: nobody would send it again, and memory has an end; QoS 1 is bounded by its window."""
    world.desk.take(Message("f/d/ph", b"7"), None)
    world.intake.is_congested = True
    world.desk.take(Message("f/d/ph", b"8"), None)
    world.take("f/d/ph", "9")
    assert [observations[0].value for _, observations in world.intake.put_in] == [7.0, 9.0]
