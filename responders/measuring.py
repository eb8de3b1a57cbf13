"""Figures of response as metrics, renewed now and then: of areas, never of persons."""

import asyncio
from datetime import timedelta

from responders.loops import Health, wait_for
from responders.metrics import RESPONSE_SECONDS, RESPONSE_SHARE
from responders.response import AreaResponse
from responders.store import Store

SPAN = timedelta(days=7)
RENEWED_SECONDS = 300.0
RATES = ("responded", "resolved", "satisfied")
STAGES = ("acknowledge", "arrive", "close")


async def run_figures(store: Store, health: Health, stopping: asyncio.Event) -> None:
    """Renew the metrics of the last seven days until stopping."""
    while not stopping.is_set():
        now = (await store.clock()).now()
        for area in await store.figures.townships(now - SPAN, now):
            show(area)
        health.beat("figures")
        await wait_for(stopping, RENEWED_SECONDS)


def show(area: AreaResponse) -> None:
    """Set an area's metrics; what is not known is left out rather than told as nothing."""
    for name in RATES:
        if (share := getattr(area, name).share) is not None:
            RESPONSE_SHARE.labels(area.area, name).set(share)
    for name in STAGES:
        if (middle := getattr(area, name).middle) is not None:
            RESPONSE_SECONDS.labels(area.area, name).set(middle)
