"""Speed of the gateway's way of a body: parse, check, pack; without network, in one process.

Run `python -m benchmarks.gateway_parse [--json]`: bodies of 1,000 readings of 20,000 series in 12 townships, as JSON list.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from config.settings import BrokerSettings, GatewaySettings
from domain.levels import Feed
from domain.registry import Series, Source
from domain.topics import REGISTRY_SERIES
from streams.gateway_packer import Packer
from streams.gateway_readings import Catalog, parse_readings
from streams.packing import micros
from streams.producer import Message
from streams.registry import Registry

SERIES_COUNT, TOWNSHIPS, BODY, ROUNDS = 20_000, 12, 1_000, 100


class Sink:
    """Takes messages and forgets them."""

    def __init__(self) -> None:
        """Count from nothing."""
        self.count = 0
        self.size = 0

    async def write(self, messages: Sequence[Message]) -> None:
        """Count messages and their bytes."""
        self.count += len(messages)
        self.size += sum(len(message.value) for message in messages)


def make_catalog() -> Catalog:
    """Make a registry of the demo county's size, without a broker."""
    registry = Registry(BrokerSettings(), "bench")
    catalog = Catalog(registry)
    for number in range(SERIES_COUNT):
        series = Series(
            id=f"990101.{number:05d}.w01018",
            name="氨氮",
            quantity="ammonia",
            unit="mg/L",
            area=f"990101{number % TOWNSHIPS + 1:03d}",
            category="water-pollution",
            source="station",
            interval_seconds=60,
        )
        registry._apply(REGISTRY_SERIES.name, series.id.encode(), series)  # noqa: SLF001  # no broker here
    return catalog


def make_bodies(catalog: Catalog, now: datetime) -> list[bytearray]:
    """Make bodies that go round all series; times are of the last minute."""
    return [
        bytearray(
            msgspec.json.encode(
                [
                    {
                        "series": catalog.names[(part * BODY + number) % SERIES_COUNT],
                        "observed_at": (now - timedelta(seconds=number % 60)).isoformat(),
                        "value": round(0.5 + number % 97 / 100, 2),
                    }
                    for number in range(BODY)
                ]
            )
        )
        for part in range(SERIES_COUNT // BODY)
    ]


async def measure() -> dict[str, float]:
    """Measure parsing alone, and parsing and packing; the first round is for warming up."""
    catalog, sink, now = make_catalog(), Sink(), datetime.now(UTC)
    source = Source(slug="station", token_sha256="0" * 64, feeds=(Feed.READINGS,), area="990101")
    settings = GatewaySettings()
    packer = Packer(
        sink,
        catalog,
        partitions=8,
        pack_readings=settings.pack_readings,
        linger_seconds=0.005,
        max_bytes=1_000_000,
    )
    bodies, received = make_bodies(catalog, now), micros(now)

    def parse_all() -> float:
        begun = time.perf_counter()
        for number in range(ROUNDS):
            parse_readings(bodies[number % len(bodies)], catalog, source, received, settings, lines=False)
        return time.perf_counter() - begun

    async def one(number: int) -> None:
        body = bodies[number % len(bodies)]
        await packer.add(parse_readings(body, catalog, source, received, settings, lines=False), received)

    async def take_all() -> float:
        begun = time.perf_counter()
        for first in range(0, ROUNDS, 10):  # ten requests at once
            await asyncio.gather(*(one(first + number) for number in range(10)))
        return time.perf_counter() - begun

    parse_all()
    await take_all()
    sink.count = sink.size = 0
    parsing, taking = parse_all(), await take_all()
    readings = ROUNDS * BODY
    return {
        "parse_readings_per_second": round(readings / parsing),
        "readings_per_second": round(readings / taking),
        "readings_per_message": round(readings / sink.count, 1),
        "bytes_per_reading": round(sink.size / readings, 1),
    }


def main() -> None:
    """Print the figures."""
    figures = asyncio.run(measure())
    if "--json" in sys.argv[1:]:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:>28} {figure:>12,}")


if __name__ == "__main__":
    main()
