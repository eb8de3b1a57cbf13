"""Snapshots of a partition's state as records of a changelog topic: cut, write, find again. Pure, no Faust here.

A snapshot is a head record and, when it does not fit into that, blocks. Blocks that did not change since the last
snapshot stay where they are. A changed block goes into the other of its two slots, and the head, written last, says which
slot of each block counts: a crash at any point leaves either the old snapshot whole or the new one.

Keys are those of one writer (one process that held the partition for a while) and nobody writes to another's: a process
that was thought dead and wakes up late can only spoil its own, which has a lower epoch and is not looked at.
Compaction keeps the newest record per key, which is all that is needed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from secrets import token_hex

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
import structlog

log = structlog.get_logger(__name__)

BLOCK_BYTES = 256 * 1024
"""Well below the megabyte that brokers take by default, large enough that few records are written."""
VERSION = 1

_codec = pa.Codec("zstd", compression_level=1)
_encoder = msgspec.msgpack.Encoder()

Records = list[tuple[bytes, bytes | None]]
"""Keys with values for the changelog; no value removes the key."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a partition's state was after all messages below `offsets` (next offset by topic)."""

    offsets: dict[str, int]
    state: bytes


class Block(msgspec.Struct, frozen=True, array_like=True):
    """Where a block lies and how to know it: slot, bytes before compression, digest of these."""

    slot: int
    size: int
    digest: bytes


class Head(msgspec.Struct, frozen=True, array_like=True):
    """The record that makes a snapshot count; `inline` holds the only block when there is one and it is small."""

    version: int
    epoch: int
    generation: int
    sequence: int
    offsets: dict[str, int]
    blocks: list[Block]
    inline: bytes | None

    @property
    def rank(self) -> tuple[int, int, int]:
        """Order heads: later owner, then later membership of the group, then later snapshot."""
        return self.epoch, self.generation, self.sequence


@dataclass(slots=True)
class Writer:
    """Cuts the snapshots of one place for as long as this process holds it; remembers what lies in the changelog.

    `stale` are keys of earlier writers, removed once the first snapshot of this one counts.
    """

    place: str
    epoch: int
    generation: int
    stale: Iterable[bytes] = ()
    name: str = field(default_factory=lambda: token_hex(6))
    _sequence: int = 0
    _blocks: list[Block] = field(default_factory=list)

    def cut(self, snapshot: Snapshot) -> tuple[Records, Records, Records]:
        """Make the records of a snapshot: blocks, then the head, then what may be removed once the head counts.

        Each step must be on the broker's disk before the next is sent. Costs a digest of the whole state and the
        compression of what changed; safe to call in another thread as long as nobody else uses this writer.
        """
        state = memoryview(snapshot.state)
        pieces = [state[start : start + BLOCK_BYTES] for start in range(0, len(state), BLOCK_BYTES)]
        blocks: list[Block] = []
        changed: Records = []
        inline = None
        for number, piece in enumerate(pieces):
            before = self._blocks[number] if number < len(self._blocks) else None
            digest = _digest(piece)
            if len(pieces) == 1:
                inline = _compress(piece)
                blocks.append(Block(slot=-1, size=len(piece), digest=digest))
            elif before is not None and before.slot >= 0 and before.digest == digest:
                blocks.append(before)
            else:
                slot = 1 if before is not None and before.slot == 0 else 0
                blocks.append(Block(slot=slot, size=len(piece), digest=digest))
                changed.append((_block_key(self.place, self.name, number, slot), _compress(piece)))
        self._sequence += 1
        head = Head(VERSION, self.epoch, self.generation, self._sequence, snapshot.offsets, blocks, inline)
        stale, self.stale = [(key, None) for key in self.stale], ()
        # An inline snapshot leaves the slots alone, so the blocks of before are forgotten: their next content may go to either.
        self._blocks = blocks
        return changed, [(_head_key(self.place, self.name), _encoder.encode(head))], list(stale)


def find(place: str, records: Mapping[bytes, bytes], generation: int) -> tuple[Snapshot | None, Writer]:
    """Find the newest whole snapshot of a place and make the writer that goes on from there.

    Records are those of the place's partition, in any order; what belongs to other places is not looked at.
    """
    prefix = f"{place}/".encode()
    mine = {key: value for key, value in records.items() if key.startswith(prefix) and value}
    heads: list[tuple[Head, str]] = []
    for key, value in mine.items():
        if key.endswith(b"/head"):
            try:
                heads.append((msgspec.msgpack.decode(value, type=Head), key.decode().split("/")[-2]))
            except (msgspec.DecodeError, UnicodeDecodeError):
                log.error("snapshot_head_unreadable", place=place)
    heads.sort(key=lambda found: found[0].rank, reverse=True)
    epoch = heads[0][0].epoch + 1 if heads else 1
    writer = Writer(place=place, epoch=epoch, generation=generation, stale=tuple(mine))
    for head, name in heads:
        state = _assemble(place, name, head, mine)
        if state is not None:
            return Snapshot(head.offsets, state), writer
        log.error("snapshot_not_whole", place=place, epoch=head.epoch, sequence=head.sequence)
    return None, writer


def _assemble(place: str, name: str, head: Head, records: Mapping[bytes, bytes]) -> bytes | None:
    if head.version != VERSION:
        return None
    pieces = []
    for number, block in enumerate(head.blocks):
        key = _block_key(place, name, number, block.slot)
        packed = head.inline if block.slot < 0 else records.get(key)
        piece = _decompress(packed, block.size) if packed is not None else b""
        if _digest(piece) != block.digest:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _head_key(place: str, writer: str) -> bytes:
    return f"{place}/{writer}/head".encode()


def _block_key(place: str, writer: str, number: int, slot: int) -> bytes:
    return f"{place}/{writer}/{number}/{slot}".encode()


def _digest(piece: bytes | memoryview) -> bytes:
    return blake2b(piece, digest_size=12).digest()


def _compress(piece: memoryview) -> bytes:
    packed: bytes = _codec.compress(piece, asbytes=True)
    return packed


def _decompress(packed: bytes, size: int) -> bytes:
    try:
        piece: bytes = _codec.decompress(packed, size, asbytes=True)
    except (pa.ArrowException, OSError):
        return b""
    return piece
