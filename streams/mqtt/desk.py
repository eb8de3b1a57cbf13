"""From a message to the intake: finds its route, reads it, hands readings on and keeps what is refused."""

from collections.abc import Sequence
from typing import Protocol as Shape

from config.metrics import REJECTED
from config.routes import PayloadKind, Route
from domain.errors import Fault
from domain.registry import Protocol
from streams.devices.intake import DeviceIntake
from streams.devices.met import Met, Observation
from streams.gateway_refusals import STAGE
from streams.mqtt.payloads import Item, Problem, Told
from streams.mqtt.topics import Match, Router
from streams.mqtt.values import NAME
from streams.mqtt.window import Letter
from streams.packing import micros
from streams.registry import Registry


class Message(Shape):
    """A message as the client hands it over."""

    @property
    def topic(self) -> object:
        """Tell the topic; its text is what counts."""

    @property
    def payload(self) -> bytes:
        """Tell what was published."""

    @property
    def retain(self) -> bool:
        """Say whether the broker had kept it for new subscribers."""


class Desk:
    """Takes messages. Nothing here waits."""

    def __init__(
        self, routes: Sequence[Route], registry: Registry, intake: DeviceIntake, max_payload_bytes: int
    ) -> None:
        """Take checked routes, what is known of the county, where readings go, and the size that is too much."""
        self._router = Router(routes)
        self._registry = registry
        self._intake = intake
        self._max_payload_bytes = max_payload_bytes

    @property
    def filters(self) -> Sequence[str]:
        """Tell what to subscribe to."""
        return self._router.filters

    def take(self, message: Message, letter: Letter | None) -> None:
        """Take one message; its letter is done when what it says is on the Kafka broker's disk, or refused.

        One without a letter (QoS 0) is left aside while Kafka does not keep up: nobody waits for an answer, and nobody
        would send it again.
        """
        if letter is None and self._intake.is_congested:
            REJECTED.labels(STAGE, str(Protocol.MQTT), "congested").inc()
            return
        match = self._router.find(str(message.topic))
        if match is None:
            # A route that is gone lives on in the session that the MQTT broker keeps for us.
            self._refuse(message, None, [Problem("route", Fault("topic", "is that of no route"))])
        elif (size := len(message.payload)) > self._max_payload_bytes:
            fault = Fault(match.reader.route.topic, f"has {size} bytes, more than mqtt.max_payload_bytes")
            self._refuse(message, match, [Problem("size", fault)])
        elif match.reader.route.payload is PayloadKind.IGNORED:
            REJECTED.labels(STAGE, str(Protocol.MQTT), "ignored").inc()
        else:
            self._read(message, match, letter)
        if letter is not None:
            letter.done(well=True)

    def _read(self, message: Message, match: Match, letter: Letter | None) -> None:
        """Hand on what a payload says, device by device, and refuse what is wrong in it."""
        told = match.reader.read(match.device, match.channel, message.payload)
        now = micros(self._registry.clock.now())
        devices: dict[str, list[Observation]] = {}
        for item in told.items:
            problem = self._problem_of(item, match, retained=message.retain)
            if problem is not None:
                told.problems.append(problem)
                continue
            own = devices.setdefault(item.device, [])
            # Without a time of its own a reading is of now; a list of them stays in order, a microsecond apart.
            at = now + len(own) if item.observed is None else item.observed
            own.append(Observation(item.channel, at, item.value, item.quality))
        for address, observations in devices.items():
            met = self._intake.meet(Protocol.MQTT, address)
            if met is None:
                fault = Fault("device", "is one more than devices.unregistered allows")
                told.problems.append(Problem("too-many-devices", fault))
            else:
                self._intake.put(met, observations, letter.add().done if letter else None)
        if told.problems:
            self._refuse(message, match, told.problems, told)

    def _problem_of(self, item: Item, match: Match, *, retained: bool) -> Problem | None:
        """Find what is wrong with a reading beyond its form."""
        route = match.reader.route
        if retained and item.observed is None:
            fault = Fault(f"{route.topic} {route.time}", "is missing in a retained message: it may be old")
            return Problem("retained", fault)
        if item.unit:
            met = self._intake.meet(Protocol.MQTT, item.device)
            series = self._intake.series(met, item.channel) if met else None
            if series is not None and series.unit != item.unit:
                fault = Fault(f"{route.topic} {route.unit}", f"is not {series.unit}, the unit of {series.id}")
                return Problem("unit", fault)
        return None

    def _refuse(
        self, message: Message, match: Match | None, problems: Sequence[Problem], told: Told | None = None
    ) -> None:
        """Keep what is refused with its topic and its reasons; the first reason counts."""
        self._intake.refuse(
            self._sender(match, told),
            problems[0].reason,
            [problem.fault for problem in problems],
            b"%b\n%b" % (str(message.topic).encode(), message.payload),
            protocol=Protocol.MQTT,
        )

    def _sender(self, match: Match | None, told: Told | None) -> Met | None:
        """Tell whose message it is: by the topic, else by what was read of it."""
        address = match.device if match else ""
        if not address and told and told.items:
            address = told.items[0].device
        return self._intake.meet(Protocol.MQTT, address) if NAME["device"].fullmatch(address) else None
