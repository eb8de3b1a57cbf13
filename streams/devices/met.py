"""A device as a gateway knows it, and what its packets say: the words that all protocols share."""

from collections.abc import Callable
from typing import NamedTuple
from typing import Protocol as Shape

from domain.devices import DeviceCommand
from domain.inputs import Quality
from domain.registry import Device, Protocol, Secrets
from streams.devices.recent import Recent
from streams.packing import MICROSECOND

UNKNOWN_AREA = "unknown"
"""Key of readings whose device nobody has registered."""
PROBLEM_LASTS = 3_600 * MICROSECOND
"""So long after it a device with a problem that does not come again has none."""
LASTING = frozenset({"secrets"})
"""Problems that hold until somebody mends them."""

Done = Callable[[bool], None]
Tell = Callable[..., None]
"""Called with `outcome`, and by name `detail`, `values`, `final`, as in `DeviceAnswer`."""


class Observation(NamedTuple):
    """One value of one channel; `observed` in microseconds since 1970 UTC."""

    channel: str
    observed: int
    value: float
    quality: Quality = Quality.GOOD


class Line(Shape):
    """A connection over which a device can be asked something."""

    def ask(self, met: "Met", command: DeviceCommand, tell: Tell) -> None:
        """Pass a command on; `tell` hears what becomes of it, the last time with `final`."""


class Met:
    """A device that this gateway has met, registered or not, and what was seen of it."""

    __slots__ = (
        "address",
        "channels",
        "clock_offset_seconds",
        "device",
        "lines",
        "packets",
        "peer",
        "problem",
        "problem_at",
        "protocol",
        "readings",
        "recent",
        "refused",
        "rows",
        "secrets",
        "seen",
    )

    def __init__(self, protocol: Protocol, address: str) -> None:
        """Begin with nothing seen."""
        self.protocol = protocol
        self.address = address
        self.device: Device | None = None
        self.secrets = Secrets()
        self.rows: dict[str, int] = {}
        self.channels: set[str] = set()
        self.lines: list[Line] = []
        self.recent = Recent()
        self.packets = self.readings = self.refused = 0
        self.problem = ""
        self.problem_at = 0
        self.peer = ""
        self.clock_offset_seconds: float | None = None
        self.seen = 0

    @property
    def area(self) -> str:
        """Tell where it stands, as far as anybody knows."""
        return self.device.area if self.device else UNKNOWN_AREA

    def note_problem(self, problem: str, at: int) -> None:
        """Note what is wrong with it, by a slug, at a time in microseconds."""
        self.problem, self.problem_at = problem, at

    def forget_problem(self, now: int) -> None:
        """Let go of a problem that has not come again for an hour."""
        if self.problem and self.problem not in LASTING and now - self.problem_at > PROBLEM_LASTS:
            self.problem = ""
