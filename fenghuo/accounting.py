"""Proves what became of every accepted input, from broker and database alone: in effect, rejected, or lost."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.clock import EPOCH
from domain.codec import decode
from domain.errors import InvalidInput
from domain.identity import reading_id
from domain.topics import BULLETINS, READINGS, REJECTED, REPORTS, TICKETS, TOPICS
from fenghuo.topic_reading import read_to_end
from responders.store import Store
from streams.packing import unpack

MINUTE_MICROSECONDS = 60_000_000


@dataclass(slots=True)
class Accepted:
    """What stands on the feed topics; readings as sorted distinct pairs of series number and time of observation."""

    names: list[str] = field(default_factory=list)
    series: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    observed: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    ids: set[UUID] = field(default_factory=set)
    rejected_records: int = 0
    rejected_ids: set[UUID] = field(default_factory=set)
    first_ms: int = 0
    last_ms: int = 0

    @property
    def total(self) -> int:
        """Count all distinct inputs."""
        return len(self.series) + len(self.ids)

    @property
    def readings_per_second(self) -> float:
        """Tell how fast readings came onto the broker, by its own time stamps."""
        return len(self.series) / max((self.last_ms - self.first_ms) / 1_000, 0.001)


@dataclass(frozen=True, slots=True)
class Balance:
    """Accepted inputs and what became of them; `lost` must be 0 once everything is worked off."""

    accepted: int
    processed: int
    rejected: int
    lost: int


async def read_accepted(bootstrap: str) -> Accepted:
    """Read all feed topics back."""
    accepted = Accepted()
    known: dict[str, int] = {}
    rows: list[NDArray[np.int64]] = []
    times: list[NDArray[np.int64]] = []
    rejected: set[UUID] = set()
    async for message in read_to_end(bootstrap, READINGS, TICKETS, REPORTS, BULLETINS, REJECTED):
        try:
            if message.topic == READINGS.name:
                pack = unpack(message.value, message.headers, received=message.timestamp * 1_000)
                places = np.array([known.setdefault(name, len(known)) for name in pack.names], np.int64)
                rows.append(places[pack.index])
                times.append(pack.observed)
                accepted.first_ms = min(accepted.first_ms or message.timestamp, message.timestamp)
                accepted.last_ms = max(accepted.last_ms, message.timestamp)
                continue
            record = decode(TOPICS[message.topic], message.value, message.headers)
        except InvalidInput:
            continue  # a stage has set it aside: it stands on feed.rejected, or is missed there by another count
        if message.topic == REJECTED.name:
            rejected.add(record.id)
            accepted.rejected_ids.update(record.ids)
        else:
            accepted.ids.add(record.id)
    accepted.names = list(known)
    accepted.rejected_records = len(rejected)
    if rows:
        accepted.series, accepted.observed = _distinct(np.concatenate(rows), np.concatenate(times))
    return accepted


def _distinct(
    series: NDArray[np.int64], observed: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    order = np.lexsort((observed, series))
    series, observed = series[order], observed[order]
    new = np.ones(len(series), np.bool_)
    new[1:] = (np.diff(series) != 0) | (np.diff(observed) != 0)
    return series[new], observed[new]


async def balance(accepted: Accepted, store: Store) -> Balance:
    """Compare what was accepted with what the database has."""
    return weigh(accepted, await store.stored_readings(), await store.stored_ids())


def weigh(accepted: Accepted, minutes: Mapping[tuple[str, int], int], stored: set[UUID]) -> Balance:
    """Find what is neither in effect nor rejected; pure."""
    other = {one for one in accepted.ids if one not in stored and one not in accepted.rejected_ids}
    missing, rejected = _missing_readings(accepted, minutes)
    rejected_calls = len(accepted.ids & accepted.rejected_ids)
    lost = missing + len(other)
    turned_away = rejected + rejected_calls
    return Balance(
        accepted=accepted.total,
        processed=accepted.total - lost - turned_away,
        rejected=accepted.rejected_records,
        lost=lost,
    )


def _missing_readings(accepted: Accepted, minutes: Mapping[tuple[str, int], int]) -> tuple[int, int]:
    """Count readings that are neither in a roll-up nor rejected, and those that were rejected, minute by minute."""
    if not len(accepted.series):
        return 0, 0
    minute = accepted.observed // MINUTE_MICROSECONDS
    starts = np.flatnonzero(np.r_[True, (np.diff(accepted.series) != 0) | (np.diff(minute) != 0)])
    counts = np.diff(np.r_[starts, len(minute)])
    lost = rejected = 0
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        name = accepted.names[accepted.series[start]]
        gap = count - minutes.get((name, int(minute[start])), 0)
        if gap > 0:
            turned_away = sum(
                one in accepted.rejected_ids for one in _ids(name, accepted.observed[start : start + count])
            )
            rejected += min(gap, turned_away)
            lost += max(0, gap - turned_away)
    return lost, rejected


def _ids(name: str, observed: NDArray[np.int64]) -> Iterable[UUID]:
    return (reading_id(name, EPOCH + timedelta(microseconds=at)) for at in observed.tolist())
