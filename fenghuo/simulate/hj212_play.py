"""Plays environmental stations against a running gateway: many at once, with faults where they are asked for."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.errors import InvalidInput, Unavailable
from fenghuo.simulate.hj212_station import HEARTBEAT, HOUR, MINUTE, REAL_TIME, Hj212Station
from fenghuo.simulate.line import Mangle
from fenghuo.simulate.outcome import Outcome
from fenghuo.simulate.playing import Tally, reach

LATE = timedelta(hours=3)
DATA = {"realtime": REAL_TIME, "minute": MINUTE, "hour": HOUR}
KINDS = (*DATA, "heartbeat")
USUAL = {
    "w01001": 7.4,
    "w01003": 18.0,
    "w01009": 7.6,
    "w01010": 19.0,
    "w01014": 410.0,
    "w01018": 14.0,
    "w01019": 2.9,
    "w21003": 0.32,
    "w21011": 0.09,
    "a34004": 32.0,
    "a34002": 58.0,
    "a21026": 12.0,
    "a21004": 27.0,
    "a21005": 0.8,
    "a05024": 85.0,
}
"""What is usual of common pollutants; others walk around 10."""


@dataclass(frozen=True, slots=True)
class Play:
    """What is to be played; `interval_seconds` lie between two packets of a station."""

    host: str
    port: int
    first: str
    stations: int
    count: int
    interval_seconds: float
    kinds: tuple[str, ...]
    codes: tuple[str, ...]
    password: str
    st: str = "21"
    version: int = 2017
    key: bytes | None = None
    is_late: bool = False
    clock_off: timedelta = timedelta(0)
    mangle: Mangle | None = None
    answer_seconds: float = 10.0


class Air:
    """What a station measures, walking at random from what is usual."""

    def __init__(self, mn: str, codes: tuple[str, ...]) -> None:
        """Begin at a place of the station's own, the same each time."""
        self._chance = random.Random(mn)
        self._values = {code: USUAL.get(code, 10.0) * self._chance.uniform(0.9, 1.1) for code in codes}

    def step(self) -> dict[str, float]:
        """Go on by one packet."""
        for code, value in self._values.items():
            self._values[code] = value * (1 + self._chance.gauss(0, 0.005))
        return {code: round(value, 3) for code, value in self._values.items()}


async def play(what: Play, progress: Callable[[int], None]) -> Outcome:
    """Play until every station has sent its packets; Unavailable when the gateway cannot be reached at all."""
    await reach(what.host, what.port, what.answer_seconds)
    tally = Tally()
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(what.stations):
            delay = what.interval_seconds * number / what.stations
            group.create_task(_play_station(what, address_of(what.first, number), delay, tally, progress))
    return tally.outcome(what.stations, time.perf_counter() - began)


def address_of(first: str, number: int) -> str:
    """Count MNs upwards from the first one, in its last hexadecimal digits."""
    head, digits = first[:-6], first[-6:]
    return f"{head}{int(digits, 16) + number:06X}" if number else first


async def _play_station(
    what: Play, mn: str, delay: float, tally: Tally, progress: Callable[[int], None]
) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time() + delay
    air = Air(mn, what.codes)
    async with Hj212Station(
        what.host,
        what.port,
        mn,
        password=what.password,
        st=what.st,
        version=what.version,
        key=what.key,
        answer_seconds=what.answer_seconds,
        patience_seconds=what.answer_seconds,  # one try: a simulation counts what was not answered
        mangle=what.mangle,
    ) as station:
        for number in range(what.count):
            await asyncio.sleep(max(0.0, start + number * what.interval_seconds - loop.time()))
            await _send(what, station, air, what.kinds[number % len(what.kinds)], tally)
            progress(tally.sent)


async def _send(what: Play, station: Hj212Station, air: Air, kind: str, tally: Tally) -> None:
    """Send one packet of a kind, and note what becomes of it."""
    sent = datetime.now(UTC) + what.clock_off
    values = air.step()
    tally.sent += 1
    try:
        if kind == "heartbeat":
            seconds = await station.send(HEARTBEAT, "", sent)
        else:
            at = sent - LATE if what.is_late else sent
            seconds = await station.report(at, values, cn=DATA[kind], sent=sent, resent=what.is_late)
    except (Unavailable, InvalidInput):
        tally.unconfirmed += 1
    else:
        tally.seconds.append(seconds)
