"""Calls of a made-up county for tests of counts: ordinary days, and bursts in one cell."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

START = datetime(2026, 6, 1, 16, tzinfo=UTC)  # midnight in Shanghai
NAMES = UUID(int=1)
Item = tuple[datetime, str, str, UUID]


def history(days: int, per_day: float = 40.0, seed: int = 1) -> list[Item]:
    """Make ordinary days of a county of six townships with five villages each."""
    generator = random.Random(seed)
    items: list[Item] = []
    at = START
    while True:
        at += timedelta(days=generator.expovariate(2 * per_day))
        if at > START + timedelta(days=days):
            return items
        if generator.random() > (0.9 if 8 <= (at.hour + 8) % 24 < 20 else 0.1):
            continue
        area = f"99010110{generator.randrange(6)}00{generator.randrange(5)}001"
        category = generator.choice(["infectious-disease", "noise-complaint", "general-appeal"])
        items.append((at, area, category, uuid5(NAMES, f"{seed}/{len(items)}")))


def burst(begin: timedelta, count: int, *, minutes: float = 10, area: str = "990101103002001") -> list[Item]:
    """Make tickets about fever in one cell, one after another."""
    return [
        (
            START + begin + timedelta(minutes=minutes * n),
            area,
            "infectious-disease",
            uuid5(NAMES, f"burst/{begin}/{n}"),
        )
        for n in range(count)
    ]
