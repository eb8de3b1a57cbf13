"""What all plays share: whether the gateway is there, what is counted, faults on the wire."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.errors import Fault, InvalidInput, Unavailable
from fenghuo.simulate.line import Mangle
from fenghuo.simulate.outcome import Outcome, quantile


@dataclass(slots=True)
class Tally:
    """Counts of what was sent; `seconds` holds how long each confirmation took."""

    seconds: list[float] = field(default_factory=list)
    sent: int = 0
    unconfirmed: int = 0
    unanswered: int = 0

    def outcome(self, senders: int, seconds: float) -> Outcome:
        """Sum it up, for so many senders in so many seconds."""
        p50, p99 = quantile(self.seconds, 0.5), quantile(self.seconds, 0.99)
        return Outcome(
            senders=senders,
            sent=self.sent,
            confirmed=len(self.seconds),
            unconfirmed=self.unconfirmed,
            unanswered=self.unanswered,
            confirm_ms_p50=None if p50 is None else round(p50 * 1_000, 1),
            confirm_ms_p99=None if p99 is None else round(p99 * 1_000, 1),
            seconds=round(seconds, 2),
        )


async def reach(host: str, port: int, seconds: float) -> None:
    """Connect once; Unavailable when nobody listens there."""
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port)
        writer.close()
    except (OSError, TimeoutError) as error:
        raise Unavailable(f"Nobody listens at {host}:{port}.") from error


def place_of(text: str) -> tuple[str, int]:
    """Read host:port; InvalidInput when it is none."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise InvalidInput([Fault("GATEWAY", f"{text!r} must be host:port")])
    return host.strip("[]"), int(port)


def garbled(seed: str) -> Mangle:
    """Put noise, half a frame and a damaged one before what is sent."""
    chance = random.Random(f"garbage {seed}")

    def mangle(data: bytes) -> Sequence[bytes]:
        body = data.rstrip(b"\r\n")  # a frame's end, where its protocol has line ends
        place = len(body) - 8
        wrong = body[:place] + bytes([body[place] ^ 0x01]) + body[place + 1 :] + data[len(body) :]
        return [chance.randbytes(chance.randint(1, 40)), data[: len(data) // 2], wrong, data]

    return mangle


def split(data: bytes) -> Sequence[bytes]:
    """Cut what is sent into three pieces that leave one by one."""
    third = max(1, len(data) // 3)
    return [data[:third], data[third : 2 * third], data[2 * third :]]
