"""The counties of one partition: what goes on in each, what each has learned, and what of it is not written down yet."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from config.settings import FusionSettings
from detectors.fusion.case import READ_VERSIONS, VERSION, County
from detectors.fusion.learning import Learned, read_learned
from domain.errors import Fault, InvalidInput
from domain.findings import Calibration

LEARNED = "/learned"
"""What the name of a county's second piece ends with: it changes seldom, and is large."""


class Counties:
    """Counties by their codes. Whoever changes one says so, else the change is not written down."""

    def __init__(self, settings: FusionSettings) -> None:
        """Begin with none."""
        self.known: dict[str, County] = {}
        self.learned: dict[str, Learned] = {}
        self._settings = settings
        self._changed: set[str] = set()
        self._taught: set[str] = set()
        self._uncalibrated: set[str] = set()

    def open(self, name: str) -> County:
        """Find a county or begin it."""
        return self.known.setdefault(name, County())

    def learn(self, name: str) -> Learned:
        """Find what a county has learned, or begin with nothing."""
        learned = self.learned.get(name)
        if learned is None:
            learned = self.learned[name] = Learned(self._settings)
        return learned

    def changed(self, name: str) -> None:
        """Note that what goes on in a county changed."""
        self._changed.add(name)

    def taught(self, name: str, *, calibrated: bool = False) -> None:
        """Note that what a county has learned changed, and whether its calibration is to be told."""
        self._taught.add(name)
        if calibrated:
            self._uncalibrated.add(name)

    def calibrations(self, now: datetime) -> list[Calibration]:
        """Hand out the calibrations that changed since the last time."""
        changed, self._uncalibrated = self._uncalibrated, set()
        return [self.learn(name).calibration(name, now) for name in sorted(changed)]

    def dump(self) -> dict[str, bytes]:
        """Write what changed since the last dump, up to two pieces for each county."""
        changed, self._changed = self._changed, set()
        taught, self._taught = self._taught, set()
        return {name: msgspec.msgpack.encode(self.known[name]) for name in sorted(changed)} | {
            name + LEARNED: self.learned[name].dump() for name in sorted(taught)
        }

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up written counties; InvalidInput when one is of another form."""
        for name, piece in pieces.items():
            if name.endswith(LEARNED):
                self.learned[name.removesuffix(LEARNED)] = read_learned(name, piece, self._settings)
            else:
                self.known[name] = _read_county(name, piece)


def _read_county(name: str, piece: bytes) -> County:
    try:
        county = msgspec.msgpack.decode(piece, type=County)
    except msgspec.DecodeError as error:
        raise InvalidInput([Fault(name, f"is no state of a fusion: {error}")]) from error
    if county.version not in READ_VERSIONS:
        raise InvalidInput([Fault(name, f"version {county.version} is not {VERSION}")])
    county.version = VERSION
    return county
