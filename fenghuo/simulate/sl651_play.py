"""Plays hydrological stations against a running gateway: many at once, with faults where they are asked for."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from config.hydrology import Element
from domain.errors import Unavailable
from fenghuo.simulate.line import Mangle
from fenghuo.simulate.outcome import Outcome, quantile
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


@dataclass(slots=True)
class _Tally:
    seconds: list[float] = field(default_factory=list)
    sent: int = 0
    unconfirmed: int = 0
    unanswered: int = 0


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
    try:
        async with asyncio.timeout(what.confirm_seconds):
            _, writer = await asyncio.open_connection(what.host, what.port)
        writer.close()
    except (OSError, TimeoutError) as error:
        raise Unavailable(f"Nobody listens at {what.host}:{what.port}.") from error
    tally = _Tally()
    began = time.perf_counter()
    addresses = [_address(what.first, number) for number in range(what.stations)]
    async with asyncio.TaskGroup() as group:
        for number, address in enumerate(addresses):
            delay = what.interval_seconds * number / what.stations
            group.create_task(_play_station(what, address, delay, tally, progress))
    p50, p99 = quantile(tally.seconds, 0.5), quantile(tally.seconds, 0.99)
    return Outcome(
        senders=what.stations,
        sent=tally.sent,
        confirmed=len(tally.seconds),
        unconfirmed=tally.unconfirmed,
        unanswered=tally.unanswered,
        confirm_ms_p50=None if p50 is None else round(p50 * 1_000, 1),
        confirm_ms_p99=None if p99 is None else round(p99 * 1_000, 1),
        seconds=round(time.perf_counter() - began, 2),
    )


def garbled(address: str) -> Mangle:
    """Put noise, half a frame and a wrong checksum before what is sent."""
    chance = random.Random(f"garbage {address}")

    def mangle(data: bytes) -> Sequence[bytes]:
        wrong = data[:-1] + bytes([data[-1] ^ 0x5A])
        return [chance.randbytes(chance.randint(1, 40)), data[: len(data) // 2], wrong, data]

    return mangle


def split(data: bytes) -> Sequence[bytes]:
    """Cut what is sent into three pieces that leave one by one."""
    third = max(1, len(data) // 3)
    return [data[:third], data[third : 2 * third], data[2 * third :]]


async def _play_station(
    what: Play, address: str, delay: float, tally: _Tally, progress: Callable[[int], None]
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


async def _send(what: Play, station: Sl651Station, weather: Weather, kind: str, tally: _Tally) -> None:
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
