"""The loop that keeps limits which are stated as an air quality index with the standard in force."""

import asyncio

import structlog

from domain.aqi import AirQuality
from responders.loops import Health, wait_for
from responders.store import Store

log = structlog.get_logger()

FOLLOW_SECONDS = 30.0
"""A new edition comes into force at midnight of the county's time; so soon after it limits are of that edition."""


async def run_limits(store: Store, air: AirQuality, health: Health, stopping: asyncio.Event) -> None:
    """Follow the standard until stopping; a limit that cannot follow is told once."""
    told: set[str] = set()
    while not stopping.is_set():
        followed = await store.register.follow_standard(air)
        if followed.changed:
            log.info("limits_follow_standard", series=len(followed.changed))
        for name in sorted(followed.stuck.keys() - told):
            log.warning("limit_cannot_follow_standard", series=name, fault=followed.stuck[name])
        told = set(followed.stuck)
        health.beat("limits")
        await wait_for(stopping, FOLLOW_SECONDS)
