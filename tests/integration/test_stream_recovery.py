"""Workers die and come back, and the outcome is that of an undisturbed day."""

import asyncio
from pathlib import Path

from stream_world import (
    TOWNSHIPS,
    Outcome,
    Sent,
    broker_of_its_own,
    committed,
    is_worked_off,
    outcome_of,
    pack_of,
    prepare,
    send,
    ticket_of,
    until,
    worker,
)

from domain.topics import READINGS
from fenghuo.topic_reading import end_of

SERIES, HOURS = 24, 5
PER_PACK = 2
PACKS = SERIES * HOURS * 60 // PER_PACK
WAGES = "工地拖欠工资，工人要讨薪"


def a_day() -> list[Sent]:
    """Readings of all series in packs of two minutes, with excursions, and tickets among them."""
    messages: list[Sent] = []
    for minute in range(0, HOURS * 60, PER_PACK):
        for number in range(SERIES):
            begin = 100 + 6 * number
            messages.append(pack_of(number, range(minute, minute + PER_PACK), high=range(begin, begin + 20)))
        if minute % 40 == 0:
            messages.append(ticket_of(minute, WAGES, TOWNSHIPS[minute % 4], minute))
    return messages


async def undisturbed(folder: Path) -> Outcome:
    """Work the day off with one worker that nothing happens to."""
    async with broker_of_its_own(folder / "undisturbed") as bootstrap:
        await prepare(bootstrap, SERIES)
        await send(bootstrap, a_day())
        async with worker(bootstrap, folder, "undisturbed"):
            await until(lambda: is_worked_off(bootstrap))
        return await outcome_of(bootstrap)


async def begun(bootstrap: str, share: float) -> bool:
    """Say whether a share of the readings has been acknowledged."""
    done = sum(
        offset for place, offset in (await committed(bootstrap)).items() if place.topic == READINGS.name
    )
    return done >= share * PACKS


async def test_killed_worker_changes_nothing(tmp_path: Path) -> None:
    """A worker killed twice in the middle leaves the same findings, roll-ups and alerts as one that was left alone."""
    expected = await undisturbed(tmp_path)
    assert len(expected.findings) >= SERIES
    assert sum(row[0] for row in expected.rollups.values()) == SERIES * HOURS * 60
    async with broker_of_its_own(tmp_path / "killed") as bootstrap:
        await prepare(bootstrap, SERIES)
        await send(bootstrap, a_day())
        for share in (0.1, 0.4):
            async with worker(bootstrap, tmp_path, f"killed at {share}") as first:
                await until(lambda share=share: begun(bootstrap, share))  # type: ignore[misc]
                await first.kill()
            assert not await is_worked_off(bootstrap)
        async with worker(bootstrap, tmp_path, "last"):
            await until(lambda: is_worked_off(bootstrap))
        assert (await outcome_of(bootstrap)).differs_from(expected) == []


async def test_two_workers_share_and_take_over(tmp_path: Path) -> None:
    """A second worker takes half of the partitions with their state; when it is killed the first takes them back."""
    expected = await undisturbed(tmp_path)
    day = a_day()
    async with broker_of_its_own(tmp_path / "shared") as bootstrap:
        await prepare(bootstrap, SERIES)
        async with worker(bootstrap, tmp_path, "one"):
            await send(bootstrap, day[: len(day) // 3])
            await until(lambda: is_worked_off(bootstrap))
            async with worker(bootstrap, tmp_path, "two") as second:
                await until(lambda: runs(tmp_path / "two.log"))
                await send(bootstrap, day[len(day) // 3 : 2 * len(day) // 3])
                await until(lambda: begun(bootstrap, 0.4))
                await second.kill()
            await send(bootstrap, day[2 * len(day) // 3 :])
            await until(lambda: is_worked_off(bootstrap))
        ends = await end_of(bootstrap, READINGS)
        assert sum(ends.values()) == PACKS
        assert (await outcome_of(bootstrap)).differs_from(expected) == []


async def runs(log: Path) -> bool:
    """Say whether a worker has got its partitions."""
    return b"stream_runs" in await asyncio.to_thread(log.read_bytes)
