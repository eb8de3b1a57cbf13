"""Packets that came in several frames, put together again: out of order, repeated, or never complete."""

from typing import NamedTuple

from msgspec import structs

from streams.hj212.packet import Packet

MOST_JOINS = 8
MOST_CHARACTERS = 32 * 1024
KEEP_SECONDS = 60.0


class Incomplete(NamedTuple):
    """A packet of which parts never came: who sent it, which parts are there, and why it was given up.

    `reason` is `parts-missing` (too late), `parts-crowded` (newer ones needed the room) or `parts-disagree` (a part told
    another number of parts); `cp` is what did come, in order.
    """

    mn: str
    cn: str
    qn: str
    have: tuple[int, ...]
    of: int
    reason: str
    cp: str


class _Join:
    __slots__ = ("begun", "parts", "pnum")

    def __init__(self, pnum: int, begun: float) -> None:
        self.pnum = pnum
        self.begun = begun
        self.parts: dict[int, Packet] = {}

    @property
    def size(self) -> int:
        """Count the characters kept."""
        return sum(len(part.cp) for part in self.parts.values())

    def is_passed_by(self, packet: Packet) -> bool:
        """Say whether a part belongs to a later packet of a sender that writes no QN: then parts come in order."""
        known = self.parts.get(packet.pno or 0)
        return known.cp != packet.cp if known else packet.pno == 1


class Assembler:
    """Joins the parts of one connection's packets; what it keeps is bounded in number, characters and age.

    The caller tells the time, in seconds of any clock that only goes forward.
    """

    def __init__(
        self,
        most_joins: int = MOST_JOINS,
        most_characters: int = MOST_CHARACTERS,
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        """Take the bounds."""
        self._most_joins = most_joins
        self._most_characters = most_characters
        self._keep_seconds = keep_seconds
        self._joins: dict[tuple[str, str, str], _Join] = {}
        self._whole: dict[tuple[str, str, str, int], tuple[float, Packet]] = {}
        self._given_up: list[Incomplete] = []

    @property
    def is_idle(self) -> bool:
        """Say whether there is nothing to forget and nothing to tell, as on nearly all connections."""
        return not (self._joins or self._whole or self._given_up)

    def add(self, packet: Packet, now: float) -> Packet | None:
        """Take a packet: one that stands alone comes back at once, a part when it was the last one missing.

        A part of a packet that was complete a moment ago gives that packet once more: its answer may have been lost.
        """
        if packet.pnum is None or packet.pno is None or packet.pnum == 1:
            return packet
        key = packet.mn, packet.cn, packet.qn
        self._forget(now)
        if packet.qn and (known := self._whole.get((*key, packet.pnum))):
            return known[1]
        join = self._joins.get(key)
        if join is not None and join.pnum != packet.pnum:
            self._give_up(key, "parts-disagree")
            join = None
        elif join is not None and not packet.qn and join.is_passed_by(packet):
            self._give_up(key, "parts-missing")
            join = None
        if join is None:
            join = self._joins[key] = _Join(packet.pnum, now)
        join.parts[packet.pno] = packet
        if len(join.parts) == join.pnum:
            del self._joins[key]
            whole = _joined(join)
            self._whole[*key, packet.pnum] = now, whole
            self._bound_whole()
            return whole
        while len(self._joins) > self._most_joins or self._size() > self._most_characters:
            self._give_up(next(iter(self._joins)), "parts-crowded")
        return None

    def release(self, mn: str, cn: str, qn: str) -> list[Packet]:
        """Hand out the parts of a packet that wait for others, in order, and wait no more."""
        join = self._joins.pop((mn, cn, qn), None)
        return [join.parts[number] for number in sorted(join.parts)] if join else []

    def give_up(self, now: float) -> list[Incomplete]:
        """Tell which packets nobody waits for any more; each is told once."""
        self._forget(now)
        given_up, self._given_up = self._given_up, []
        return given_up

    def finish(self) -> list[Incomplete]:
        """Give up all that is incomplete: the connection is gone."""
        for key in list(self._joins):
            self._give_up(key, "parts-missing")
        given_up, self._given_up = self._given_up, []
        return given_up

    def _size(self) -> int:
        return sum(join.size for join in self._joins.values())

    def _forget(self, now: float) -> None:
        """Drop what is too old; both tables are in order of time."""
        oldest = now - self._keep_seconds
        for key in [key for key, join in self._joins.items() if join.begun < oldest]:
            self._give_up(key, "parts-missing")
        for past in [key for key, (at, _) in self._whole.items() if at < oldest]:
            del self._whole[past]

    def _bound_whole(self) -> None:
        while len(self._whole) > self._most_joins or (
            len(self._whole) > 1
            and sum(len(packet.cp) for _, packet in self._whole.values()) > self._most_characters
        ):
            del self._whole[next(iter(self._whole))]

    def _give_up(self, key: tuple[str, str, str], reason: str) -> None:
        join = self._joins.pop(key)
        have = tuple(sorted(join.parts))
        cp = ";".join(join.parts[number].cp for number in have)
        self._given_up.append(Incomplete(*key, have, join.pnum, reason, cp))


def _joined(join: _Join) -> Packet:
    """Make one packet of parts; it has neither PNUM nor PNO."""
    parts = [join.parts[number] for number in sorted(join.parts)]
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    return structs.replace(
        parts[0], pnum=None, pno=None, cp=";".join(part.cp for part in parts if part.cp), notes=tuple(notes)
    )
