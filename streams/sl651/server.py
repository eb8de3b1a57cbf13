"""Hydrological stations over TCP: bytes become frames, passwords are checked, each station gets what is its own."""

from collections.abc import Callable, Iterable

from config.hydrology import Element
from config.settings import DeviceSettings
from domain.errors import Fault
from domain.registry import Protocol, Secrets
from streams.devices.framing import Garbage
from streams.devices.intake import DeviceIntake
from streams.devices.met import Met
from streams.devices.tcp import DeviceServer, Link
from streams.sl651.checksum import checksum
from streams.sl651.frames import Frame, Framer
from streams.sl651.readings import Reader
from streams.sl651.station import Station

MOST_STATIONS = 16
"""Stations behind one connection, as where one modem or relay serves several."""
MOST_GARBAGE = 64
"""Pieces of garbage in a row; then whoever speaks here is no station, or its line is of no use."""
GARBAGE = {
    "noise": "holds no 7E7E",
    "head": "has no direction or no start character that there is",
    "length": "is too short for the number of the packet",
    "end": "has no end character where its length says",
    "crc": "has a wrong checksum",
}


class Session:
    """One connection, over which one station speaks, or a few."""

    def __init__(self, link: Link, intake: DeviceIntake, reader: Reader) -> None:
        """Take the connection, who knows the devices, and who reads messages."""
        self._link = link
        self._intake = intake
        self._reader = reader
        self._framer = Framer()
        self._stations: dict[str, Station] = {}
        self._garbage = 0

    @property
    def pending(self) -> int:
        """Count the bytes of a frame whose end has not come."""
        return self._framer.pending

    def received(self, data: bytes) -> None:
        """Take bytes as they come."""
        for found in self._framer.feed(data):
            if isinstance(found, Garbage):
                self._refuse_garbage(found)
                self._garbage += 1
                if self._garbage > MOST_GARBAGE:
                    self._link.close("garbage")
                    return
            else:
                self._garbage = 0
                self._take(found)

    def closed(self) -> None:
        """Hear that the connection is gone."""
        for station in self._stations.values():
            station.close()
        self._stations.clear()

    def _take(self, frame: Frame) -> None:
        met = self._intake.meet(Protocol.SL651, frame.station)
        if met is None:
            fault = Fault("station", "is not registered, and there are too many such")
            self._intake.refuse(None, "too-many-strangers", [fault], frame.raw, protocol=Protocol.SL651)
            return
        why, fault = self._why_not(met, frame)
        if why:
            self._intake.refuse(met, why, [fault], frame.raw)
            return
        if frame.station not in self._stations:
            station = Station(met, self._link, self._intake, self._reader)
            self._stations[frame.station] = station
        self._stations[frame.station].take(frame)

    def _why_not(self, met: Met, frame: Frame) -> tuple[str, Fault]:
        """Say why a frame is not taken; an empty reason where it is."""
        if not frame.up:
            return "direction", Fault("direction", "is that of the centre")
        password = met.secrets.password
        if met.device and met.device.sealed and met.secrets == Secrets():
            return "secrets", Fault("password", "cannot be checked: this gateway cannot open what was sealed")
        if password is not None and frame.password != password.upper():
            return "wrong-password", Fault("password", "is not that of the station")
        if frame.station not in self._stations and len(self._stations) >= MOST_STATIONS:
            return "too-many-stations", Fault("station", f"is one more than {MOST_STATIONS} on a connection")
        return "", Fault("", "")

    def _refuse_garbage(self, garbage: Garbage) -> None:
        """Refuse bytes that are no frame; they are a station's fault where only one speaks here."""
        known = list(self._stations.values())
        fault = Fault("frame", GARBAGE[garbage.reason])
        self._intake.refuse(
            known[0].met if len(known) == 1 else None,
            garbage.reason,
            [fault],
            garbage.data,
            protocol=Protocol.SL651,
        )


def open_sl651(
    settings: DeviceSettings, intake: DeviceIntake, elements: Iterable[Element], is_busy: Callable[[], bool]
) -> DeviceServer:
    """Make a server that listens while its context is open. While `is_busy`, stations may connect and are not read."""
    checksum(b"")  # compiled now, and not when the first station waits
    reader = Reader(elements)
    return DeviceServer(
        settings,
        Protocol.SL651,
        settings.sl651_port or 0,
        lambda link: Session(link, intake, reader),
        is_busy,
    )
