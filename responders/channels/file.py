"""A file as a channel: one JSON line per page, for a printer, a siren, or a program on the same machine."""

import asyncio
import fcntl
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import msgspec

from responders.cases import Cause, Message, Outcome, Result


class FileChannel:
    """Appends to a file and forces it to the disk; several processes may append to the same one.

    A page that stands in the file is not written again. Not promised: that across a rotation, which takes the record of
    what was written away with the old file. How a person is reached, and what acknowledges a page, is never written.
    """

    name = "file"
    idempotent = True
    outside = False

    def __init__(self, path: Path) -> None:
        """Take where to write; folders are made when the first page comes."""
        self._path = path
        self._lock = asyncio.Lock()
        self._waiting: list[Message] = []
        self._next: asyncio.Future[None] | None = None
        self._written: set[UUID] = set()
        self._read_to = 0
        self._inode = 0

    async def send(self, message: Message) -> Outcome:
        """Append a line, unless it is there; those that come while others are written go to the disk together."""
        self._waiting.append(message)
        if self._next is None:
            self._next = asyncio.ensure_future(self._write())
        try:
            # Shielded: a thread cannot be cancelled, the lock must outlast it, and others wait for the same.
            await asyncio.shield(self._next)
        except OSError:
            return Outcome(Result.RETRY, Cause.STORAGE)
        return Outcome(Result.DELIVERED, Cause.ACCEPTED)

    async def _write(self) -> None:
        async with self._lock:
            messages, self._waiting, self._next = self._waiting, [], None
            await asyncio.to_thread(self._append, messages)

    def _append(self, messages: Sequence[Message]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            torn = self._catch_up(file.fileno())
            new = {message.key: message for message in messages if message.key not in self._written}
            if not new:
                return
            lines = [msgspec.json.encode(replace(one, contact="", link="", code="")) for one in new.values()]
            file.write((b"\n" if torn else b"") + b"\n".join(lines) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _catch_up(self, file: int) -> bool:
        """Read what this or another process wrote since; says whether the last line was torn by a crash."""
        status = os.fstat(file)
        if status.st_ino != self._inode or status.st_size < self._read_to:
            self._written.clear()
            self._read_to, self._inode = 0, status.st_ino
        fresh = os.pread(file, status.st_size - self._read_to, self._read_to)
        whole, _, torn = fresh.rpartition(b"\n")
        for line in whole.splitlines():
            try:
                self._written.add(msgspec.json.decode(line, type=_Line).key)
            except msgspec.DecodeError:  # a torn line, or not ours
                continue
        self._read_to = status.st_size - len(torn)
        return bool(torn)


class _Line(msgspec.Struct):
    """What the channel reads back of its own lines."""

    page: UUID
    letter: UUID | None = None

    @property
    def key(self) -> UUID:
        """As `Message.key`."""
        return self.letter or self.page
