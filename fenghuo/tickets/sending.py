"""Sends orders to a gateway in order of time, and can go on where it was killed.

The gateway refuses a body whole and names what is wrong by index: those orders are left out and told, the others sent
again. Sent twice is once, so that the state need not be exact: it is written after each body.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from domain.errors import FenghuoError
from domain.levels import Feed
from fenghuo.feeding import Feeder, Refusal
from fenghuo.tickets.map import TicketMap
from fenghuo.tickets.rows import Order

ORDERS_PER_BODY = 500
BYTES_PER_BODY = 1_000_000
SOURCE = "import"
STATE_SUFFIX = ".fenghuo-import.json"


class Refused(Struct, frozen=True):
    """An order that the gateway did not take: the row of the file, and why."""

    line: int
    field: str
    reason: str


class Progress(Struct, kw_only=True):
    """How far an import has come; `done` counts orders in order of time, accepted or refused."""

    file_sha256: str
    map_sha256: str
    gateway: str
    done: int = 0
    line: int = 0
    """Row of the last order that was done."""
    accepted: int = 0
    refused: list[Refused] = []


def begin(file: Path, ticket_map: TicketMap, gateway: str) -> Progress:
    """Take up an import that was interrupted, else begin at the start: another file, map or gateway is another import."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    fresh = Progress(file_sha256=digest, map_sha256=ticket_map.digest, gateway=gateway)
    try:
        before = msgspec.json.decode(state_path(file).read_bytes(), type=Progress)
    except (OSError, msgspec.DecodeError):
        return fresh
    same = (before.file_sha256, before.map_sha256, before.gateway) == (digest, ticket_map.digest, gateway)
    return before if same else fresh


def state_path(file: Path) -> Path:
    """Name the file beside the imported one that holds how far we are; digests, counts and reasons only."""
    return file.with_name(file.name + STATE_SUFFIX)


def write_progress(file: Path, progress: Progress) -> None:
    """Write how far we are; FenghuoError where that is not possible."""
    path = state_path(file)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(msgspec.json.encode(progress))
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise FenghuoError(
            f"{path} cannot be written: {error.strerror}. Copy the file where that is possible."
        ) from error


async def send_orders(
    feeder: Feeder,
    file: Path,
    orders: Sequence[Order],
    progress: Progress,
    tell: Callable[[int], None],
) -> None:
    """Send what is not done yet; errors of the gateway that name no order pass through."""
    write_progress(file, progress)
    for body in _bodies(orders[progress.done :]):
        progress.accepted += await _send(feeder, body, progress.refused)
        progress.done += len(body)
        progress.line = body[-1].line
        write_progress(file, progress)
        tell(progress.done)


def finish(file: Path) -> None:
    """Forget an import that is complete."""
    state_path(file).unlink(missing_ok=True)


async def _send(feeder: Feeder, orders: list[Order], refused: list[Refused]) -> int:
    """Send a body until what is left of it is accepted; answers how many that were."""
    left = orders
    while left:
        try:
            await feeder.send(SOURCE, Feed.TICKETS, b"[" + b",".join(order.body for order in left) + b"]")
        except Refusal as refusal:
            wrong = {number for number, _ in refusal.by_item if number < len(left)}
            if not wrong:
                raise
            refused += [
                Refused(left[number].line, fault.field, fault.reason)
                for number, fault in refusal.by_item
                if number in wrong
            ]
            left = [order for number, order in enumerate(left) if number not in wrong]
        else:
            break
    return len(left)


def _bodies(orders: Sequence[Order]) -> Iterator[list[Order]]:
    body: list[Order] = []
    size = 0
    for order in orders:
        if body and (len(body) == ORDERS_PER_BODY or size + len(order.body) > BYTES_PER_BODY):
            yield body
            body, size = [], 0
        body.append(order)
        size += len(order.body) + 1
    if body:
        yield body
