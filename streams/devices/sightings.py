"""What a gateway tells of the devices that it sees, on the topic `sightings`."""

from itertools import chain, islice

from domain.devices import Sighting
from domain.errors import BrokerUnavailable
from domain.topics import SIGHTINGS
from streams.devices.met import Met
from streams.messages import message_of
from streams.packing import time_of
from streams.producer import Writes

MOST_TOLD = 50
"""Sightings that are written at once; with 2,000 busy devices each is told of every 20 seconds."""


class Sightings:
    """Devices of which something new is known, and has not been told."""

    def __init__(self, writer: Writes, instance: str) -> None:
        """Take where to write, and the name of this gateway."""
        self._writer = writer
        self._instance = instance
        self._urgent: dict[Met, None] = {}
        self._changed: dict[Met, None] = {}

    def __len__(self) -> int:
        return len(self._urgent | self._changed)

    def note(self, met: Met) -> None:
        """Note that a device sent something, as it does all day."""
        self._changed[met] = None

    def note_at_once(self, met: Met) -> None:
        """Note something that people should hear of: a connection, a trouble."""
        self._urgent[met] = None

    async def tell(self) -> None:
        """Tell first what people should hear of, then of who waited longest; BrokerUnavailable when that cannot be.

        Bounded, since thousands of messages at once would hold up the answers that devices wait for.
        """
        told = dict.fromkeys(islice(chain(self._urgent, self._changed), MOST_TOLD))
        for met in told:
            self._urgent.pop(met, None)
            self._changed.pop(met, None)
        messages = [
            message_of(SIGHTINGS, f"{met.protocol}:{met.address}", self._sighting(met))
            for met in told
            if met.seen
        ]
        try:
            if messages:
                await self._writer.write(messages)
        except BrokerUnavailable:
            self._urgent = told | self._urgent
            raise

    def _sighting(self, met: Met) -> Sighting:
        return Sighting(
            protocol=met.protocol,
            address=met.address,
            device=met.device.id if met.device else None,
            gateway=self._instance,
            peer=met.peer,
            seen_at=time_of(met.seen),
            packets=met.packets,
            readings=met.readings,
            refused=met.refused,
            connected=bool(met.lines),
            problem=met.problem,
            clock_offset_seconds=met.clock_offset_seconds,
            channels=tuple(sorted(met.channels)),
        )
