"""The packets of a device that came lately, so that one sent again is answered again and has no second effect."""

from collections.abc import Hashable
from enum import Enum

KEPT = 128
"""Packets of one device: two hours of minute data."""


class Standing(Enum):
    """What is known of a packet when it comes."""

    NEW = "new"
    UNDER_WAY = "under-way"
    WRITTEN = "written"


class Recent:
    """Remembers which packets of one device are under way to the broker, and which it has on disk.

    Keys are best strings, which cost the least to keep. Beyond the newest `KEPT` a repetition counts as new. That is
    harmless: a reading's id comes from its series and time.
    """

    __slots__ = ("_written",)

    def __init__(self) -> None:
        """Begin with nothing."""
        self._written: dict[Hashable, bool] = {}

    def begin(self, key: Hashable) -> Standing:
        """Ask what a packet is; a new one counts as under way from now on."""
        written = self._written.get(key)
        if written is None:
            self._written[key] = False
            if len(self._written) > KEPT:
                del self._written[next(iter(self._written))]
            return Standing.NEW
        return Standing.WRITTEN if written else Standing.UNDER_WAY

    def end(self, key: Hashable, *, written: bool) -> None:
        """Note that the broker has it; or forget it, so that it may come again."""
        if written:
            self._written[key] = True
        else:
            self._written.pop(key, None)
