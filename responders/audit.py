"""The record of cases as evidence: chains of digests, reckoned without the database's help.

Each line of a case carries SHA-256 over the digest of the line before it and its own text, so that a line that was changed,
taken out or put in breaks the chain (Haber and Stornetta 1991). A line cut off at the end breaks none: seals find that,
which bind the lines of all cases in the order in which they were written. Who owns the database could write both anew;
that is found out by whoever kept a seal elsewhere.
"""

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from uuid import UUID

from msgspec import Struct

from domain.inputs import AwareTime

NOTHING = b""
"""What the first line and the first seal are chained to."""


class Line(Struct, frozen=True, kw_only=True):
    """A line of a case's record as the database holds it; `at` in microseconds since 1970 UTC, `detail` its JSON as text."""

    id: int
    incident: UUID
    number: int
    at: int
    kind: str
    actor: str
    user_id: str
    text: str
    detail: str
    digest: bytes


class Seal(Struct, frozen=True, kw_only=True):
    """A digest over all lines up to `last_entry`; `entries` counts those since the seal before it."""

    number: int
    at: AwareTime
    last_entry: int
    entries: int
    digest: bytes


class Break(Struct, frozen=True, kw_only=True):
    """A place where the record is not what it was; `seal` or `incident` and `number` say where."""

    reason: str
    incident: UUID | None = None
    number: int | None = None
    seal: int | None = None


def digest_of(before: bytes, line: Line) -> bytes:
    """Reckon the digest of a line after the digest of the line before it."""
    fields = [
        str(line.incident),
        str(line.number),
        str(line.at),
        line.kind,
        line.actor,
        line.user_id,
        line.text,
        line.detail,
    ]
    return sha256(before + json.dumps(fields, ensure_ascii=False).encode()).digest()


async def check_lines(lines: AsyncIterator[Line]) -> AsyncIterator[Break | None]:
    """Go through lines in the order of case and number; yields None for each sound one, and each break.

    After a break the chain is taken up again at what the line says, so that one change is told once.
    """
    before: Line | None = None
    async for line in lines:
        if before is None or before.incident != line.incident:
            before, expected = None, 1
        else:
            expected = before.number + 1
        if line.number != expected:
            yield Break(reason=f"line {expected} is missing", incident=line.incident, number=expected)
        elif line.digest != digest_of(before.digest if before else NOTHING, line):
            yield Break(reason="the line is not what was written", incident=line.incident, number=line.number)
        else:
            yield None
        before = line


class Sealing:
    """The digest of a seal, fed with the digests of lines in the order of ids."""

    def __init__(self, before: bytes) -> None:
        """Chain it to the digest of the seal before it."""
        self._hash = sha256(before)
        self.entries = 0
        self.last_entry = 0

    def add(self, entry: int, digest: bytes) -> None:
        """Cover a line."""
        self._hash.update(digest)
        self.entries += 1
        self.last_entry = entry

    @property
    def digest(self) -> bytes:
        """The digest over what was covered so far."""
        return self._hash.digest()


async def check_seals(seals: list[Seal], digests: AsyncIterator[tuple[int, bytes]]) -> list[Break]:
    """Reckon each seal again from the digests of all lines in the order of ids."""
    breaks: list[Break] = []
    pending = list(seals)
    before, expected = NOTHING, 1
    sealing = Sealing(before)

    def end(seal: Seal) -> None:
        nonlocal before, expected, sealing
        if seal.number != expected:
            breaks.append(Break(reason=f"seal {expected} is missing", seal=expected))
        elif seal.entries != sealing.entries:
            reason = f"it covered {seal.entries} lines, of which {sealing.entries} are there"
            breaks.append(Break(reason=reason, seal=seal.number))
        elif seal.digest != sealing.digest:
            breaks.append(Break(reason="the lines under it are not those that were sealed", seal=seal.number))
        before, expected = seal.digest, seal.number + 1
        sealing = Sealing(before)

    async for entry, digest in digests:
        while pending and entry > pending[0].last_entry:
            end(pending.pop(0))
        if not pending:
            break
        sealing.add(entry, digest)
    for seal in pending:
        end(seal)
    return breaks
