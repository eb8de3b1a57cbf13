"""Sends input to a gateway over HTTP, as any source does; waits while it is busy or away."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import aiohttp
import msgspec

from domain.errors import Fault, InvalidInput, Unavailable
from domain.levels import Feed

AWAY_SECONDS = 120.0
"""How long a gateway may be away before we give up."""
RETRY_SECONDS = 0.3
BUSY = (429, 502, 503, 504)


class Refusal(InvalidInput):
    """A gateway refused a body; `by_item` tells what is wrong with which of its items, where it says so."""

    def __init__(self, where: str, status: int, document: bytes) -> None:
        """Take what was sent where, and the answer."""
        shown = document[:300].decode(errors="replace")
        super().__init__([Fault(where, f"was refused with {status}: {shown}")])
        try:
            errors = msgspec.json.decode(document, type=_Problem).errors
        except msgspec.DecodeError:
            errors = []
        self.by_item = tuple(
            (error.index, Fault(error.field, error.reason)) for error in errors if error.index is not None
        )


class _Error(msgspec.Struct):
    field: str
    reason: str
    index: int | None = None


class _Problem(msgspec.Struct):
    """What we read of a problem document (RFC 9457)."""

    errors: list[_Error] = []


class Feeder:
    """A client of one gateway; counts what was accepted."""

    def __init__(self, session: aiohttp.ClientSession, gateway: str, tokens: dict[str, str]) -> None:
        """Take the gateway's address and the token of each source."""
        self._session = session
        self._gateway = gateway.rstrip("/")
        self._tokens = tokens
        self.accepted = 0

    async def send(self, source: str, feed: Feed, body: bytes) -> None:
        """Send a body until it is accepted.

        Refusal when the gateway refuses it; Unavailable when it is away for too long. Sending again is safe: an input
        has the same id each time.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + AWAY_SECONDS
        while True:
            try:
                answer = await self._post(source, feed, body)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if loop.time() > give_up:
                    raise Unavailable(f"The gateway at {self._gateway} does not answer.") from error
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if answer is not None:
                self.accepted += answer
                return
            if loop.time() > give_up:
                raise Unavailable(f"The gateway at {self._gateway} cannot take input.")
            await asyncio.sleep(RETRY_SECONDS)

    async def _post(self, source: str, feed: Feed, body: bytes) -> int | None:
        """Post once; answers how many items were accepted, None when the gateway asks to come again."""
        headers = {"Authorization": f"Bearer {self._tokens[source]}", "Content-Type": "application/json"}
        async with self._session.post(f"{self._gateway}/v1/{feed}", data=body, headers=headers) as answer:
            text = await answer.read()
            if answer.status == 202:
                accepted: int = msgspec.json.decode(text)["accepted"]
                return accepted
            if answer.status in BUSY:
                return None
            raise Refusal(f"{source}/{feed}", answer.status, text)


def encode_readings(names: Sequence[bytes], at: datetime, values: Iterable[float]) -> bytes:
    """Encode one reading each of several series as the inside of a JSON list; `names` are JSON strings already."""
    tail = (
        b',"observed_at":"' + at.astimezone(UTC).isoformat().replace("+00:00", "Z").encode() + b'","value":'
    )
    return b",".join(
        b'{"series":%s%s%.6g}' % (name, tail, value) for name, value in zip(names, values, strict=True)
    )
