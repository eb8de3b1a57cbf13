"""A folder into which another system puts CAP files: each is taken once and moved to `taken` or `refused`."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from config.settings import CapSettings
from domain.errors import BrokerUnavailable, Fault, InvalidConfiguration
from domain.levels import Feed
from domain.registry import Source
from streams.cap.document import MAX_BYTES
from streams.cap.inlet import CapInlet
from streams.gateway_problems import Refused
from streams.gateway_refusals import Refusals
from streams.registry import Registry

log = structlog.get_logger(__name__)

SUFFIXES = frozenset({".xml", ".cap"})
LOOK_SECONDS = 1.0
TAKEN, REFUSED, REASONS = "taken", "refused", ".faults.txt"


class Folder:
    """Looks at the folder while the context is open; a file that is still being written waits for the next look."""

    def __init__(
        self, settings: CapSettings, inlet: CapInlet, registry: Registry, refusals: Refusals
    ) -> None:
        """Take the settings and where messages go; InvalidConfiguration when the folder is not there."""
        if settings.folder is not None and not settings.folder.is_dir():
            raise InvalidConfiguration([Fault("cap.folder", f"{settings.folder} is not a folder")])
        self._settings = settings
        self._inlet = inlet
        self._registry = registry
        self._refusals = refusals
        self._sizes: dict[Path, tuple[int, int]] = {}
        self._told = ""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Begin to look; returns at once."""
        if self._settings.folder is not None:
            task = asyncio.create_task(self._follow(self._settings.folder), name="cap_folder")
            self._stack.push_async_callback(_end, task)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _follow(self, folder: Path) -> None:
        await self._registry.ready()
        while True:
            try:
                await self.look(folder)
            except (BrokerUnavailable, OSError) as error:
                self._tell("cap_folder_waits", type(error).__name__)
            else:
                self._told = ""
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, folder: Path) -> None:
        """Take every file that has not grown since the last look, oldest first.

        BrokerUnavailable or OSError leave the rest where it lies, for the next look.
        """
        source = next(
            (one for one in self._registry.sources.values() if one.slug == self._settings.source), None
        )
        if source is None or Feed.BULLETINS not in source.feeds:
            self._tell("cap_folder_has_no_source", self._settings.source)
            return
        sizes = await asyncio.to_thread(_files, folder)
        settled = [path for path, size in sizes.items() if self._sizes.get(path) == size]
        self._sizes = sizes
        for path in sorted(settled, key=lambda path: (sizes[path][1], path.name)):
            await self._take(path, source)

    async def _take(self, path: Path, source: Source) -> None:
        body = await asyncio.to_thread(_read, path)
        try:
            accepted = await self._inlet.accept(body, source, "folder")
        except Refused as refused:
            await self._refusals.answer(refused, Feed.BULLETINS, source)
            words = "\n".join([str(refused), *(str(fault) for fault in refused.faults)])
            await asyncio.to_thread(_move, path, REFUSED, words)
        else:
            log.info("cap_file_taken", outcome=accepted.outcome)
            await asyncio.to_thread(_move, path, TAKEN, "")

    def _tell(self, event: str, detail: str) -> None:
        """Log once that something is in the way."""
        if self._told != event:
            log.warning(event, detail=detail)
            self._told = event


def _files(folder: Path) -> dict[Path, tuple[int, int]]:
    """List the files with size and time of their last change."""
    found = {}
    for path in folder.iterdir():
        if path.suffix.lower() in SUFFIXES and path.is_file():
            stat = path.stat()
            found[path] = (stat.st_size, stat.st_mtime_ns)
    return found


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(
            MAX_BYTES + 1
        )  # one more than is read, so that a longer file is refused by its length


def _move(path: Path, name: str, words: str) -> None:
    """Move a file aside, beside one of the same name if need be, with the reasons in words if there are any."""
    folder = path.parent / name
    folder.mkdir(exist_ok=True)
    goal, number = folder / path.name, 1
    while goal.exists():
        goal = folder / f"{path.stem}-{number}{path.suffix}"
        number += 1
    if words:
        (folder / f"{goal.name}{REASONS}").write_text(words + "\n", encoding="utf-8")
    path.rename(goal)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
