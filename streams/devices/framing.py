"""What a framer hands out besides frames: bytes that belong to none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that are no frame, or no right one; `reason` is a slug such as `noise`, `length`, `crc`, `too-long`."""

    data: bytes
    reason: str
