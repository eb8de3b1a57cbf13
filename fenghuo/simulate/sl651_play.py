"""Plays hydrological stations against a running gateway: many at once, with faults where they are asked for."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.hydrology import Element
from domain.errors import Unavailable
from fenghuo.simulate.line import Mangle
from fenghuo.simulate.outcome import Outcome
from fenghuo.simulate.playing import Tally, reach
from fenghuo.simulate.sl651_station import Sl651Station
from fenghuo.simulate.sl651_texts import PICTURE_HEAD, STEPS, even_text, hour_text
from streams.sl651.readings import ALARM, EVEN, HOURLY, TEST, TIMED

LATE = timedelta(minutes=30)
PICTURE_BYTES = 12_000
REPORTS = {"timed": TIMED, "hourly": HOURLY, "alarm": ALARM, "test": TEST}
KINDS = (*REPORTS, "even", "picture", "heartbeat")


@dataclass(frozen=True, slots=True)
class Play:
    """What is to be played; `interval_seconds` lie between two messages of a station."""

    host: str
    port: int
    first: str
    stations: int
    count: int
    interval_seconds: float
    kinds: tuple[str, ...]
    password: str
    elements: Mapping[str, Element]
    is_late: bool = False
    mangle: Mangle | None = None
    confirm_seconds: float = 10.0


class Weather:
    """A river and its rain at one station, walking at random from where the station's address puts it."""

    def __init__(self, address: str) -> None:
        """Begin at a place of the address's own, the same each time."""
        self._chance = random.Random(address)
        self.level = self._chance.uniform(1.0, 4.0)
        self.rain = self.total = 0.0

    def step(self) -> dict[str, float | None]:
        """Go on by one report, and tell what a river station measures."""
        self.level = max(0.0, self.level + self._chance.gauss(0, 0.01))
        fallen = self._chance.choice((0.0, 0.0, 0.0, 0.5))
        self.rain += fallen
        self.total += fallen
        return {
            "20": round(self.rain, 1),
            "26": round(self.total, 1),
            "39": round(self.level, 3),
            "38": round(self._chance.uniform(12.2, 12.9), 2),
        }

    def hour(self) -> tuple[list[float | None], list[float | None]]:
        """Tell the rain and the level of the last twelve five minutes."""
        rain: list[float | None] = [self._chance.choice((0.0, 0.5)) for _ in range(STEPS)]
        level: list[float | None] = [
            round(max(0.0, self.level + self._chance.gauss(0, 0.01)), 2) for _ in range(STEPS)
        ]
        return rain, level


async def play(what: Play, progress: Callable[[int], None]) -> Outcome:
    """Play until every station has sent its messages; Unavailable when the gateway cannot be reached at all."""
    await reach(what.host, what.port, what.confirm_seconds)
    tally = Tally()
    began = time.perf_counter()
    addresses = [_address(what.first, number) for number in range(what.stations)]
    async with asyncio.TaskGroup() as group:
        for number, address in enumerate(addresses):
            delay = what.interval_seconds * number / what.stations
            group.create_task(_play_station(what, address, delay, tally, progress))
    return tally.outcome(what.stations, time.perf_counter() - began)


async def _play_station(
    what: Play, address: str, delay: float, tally: Tally, progress: Callable[[int], None]
) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time() + delay
    weather = Weather(address)
    async with Sl651Station(
        what.host,
        what.port,
        address,
        what.elements,
        password=what.password,
        confirm_seconds=what.confirm_seconds,
        patience_seconds=what.confirm_seconds,  # one try: a simulation counts what was not confirmed
        mangle=what.mangle,
    ) as station:
        for number in range(what.count):
            await asyncio.sleep(max(0.0, start + number * what.interval_seconds - loop.time()))
            await _send(what, station, weather, what.kinds[number % len(what.kinds)], tally)
            progress(tally.sent)


async def _send(what: Play, station: Sl651Station, weather: Weather, kind: str, tally: Tally) -> None:
    """Send one message of a kind, and note what becomes of it."""
    sent = datetime.now(UTC)
    at = sent - LATE if what.is_late else sent
    values = weather.step()
    tally.sent += 1
    try:
        match kind:
            case "heartbeat":
                await station.heartbeat(sent)
                tally.unanswered += 1
                return
            case "picture":
                picture = PICTURE_HEAD + bytes(PICTURE_BYTES)
                seconds = await station.picture(sent, picture)
            case "even":
                levels: list[float | None] = [values["39"]] * STEPS
                text = even_text(at - timedelta(minutes=55), "39", levels, what.elements["39"])
                seconds = await station.report(at, {}, function=EVEN, sent=sent, before=text)
            case "hourly":
                before = hour_text(at, *weather.hour())
                seconds = await station.report(at, values, function=HOURLY, sent=sent, before=before)
            case _:
                seconds = await station.report(at, values, function=REPORTS[kind], sent=sent)
    except (Unavailable, OSError, TimeoutError):
        tally.unconfirmed += 1
    else:
        tally.seconds.append(seconds)


def _address(first: str, number: int) -> str:
    """Count addresses upwards from the first one."""
    return f"{int(first) + number:010d}"
