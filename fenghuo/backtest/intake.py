"""What a gateway does with input, without a socket: readings packed by township and minute, texts checked and masked."""

import heapq
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from config.data import Data
from config.sealing import KEY_BYTES, Sealer
from config.settings import Settings
from domain.areas import township_of
from domain.errors import InvalidInput
from domain.inputs import BulletinIn, ReportIn, TicketIn
from domain.levels import Feed
from domain.registry import Source
from domain.topics import READINGS
from fenghuo.backtest.runner import Arrival
from streams.gateway_problems import Refused
from streams.gateway_texts import Desk
from streams.packing import MICROSECOND, ReadingPack, pack, time_of
from streams.places import Places
from streams.producer import Message
from streams.registry import Registry

MINUTE = 60 * MICROSECOND
FEEDS: dict[type[TicketIn | ReportIn | BulletinIn], Feed] = {
    TicketIn: Feed.TICKETS,
    ReportIn: Feed.REPORTS,
    BulletinIn: Feed.BULLETINS,
}


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Readings as columns: `index` into `names`, times in microseconds since 1970 UTC, `quality` as in `Quality`."""

    names: Sequence[str]
    index: NDArray[np.int32]
    observed: NDArray[np.int64]
    values: NDArray[np.float64]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.index)


class TextIntake:
    """Takes tickets, reports and bulletins as the gateway takes them over HTTP."""

    def __init__(self, settings: Settings, data: Data, registry: Registry) -> None:
        """Take the settings, the categories and the registry; personal fields are sealed under a key that nobody keeps."""
        self._desk = Desk(settings, data, registry, Sealer(os.urandom(KEY_BYTES)), Places(registry))

    def take(self, source: str, item: TicketIn | ReportIn | BulletinIn, at: datetime) -> Arrival:
        """Make the message of an item that arrives at a time; InvalidInput with what a gateway would refuse it for."""
        body = bytearray(msgspec.json.encode(item))
        sender = Source(slug=source, token_sha256="0" * 64, feeds=tuple(Feed), area="")
        try:
            accepted = self._desk.take(FEEDS[type(item)], body, sender, at, lines=False)
        except Refused as error:
            raise InvalidInput(error.faults) from error
        return Arrival(at, accepted.messages[0])


def arrivals_of(readings: Columns, townships: Sequence[str]) -> Iterator[Arrival]:
    """Pack readings as a gateway would, those of a township and a minute together; `townships` is by name.

    They arrive when the newest of their minute was observed. Readings of one instant keep their order.
    """
    if len(readings) == 0:
        return
    keys = sorted({*townships})
    numbers = {key: number for number, key in enumerate(keys)}
    home = np.array([numbers[township] for township in townships], np.int32)[readings.index]
    minutes = readings.observed // MINUTE
    order = np.lexsort((readings.observed, home, minutes))
    home, minutes, observed = home[order], minutes[order], readings.observed[order]
    begins = np.flatnonzero(np.diff(minutes, prepend=-1) | np.diff(home, prepend=-1))
    ends = np.append(begins[1:], len(order))
    minute_begins = np.flatnonzero(np.diff(minutes, prepend=-1))
    newest = dict(
        zip(
            minutes[minute_begins].tolist(),
            np.maximum.reduceat(observed, minute_begins).tolist(),
            strict=True,
        )
    )
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        rows = order[begin:end]
        at = newest[int(minutes[begin])]
        yield pack_of(readings, rows, keys[int(home[begin])], at)


def pack_of(readings: Columns, rows: NDArray[np.intp], township: str, at: int) -> Arrival:
    """Pack some readings of one township that arrive together (`at` in microseconds)."""
    named, index = np.unique(readings.index[rows], return_inverse=True)
    value, headers = pack(
        ReadingPack(
            names=[readings.names[name] for name in named.tolist()],
            index=index.astype(np.int32),
            observed=readings.observed[rows],
            values=readings.values[rows],
            quality=readings.quality[rows],
            received=at,
        )
    )
    return Arrival(time_of(at), Message(READINGS.name, township.encode(), value, headers))


def merged(*feeds: Iterable[Arrival]) -> Iterator[Arrival]:
    """Merge feeds that are in order of time each; of one instant those of an earlier feed come first."""
    return heapq.merge(*feeds, key=lambda arrival: arrival.at)


def townships_of(areas: Iterable[str]) -> list[str]:
    """Name the township of each area."""
    return [township_of(area) for area in areas]
