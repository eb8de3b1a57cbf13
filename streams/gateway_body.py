"""Reading request bodies within bounds of size, time and memory, gzip included."""

import asyncio
import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

import msgspec
from aiohttp import ClientError, web

from domain.decode import MAX_FAULTS, NOT_JSON, decode_json
from domain.errors import Fault, InvalidInput
from domain.inputs import MAX_REJECTED_BYTES
from streams.gateway_problems import Reason, Refused, faulty_places, retry_after

JSON_TYPES = frozenset({"application/json", "text/json", ""})
LINE_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
_WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
T = TypeVar("T")

JSON_SPACE = b" \t\r\n"
"""White space that JSON knows; Python would strip more."""
_GROWTH = 256 * 1024
"""How much a compressed chunk may grow to at once, so that a bomb is met while it is small."""


class Room:
    """The memory that all bodies may take together: else a thousand slow senders would fill the machine."""

    def __init__(self, size: int) -> None:
        """Take the number of bytes."""
        self.free = size

    def take(self, size: int) -> None:
        """Take some of it; Refused when there is no more."""
        if size > self.free:
            raise Refused(Reason.BUSY, "too many bodies at once", headers=retry_after(1))
        self.free -= size


@asynccontextmanager
async def body_of(
    request: web.Request, room: Room, max_bytes: int, timeout_seconds: float
) -> AsyncIterator[bytearray]:
    """Read a body, decompressed, and hold its room until the context closes. Refused when it breaks a bound.

    A body whose length is told beforehand is refused unread; any other as soon as it has grown too long.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding != "identity" and encoding not in _WBITS:
        raise Refused(Reason.UNSUPPORTED, "Content-Encoding must be gzip, deflate or identity")
    if (request.content_length or 0) > max_bytes:
        raise _too_large(bytearray(), max_bytes, request.content_length)
    body = bytearray()
    try:
        try:
            async with asyncio.timeout(timeout_seconds):
                async with aclosing(_pieces(request, encoding)) as pieces:
                    async for piece in pieces:
                        room.take(len(piece))
                        body += piece
                        if len(body) > max_bytes:
                            raise _too_large(body, max_bytes, None)
        except TimeoutError as error:
            detail = f"the body did not arrive within {timeout_seconds:g} s"
            raise Refused(Reason.SLOW, detail, item=bytes(body[:MAX_REJECTED_BYTES])) from error
        except (ConnectionError, ClientError, web.RequestPayloadError, zlib.error, EOFError) as error:
            detail = "the body broke off or cannot be decompressed"
            raise Refused(Reason.BROKEN, detail, item=bytes(body[:MAX_REJECTED_BYTES])) from error
        yield body
    finally:
        room.free += len(body)


async def _pieces(request: web.Request, encoding: str) -> AsyncGenerator[bytes, None]:
    """Read pieces of the body, decompressed and none longer than a chunk or `_GROWTH`."""
    if encoding == "identity":
        async for chunk in request.content.iter_any():
            yield chunk
        return
    inflate = zlib.decompressobj(_WBITS[encoding])
    async for chunk in request.content.iter_any():
        rest = chunk
        while rest and not inflate.eof:
            yield inflate.decompress(rest, _GROWTH)
            rest = inflate.unconsumed_tail
    yield inflate.flush()
    if not inflate.eof:
        raise EOFError
    if inflate.unused_data:
        raise zlib.error("something follows the compressed body")


def _too_large(body: bytearray, max_bytes: int, size: int | None) -> Refused:
    return Refused(
        Reason.TOO_LARGE,
        f"a body may hold {max_bytes} bytes, decompressed",
        item=bytes(body[:MAX_REJECTED_BYTES]),
        size=size or len(body),
    )


def has_lines(request: web.Request) -> bool:
    """Say by the content type whether the body is NDJSON or else JSON; Refused for anything else."""
    kind = request.content_type.lower() if "Content-Type" in request.headers else ""
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise Refused(Reason.UNSUPPORTED, "the charset must be UTF-8")
    if kind in LINE_TYPES:
        return True
    if kind not in JSON_TYPES:
        raise Refused(Reason.UNSUPPORTED, "Content-Type must be application/json or application/x-ndjson")
    return False


def is_single(body: bytearray, *, lines: bool) -> bool:
    """Say whether the body is one object and not a list or lines of them."""
    return not lines and body[:1_000].lstrip(JSON_SPACE)[:1] == b"{"


def decode_items(kind: type[T], body: bytearray, *, lines: bool) -> list[T]:
    """Decode one item, a list or lines of them, strictly; Refused with every fault."""
    try:
        if lines:
            return _decode_lines(kind, body)
        if is_single(body, lines=lines):
            return [decode_json(kind, body)]
        return decode_json(list[kind], body)  # type: ignore[valid-type]  # a type made at run time
    except InvalidInput as error:
        raise refuse(body, error.faults, lines=lines) from error


def refuse(
    body: bytearray, faults: Iterable[Fault], *, lines: bool, reason: Reason = Reason.INVALID, count: int = 1
) -> Refused:
    """Make the refusal of a body; the faulty items are kept, or the head of what is no list of items."""
    known = tuple(without_values(fault) for fault in faults)
    if any(fault.reason.startswith("is not JSON") for fault in known):
        reason = Reason.NOT_JSON
    places = faulty_places(known)
    item, size = bytes(body[:MAX_REJECTED_BYTES]), len(body)
    if places and reason is not Reason.NOT_JSON:
        raw = _split_lines(body) if lines else msgspec.json.decode(body, type=list[msgspec.Raw])
        whole = b"[" + b",".join(bytes(raw[place]) for place in places) + b"]"
        item, size = whole[:MAX_REJECTED_BYTES], len(whole)
    detail = f"{len(known)} {'fault' if len(known) == 1 else 'faults'}, nothing was accepted"
    if len(known) >= MAX_FAULTS:
        detail = f"the first {MAX_FAULTS} faults, nothing was accepted"
    return Refused(reason, detail, known[:MAX_FAULTS], item=item, size=size, count=max(count, len(places)))


def without_values(fault: Fault) -> Fault:
    """Take out of a fault what the sender chose: a field that we do not know may be named by a person's number."""
    place = ".".join(part if _PLAIN.fullmatch(part) else "…" for part in fault.field.split("."))
    return Fault(place, _UNKNOWN.sub("unknown field", fault.reason))


_PLAIN = re.compile(r"[A-Za-z_-]{0,40}(\[\d+\])*")
_UNKNOWN = re.compile(r"unknown field `.*`", re.DOTALL)


def _split_lines(body: bytearray) -> list[bytes]:
    return [bytes(line) for line in body.split(b"\n") if line.strip(JSON_SPACE)]


def _decode_lines(kind: type[T], body: bytearray) -> list[T]:
    """Decode lines at once; when that fails one by one, to find every fault."""
    try:
        return msgspec.json.Decoder(kind).decode_lines(body)
    except NOT_JSON:
        items: list[T] = []
        faults: list[Fault] = []
        for number, line in enumerate(_split_lines(body)):
            try:
                items.append(decode_json(kind, line))
            except InvalidInput as error:
                faults += [
                    Fault(
                        f"[{number}]" if fault.field == "body" else f"[{number}].{fault.field}", fault.reason
                    )
                    for fault in error.faults
                ]
                if len(faults) >= MAX_FAULTS:
                    break
        if faults:
            raise InvalidInput(faults) from None
        return items
