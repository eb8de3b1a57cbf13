"""Snapshots survive a crash between any two of their records, and late writers."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.checkpoint import BLOCK_BYTES, INLINE_BYTES, Records, Snapshot, Writer, find

PLACE = "readings/3"


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that do not compress."""
    return random.Random(seed).randbytes(size)


def apply(changelog: dict[bytes, bytes], records: Records) -> None:
    """Keep the newest record per key, as a compacted topic does."""
    for key, value in records:
        if value is None:
            changelog.pop(key, None)
        else:
            changelog[key] = value


def write(
    changelog: dict[bytes, bytes], writer: Writer, offsets: dict[str, int], pieces: dict[str, bytes]
) -> None:
    """Write a whole snapshot."""
    for step in writer.cut(Snapshot(offsets, pieces)):
        apply(changelog, step)


def read(changelog: dict[bytes, bytes]) -> tuple[dict[str, int], dict[str, bytes]] | None:
    """Read the newest snapshot."""
    found, _ = find(PLACE, changelog, 1)
    return None if found is None else (found.offsets, found.pieces)


def test_small_state_is_one_record() -> None:
    """A small state is written as one record, so that nothing can come between its parts."""
    changelog: dict[bytes, bytes] = {}
    _, writer = find(PLACE, changelog, 1)
    blocks, head, stale = writer.cut(Snapshot({"feed.readings": 7}, {"a": b"alpha", "b": b""}))
    assert (blocks, len(head), stale) == ([], 1, [])
    apply(changelog, head)
    assert read(changelog) == ({"feed.readings": 7}, {"a": b"alpha", "b": b""})


def test_pieces_that_did_not_change_stay() -> None:
    """A snapshot of the changed pieces alone keeps the others."""
    changelog: dict[bytes, bytes] = {}
    _, writer = find(PLACE, changelog, 1)
    write(changelog, writer, {"t": 1}, {"a": b"1", "b": b"1"})
    write(changelog, writer, {"t": 2}, {"b": b"2"})
    assert read(changelog) == ({"t": 2}, {"a": b"1", "b": b"2"})


def test_large_state_writes_only_changed_blocks() -> None:
    """Of a large state only the blocks that changed are written again."""
    changelog: dict[bytes, bytes] = {}
    _, writer = find(PLACE, changelog, 1)
    state = bytearray(noise(10 * BLOCK_BYTES))
    write(changelog, writer, {}, {"a": bytes(state), "b": noise(5)})
    state[3 * BLOCK_BYTES] ^= 1
    blocks, head, _ = writer.cut(Snapshot({}, {"a": bytes(state)}))
    assert len(blocks) == 1
    assert all(len(value or b"") < 1.01 * BLOCK_BYTES for _, value in blocks + head)
    apply(changelog, blocks + head)
    assert read(changelog) == ({}, {"a": bytes(state), "b": noise(5)})


@pytest.mark.parametrize("written", range(12))
def test_crash_between_records_leaves_the_old_snapshot(written: int) -> None:
    """However many records were written before a crash, a whole snapshot is found; the new one only with its head."""
    changelog: dict[bytes, bytes] = {}
    _, writer = find(PLACE, changelog, 1)
    old, new = {"a": noise(10 * BLOCK_BYTES, 1)}, {"a": noise(10 * BLOCK_BYTES, 2)}
    write(changelog, writer, {"t": 1}, {"a": noise(10 * BLOCK_BYTES, 0)})
    write(changelog, writer, {"t": 2}, old)
    blocks, head, _ = writer.cut(Snapshot({"t": 3}, new))
    apply(changelog, (blocks + head)[:written])
    assert read(changelog) == (({"t": 3}, new) if written == 11 else ({"t": 2}, old))


def test_next_owner_takes_over_and_cleans_up() -> None:
    """The next owner finds the state, writes it under its own keys and removes those of the one before."""
    changelog: dict[bytes, bytes] = {}
    _, first = find(PLACE, changelog, 1)
    state = {"a": noise(3 * BLOCK_BYTES), "b": b"small"}
    write(changelog, first, {"t": 9}, state)
    found, second = find(PLACE, changelog, 2)
    assert found is not None
    assert (found.offsets, found.pieces) == ({"t": 9}, state)
    write(changelog, second, {"t": 10}, {"b": b"other"})
    assert all(second.name.encode() in key for key in changelog)
    assert read(changelog) == ({"t": 10}, state | {"b": b"other"})


def test_late_writer_cannot_spoil_the_state() -> None:
    """A process that lost the partition and writes all the same does not hide or break its successor's snapshot."""
    changelog: dict[bytes, bytes] = {}
    _, old = find(PLACE, changelog, 1)
    write(changelog, old, {"t": 1}, {"a": noise(3 * BLOCK_BYTES, 1)})
    _, new = find(PLACE, changelog, 2)
    write(changelog, new, {"t": 5}, {"a": noise(3 * BLOCK_BYTES, 2)})
    for number in range(3):
        write(changelog, old, {"t": 2}, {"a": noise(3 * BLOCK_BYTES, 3 + number)})
    assert read(changelog) == ({"t": 5}, {"a": noise(3 * BLOCK_BYTES, 2)})


def test_later_generation_wins_between_equals() -> None:
    """Of two owners that began from the same snapshot, the one of the later rebalance counts."""
    changelog: dict[bytes, bytes] = {}
    _, zombie = find(PLACE, changelog, 4)
    _, owner = find(PLACE, changelog, 5)
    write(changelog, owner, {"t": 8}, {"a": b"owner"})
    write(changelog, zombie, {"t": 3}, {"a": b"zombie"})
    write(changelog, zombie, {"t": 4}, {"a": b"zombie"})
    assert read(changelog) == ({"t": 8}, {"a": b"owner"})


def test_broken_block_is_noticed() -> None:
    """A snapshot whose block is not what the head says is not taken for whole."""
    changelog: dict[bytes, bytes] = {}
    _, writer = find(PLACE, changelog, 1)
    write(changelog, writer, {}, {"a": noise(2 * INLINE_BYTES)})
    block = next(key for key in changelog if not key.endswith(b"/head"))
    changelog[block] = changelog[block][:-9]
    assert read(changelog) is None


def test_places_do_not_meet() -> None:
    """Partition 1 does not see what lies under partition 12 or under another desk."""
    changelog: dict[bytes, bytes] = {}
    for place in ("readings/12", "tickets/1"):
        _, writer = find(place, changelog, 1)
        for step in writer.cut(Snapshot({}, {"a": b"x"})):
            apply(changelog, step)
    assert find("readings/1", changelog, 1)[0] is None


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.integers(0, 4 * BLOCK_BYTES), max_size=3),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_any_history_is_read_back(history: list[dict[str, int]], chance: random.Random) -> None:
    """Whatever grew, shrank or changed hands, the last snapshot is read back as it was."""
    changelog: dict[bytes, bytes] = {}
    _, writer = find(PLACE, changelog, 1)
    state: dict[str, bytes] = {}
    for number, sizes in enumerate(history):
        if chance.random() < 0.3:
            _, writer = find(PLACE, changelog, number)
        pieces = {name: noise(size, chance.randrange(3)) for name, size in sizes.items()}
        state |= pieces
        write(changelog, writer, {"t": number}, pieces)
    assert read(changelog) == ({"t": len(history) - 1}, state)
