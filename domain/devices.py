"""What gateways and people tell each other of devices: what was seen of them, what they are asked to do, what they said."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.inputs import AwareTime
from domain.registry import Protocol

MAX_CHANNELS = 200


class Sighting(Struct, frozen=True, kw_only=True):
    """What one gateway has seen of a device since it started; a device that nobody registered has no `device`.

    `packets` counts what was taken, `refused` what was turned away, and `problem` names the newest trouble ("" for none):
    a slug such as `wrong-password`, `crc`, `clock`. `clock_offset_seconds` is the device's clock minus ours at its newest
    packet. `channels` names up to MAX_CHANNELS of its channels that no series claims.
    """

    protocol: Protocol
    address: str
    device: str | None
    gateway: str
    peer: str
    seen_at: AwareTime
    packets: int
    readings: int
    refused: int
    connected: bool
    problem: str = ""
    clock_offset_seconds: float | None = None
    channels: tuple[str, ...] = ()


class DeviceCommand(Struct, frozen=True, kw_only=True):
    """What an operator asks of a device; every gateway reads it, the one that the device is connected to passes it on.

    `name` is a command of the device's protocol (`get-time`, `set-time`, …) and `arguments` what it needs. After
    `expires_at` (wall time) nobody acts on it.
    """

    id: UUID
    device: str
    name: str
    arguments: dict[str, str] = {}
    asked_by: Annotated[str, Meta(max_length=100)] = ""
    expires_at: AwareTime


class DeviceAnswer(Struct, frozen=True, kw_only=True):
    """What became of a command.

    `outcome` is a slug (`sent`, `accepted`, `done`, `refused`, `timeout`), `detail` a sentence, `values` what the device
    told. `final` says that no more follows.
    """

    id: UUID
    gateway: str
    at: AwareTime
    outcome: str
    detail: str = ""
    values: dict[str, str] = {}
    final: bool = False
