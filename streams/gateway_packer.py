"""Readings of many requests packed per partition; a request waits for all messages that carry its readings.

A message costs the gateway, the broker and the stream worker about the same whatever it holds, so the readings of all
townships that meet in one partition share one.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.errors import BrokerUnavailable
from domain.topics import READINGS
from streams.gateway_readings import Catalog, Columns
from streams.messages import partition_of
from streams.packing import ReadingPack, pack
from streams.producer import OVERHEAD_BYTES, Message, Writes


@dataclass(eq=False)
class Parcel:
    """A pack that still takes readings; `sent` is done when it is on the broker's disk.

    `township` is that of the first one: the message's key, which leads to the partition of all of them.
    """

    partition: int
    township: str
    received: int
    sent: asyncio.Future[None]
    timer: asyncio.TimerHandle | None = None
    pieces: list[Columns] = field(default_factory=list)
    size: int = 0


class Packer:
    """Collects readings per partition for at most the linger time, or until a message is full."""

    def __init__(
        self,
        writer: Writes,
        catalog: Catalog,
        *,
        partitions: int,
        pack_readings: int,
        linger_seconds: float,
        max_bytes: int,
    ) -> None:
        """Take where to write, how many partitions the topic has, and how many readings go into a message.

        `linger_seconds` is how long they may wait for company.
        """
        self._partitions = partitions
        self._homes: tuple[list[str], NDArray[np.int32]] = ([], np.empty(0, np.int32))
        self._writer = writer
        self._catalog = catalog
        self._pack_readings = pack_readings
        self._linger_seconds = linger_seconds
        self._max_bytes = max_bytes - OVERHEAD_BYTES
        self._open: dict[int, Parcel] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def add(self, columns: Columns, received: int) -> None:
        """Pack readings received at a time (microseconds), and wait until the broker has them all.

        BrokerUnavailable when it does not take one of the messages; some may have been written even then.
        """
        waiting: dict[int, asyncio.Future[None]] = {}
        for partition, township, readings in self._by_partition(columns):
            start = 0
            while start < len(readings):
                parcel = self._open.get(partition) or self._begin(partition, township, received)
                taken = readings.at(slice(start, start + self._pack_readings - parcel.size))
                parcel.pieces.append(taken)
                parcel.size += len(taken)
                parcel.received = min(parcel.received, received)
                waiting[id(parcel)] = parcel.sent
                if parcel.size >= self._pack_readings:
                    self._send(parcel)
                start += len(taken)
        if waiting:
            results = await asyncio.gather(*map(asyncio.shield, waiting.values()), return_exceptions=True)
            if any(isinstance(result, BaseException) for result in results):
                raise BrokerUnavailable

    async def flush(self) -> None:
        """Send what waits for company and wait until all is answered."""
        for parcel in list(self._open.values()):
            self._send(parcel)
        await asyncio.gather(*self._sending)

    def _by_partition(self, columns: Columns) -> Iterator[tuple[int, str, Columns]]:
        places, codes = self._catalog.townships()
        if self._homes[0] is not codes:
            homes = [partition_of(code, self._partitions) for code in codes]
            self._homes = (codes, np.array(homes, np.int32))
        own = places[columns.rows]
        homes_of = self._homes[1][own]
        for partition in np.unique(homes_of).tolist():
            chosen = np.flatnonzero(homes_of == partition)
            readings = columns if len(chosen) == len(columns) else columns.at(chosen)
            yield partition, codes[own[chosen[0]]], readings

    def _begin(self, partition: int, township: str, received: int) -> Parcel:
        loop = asyncio.get_running_loop()
        parcel = Parcel(partition, township, received, loop.create_future())
        parcel.timer = loop.call_later(self._linger_seconds, self._send, parcel)
        self._open[partition] = parcel
        return parcel

    def _send(self, parcel: Parcel) -> None:
        if parcel.timer:
            parcel.timer.cancel()
        if self._open.get(parcel.partition) is parcel:
            del self._open[parcel.partition]
        task = asyncio.create_task(self._write(parcel), name="parcel")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _write(self, parcel: Parcel) -> None:
        try:
            await self._writer.write([*self._messages(parcel)])
        except BrokerUnavailable as error:
            parcel.sent.set_exception(error)
            parcel.sent.exception()  # everybody who waits may have left
        else:
            parcel.sent.set_result(None)

    def _messages(self, parcel: Parcel) -> Iterator[Message]:
        """Make messages of a parcel: one, or more when one would be too large for the broker."""
        rows, index = np.unique(np.concatenate([piece.rows for piece in parcel.pieces]), return_inverse=True)
        readings = ReadingPack(
            names=[self._catalog.names[row] for row in rows.tolist()],
            index=index.astype(np.int32),
            observed=np.concatenate([piece.observed for piece in parcel.pieces]),
            values=np.concatenate([piece.values for piece in parcel.pieces]),
            quality=np.concatenate([piece.quality for piece in parcel.pieces]),
            received=parcel.received,
        )
        yield from self._split(parcel.township.encode(), readings)

    def _split(self, key: bytes, readings: ReadingPack) -> Iterator[Message]:
        value, headers = pack(readings)
        if len(value) <= self._max_bytes or len(readings) == 1:
            yield Message(READINGS.name, key, value, headers)
            return
        middle = len(readings) // 2
        for part in (slice(0, middle), slice(middle, None)):
            used, index = np.unique(readings.index[part], return_inverse=True)
            yield from self._split(
                key,
                ReadingPack(
                    names=[readings.names[place] for place in used.tolist()],
                    index=index.astype(np.int32),
                    observed=readings.observed[part],
                    values=readings.values[part],
                    quality=readings.quality[part],
                    received=readings.received,
                ),
            )
