"""Readings of all devices on their way to the broker: collected for some milliseconds, written together.

A task for each packet would not hold 5,000 packets a second: who waits for a packet leaves a callback.
"""

import asyncio
from collections.abc import Sequence

import numpy as np

from config.metrics import INPUTS, OUTPUTS, REJECTED
from domain.errors import BrokerUnavailable
from domain.levels import Feed
from domain.topics import READINGS
from streams.devices.met import Done
from streams.gateway_packer import Packer
from streams.gateway_readings import Columns
from streams.gateway_refusals import STAGE

MOST_COLLECTED = 20_000
"""Readings that are written at once; more do not wait for company."""
MOST_WAITING = 200_000
"""Readings under way to the broker; beyond, `is_congested`."""


class Collector:
    """Collects readings as columns and writes them through the packer, one batch after the other."""

    def __init__(self, packer: Packer, linger_seconds: float) -> None:
        """Take where to write, and how long readings may wait for company."""
        self._packer = packer
        self._linger_seconds = linger_seconds
        self._batch = _Batch()
        self._timer: asyncio.TimerHandle | None = None
        self._is_due = False
        self._writing: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._inputs = INPUTS.labels(STAGE, Feed.READINGS)
        self._outputs = OUTPUTS.labels(STAGE, READINGS.name)

    @property
    def is_congested(self) -> bool:
        """Say whether more is under way to the broker than should be."""
        return self._waiting > MOST_WAITING

    def add(
        self,
        rows: Sequence[int],
        times: Sequence[int],
        values: Sequence[float],
        qualities: Sequence[int],
        done: Done | None,
        now: int,
    ) -> None:
        """Collect the readings of one packet, as columns of one length; rows are the catalog's, times microseconds."""
        batch = self._batch
        batch.rows += rows
        batch.observed += times
        batch.values += values
        batch.quality += qualities
        if done is not None:
            batch.done.append(done)
        self._waiting += len(rows)
        batch.received = batch.received or now
        if len(batch.rows) >= MOST_COLLECTED:
            self._flush()
        elif self._timer is None and not self._is_due:
            self._timer = asyncio.get_running_loop().call_later(self._linger_seconds, self._be_due)

    async def close(self) -> None:
        """Write what was collected, and wait until it is known what became of it."""
        self._flush()
        while self._writing:
            await asyncio.gather(*self._writing)

    def _be_due(self) -> None:
        """Write what was collected, after what is being written: the more there is to do, the more goes in one message."""
        self._timer = None
        self._is_due = True
        if not self._writing:
            self._flush()

    def _written(self, task: asyncio.Task[None]) -> None:
        self._writing.discard(task)
        if self._is_due and not self._writing:
            self._flush()

    def _flush(self) -> None:
        self._is_due = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch.done or self._batch.rows:
            batch, self._batch = self._batch, _Batch()
            task = asyncio.create_task(self._write(batch), name="device_batch")
            self._writing.add(task)
            task.add_done_callback(self._written)

    async def _write(self, batch: "_Batch") -> None:
        self._inputs.inc(len(batch.rows))
        try:
            if batch.rows:
                await self._packer.add(batch.columns(), batch.received)
        except BrokerUnavailable:
            REJECTED.labels(STAGE, Feed.READINGS, "away").inc(len(batch.rows))
            well = False
        else:
            self._outputs.inc(len(batch.rows))
            well = True
        self._waiting -= len(batch.rows)
        for done in batch.done:
            done(well)


class _Batch:
    """Readings as growing columns, and who waits for them."""

    __slots__ = ("done", "observed", "quality", "received", "rows", "values")

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.observed: list[int] = []
        self.values: list[float] = []
        self.quality: list[int] = []
        self.done: list[Done] = []
        self.received = 0

    def columns(self) -> Columns:
        """Make arrays of it."""
        return Columns(
            np.array(self.rows, np.int32),
            np.array(self.observed, np.int64),
            np.array(self.values, np.float64),
            np.array(self.quality, np.uint8),
            0,
        )
