"""Readings of many requests packed per township; a request waits for all messages that carry its readings."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from domain.errors import BrokerUnavailable
from domain.topics import READINGS
from streams.gateway_readings import Catalog, Columns
from streams.packing import ReadingPack, pack
from streams.producer import OVERHEAD_BYTES, Message, Writes


@dataclass(eq=False)
class Parcel:
    """A pack that still takes readings; `sent` is done when it is on the broker's disk."""

    township: str
    received: int
    sent: asyncio.Future[None]
    timer: asyncio.TimerHandle | None = None
    pieces: list[Columns] = field(default_factory=list)
    size: int = 0


class Packer:
    """Collects readings per township for at most the linger time, or until a message is full."""

    def __init__(
        self, writer: Writes, catalog: Catalog, *, pack_readings: int, linger_seconds: float, max_bytes: int
    ) -> None:
        """Take where to write, how many readings go into a message and how long they may wait for company."""
        self._writer = writer
        self._catalog = catalog
        self._pack_readings = pack_readings
        self._linger_seconds = linger_seconds
        self._max_bytes = max_bytes - OVERHEAD_BYTES
        self._open: dict[str, Parcel] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def add(self, columns: Columns, received: int) -> None:
        """Pack readings received at a time (microseconds), and wait until the broker has them all.

        BrokerUnavailable when it does not take one of the messages; some may have been written even then.
        """
        waiting: dict[int, asyncio.Future[None]] = {}
        for township, readings in self._by_township(columns):
            start = 0
            while start < len(readings):
                parcel = self._open.get(township) or self._begin(township, received)
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

    def _by_township(self, columns: Columns) -> Iterator[tuple[str, Columns]]:
        places, codes = self._catalog.townships()
        own = places[columns.rows]
        for place in np.unique(own).tolist():
            chosen = np.flatnonzero(own == place)
            yield codes[place], columns if len(chosen) == len(columns) else columns.at(chosen)

    def _begin(self, township: str, received: int) -> Parcel:
        loop = asyncio.get_running_loop()
        parcel = Parcel(township, received, loop.create_future())
        parcel.timer = loop.call_later(self._linger_seconds, self._send, parcel)
        self._open[township] = parcel
        return parcel

    def _send(self, parcel: Parcel) -> None:
        if parcel.timer:
            parcel.timer.cancel()
        if self._open.get(parcel.township) is parcel:
            del self._open[parcel.township]
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
