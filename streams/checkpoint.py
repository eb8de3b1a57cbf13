"""Snapshots of a partition's state as records of a changelog topic: cut, write, find again. Pure, no Faust here.

A state is named pieces, and a desk hands out those that changed. While all of them are small they go into one record, the
head: nothing can come between. Larger ones are cut into blocks. A changed block goes into the other of its two slots, and
the head, written last, says which slot of each block counts: a crash at any point leaves either the old snapshot whole or
the new one.

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
INLINE_BYTES = 192 * 1024
"""As much as a head carries itself, compressed."""
VERSION = 1

_codec = pa.Codec("zstd", compression_level=1)
_encoder = msgspec.msgpack.Encoder()

Pieces = dict[str, bytes]
Records = list[tuple[bytes, bytes | None]]
"""Keys with values for the changelog; no value removes the key."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state after all messages below `offsets` (next offset by topic); to be cut: the pieces that changed."""

    offsets: dict[str, int]
    pieces: Pieces


class Block(msgspec.Struct, frozen=True, array_like=True):
    """How to find and know a block: slot (-1: in the head), bytes before compression, digest of these."""

    slot: int
    size: int
    digest: bytes


class Head(msgspec.Struct, frozen=True, array_like=True):
    """The record that makes a snapshot count; blocks are named by piece and number."""

    version: int
    epoch: int
    generation: int
    sequence: int
    offsets: dict[str, int]
    blocks: dict[str, Block]
    inline: dict[str, bytes]

    @property
    def rank(self) -> tuple[int, int, int]:
        """Order heads: later owner, then later membership of the group, then later snapshot."""
        return self.epoch, self.generation, self.sequence


@dataclass(slots=True)
class Writer:
    """Cuts the snapshots of one place for as long as this process holds it; knows what lies in the changelog.

    `stale` are keys of earlier writers, removed once the first snapshot of this one counts. After a snapshot could not be
    written the writer is of no more use: what the broker has is then unknown.
    """

    place: str
    epoch: int
    generation: int
    stale: Iterable[bytes] = ()
    name: str = field(default_factory=lambda: token_hex(6))
    _sequence: int = 0
    _blocks: dict[str, Block] = field(default_factory=dict)
    _inline: dict[str, bytes] = field(default_factory=dict)

    def cut(self, snapshot: Snapshot) -> tuple[Records, Records, Records]:
        """Make the records of a snapshot: blocks, then the head, then what may be removed once the head counts.

        Each step must be on the broker's disk before the next is sent. Costs the compression of what changed; may be called
        in another thread as long as nobody else uses this writer.
        """
        self._put(snapshot.pieces)
        blocks: Records = []
        if any(block.slot >= 0 for block in self._blocks.values()) or self._inline_bytes() > INLINE_BYTES:
            blocks = [self._lay_down(label, packed) for label, packed in self._inline.items()]
            self._inline = {}
        self._sequence += 1
        head = Head(
            VERSION, self.epoch, self.generation, self._sequence, snapshot.offsets, self._blocks, self._inline
        )
        stale: Records = [(key, None) for key in self.stale]
        self.stale = ()
        return blocks, [(_head_key(self.place, self.name), _encoder.encode(head))], stale

    def adopt(self, head: Head, packed: Mapping[str, bytes]) -> None:
        """Take over what an earlier writer left, to be written under this one's own keys."""
        for label, block in head.blocks.items():
            self._blocks[label] = Block(-1, block.size, block.digest)
            self._inline[label] = packed[label]

    def _put(self, pieces: Mapping[str, bytes]) -> None:
        """Cut pieces into blocks and keep those that differ from what was there."""
        for name, piece in pieces.items():
            view = memoryview(piece)
            count = max(1, -(-len(view) // BLOCK_BYTES))
            for number in range(count):
                part = view[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]
                label, digest = f"{name}#{number}", _digest(part)
                before = self._blocks.get(label)
                if before is None or before.digest != digest:
                    self._blocks[label] = Block(before.slot if before else -1, len(part), digest)
                    self._inline[label] = _compress(part)
            while f"{name}#{count}" in self._blocks:  # the piece has become shorter
                self._blocks.pop(f"{name}#{count}")
                self._inline.pop(f"{name}#{count}", None)
                count += 1

    def _lay_down(self, label: str, packed: bytes) -> tuple[bytes, bytes | None]:
        block = self._blocks[label]
        slot = 1 if block.slot == 0 else 0
        self._blocks[label] = Block(slot, block.size, block.digest)
        return _block_key(self.place, self.name, label, slot), packed

    def _inline_bytes(self) -> int:
        return sum(map(len, self._inline.values()))


def find(place: str, records: Mapping[bytes, bytes], generation: int) -> tuple[Snapshot | None, Writer]:
    """Find the newest whole snapshot of a place, with all its pieces, and make the writer that goes on from there.

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
        packed = {
            label: head.inline.get(label, b"")
            if block.slot < 0
            else mine.get(_block_key(place, name, label, block.slot), b"")
            for label, block in head.blocks.items()
        }
        pieces = _assemble(head, packed)
        if pieces is not None:
            writer.adopt(head, packed)
            return Snapshot(head.offsets, pieces), writer
        log.error("snapshot_not_whole", place=place, epoch=head.epoch, sequence=head.sequence)
    return None, writer


def _assemble(head: Head, packed: Mapping[str, bytes]) -> Pieces | None:
    """Put the pieces together; None when a block is missing or is not what the head says."""
    if head.version != VERSION:
        return None
    parts: dict[str, dict[int, bytes]] = {}
    for label, block in head.blocks.items():
        part = _decompress(packed[label], block.size)
        if _digest(part) != block.digest:
            return None
        name, _, number = label.rpartition("#")
        parts.setdefault(name, {})[int(number)] = part
    return {name: b"".join(part for _, part in sorted(found.items())) for name, found in parts.items()}


def _head_key(place: str, writer: str) -> bytes:
    return f"{place}/{writer}/head".encode()


def _block_key(place: str, writer: str, label: str, slot: int) -> bytes:
    return f"{place}/{writer}/{label}/{slot}".encode()


def _digest(piece: bytes | memoryview) -> bytes:
    return blake2b(piece, digest_size=12).digest()


def _compress(piece: memoryview) -> bytes:
    packed: bytes = _codec.compress(piece, asbytes=True)
    return packed


def _decompress(packed: bytes, size: int) -> bytes:
    if size == 0 or not packed:
        return b""
    try:
        piece: bytes = _codec.decompress(packed, size, asbytes=True)
    except (pa.ArrowException, OSError):
        return b""
    return piece
