"""Names of areas and series for the evidence table, read from the registry once a minute at most."""

import asyncio
from collections.abc import Collection
from time import monotonic

from aiohttp import web

from responders.store import Store

FRESH_SECONDS = 60.0


class Names:
    """A small copy of the registry's names; what is not in it is shown by its code."""

    def __init__(self) -> None:
        """Start empty: the first question reads the registry."""
        self._names: dict[str, str] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def of(self, store: Store, wanted: Collection[str]) -> dict[str, str]:
        """Name what is wanted, as far as it is known."""
        async with self._reading:
            if monotonic() - self._read_at > FRESH_SECONDS:
                areas, series = await store.areas(), await store.series()
                self._names = {area.code: area.name for area in areas} | {one.id: one.name for one in series}
                self._read_at = monotonic()
        return {name: self._names[name] for name in wanted if name in self._names}


NAMES = web.AppKey("names", Names)
