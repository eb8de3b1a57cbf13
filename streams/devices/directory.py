"""Who a device is and which series its channels are, by the registry as it is at the moment."""

from collections.abc import Callable

import structlog

from config.sealing import Sealer
from domain.decode import decode_json
from domain.errors import InvalidInput
from domain.registry import Device, Protocol, Secrets, Series, own_series
from streams.devices.met import Met
from streams.packing import MICROSECOND
from streams.registry import Registry

log = structlog.get_logger(__name__)

FORGOTTEN_MICROSECONDS = 3_600 * MICROSECOND


class Directory:
    """All devices that a gateway has met; those that nobody has registered are bounded in number."""

    def __init__(
        self, registry: Registry, sealer: Sealer, most_strangers: int, identified: Callable[[Met], None]
    ) -> None:
        """Follow the registry; `identified` hears of each device that is met, or is another one since a change."""
        self._registry = registry
        self._sealer = sealer
        self._most_strangers = most_strangers
        self._identified = identified
        self._met: dict[tuple[Protocol, str], Met] = {}
        self._ids: dict[tuple[Protocol, str], str] = {}
        self._address_of: dict[str, tuple[Protocol, str]] = {}
        self._series_of: dict[tuple[str, str], str] = {}
        self._channel_of: dict[str, tuple[str, str]] = {}
        for device in registry.devices.values():
            self._on_device(device, device.id)
        for series in registry.series.values():
            self._on_series(series, series.id)
        registry.on_device.append(self._on_device)
        registry.on_series.append(self._on_series)

    def meet(self, protocol: Protocol, address: str) -> Met | None:
        """Find a device by what it calls itself; None when too many strangers have come already."""
        met = self._met.get((protocol, address))
        if met is None:
            known = (protocol, address) in self._ids
            if not known and self._strangers() >= self._most_strangers:
                return None
            met = self._met[protocol, address] = Met(protocol, address)
            self._identify(met)
        return met

    def device_met(self, device: str) -> Met | None:
        """Find a registered device by its id; None when it was never seen here."""
        address = self._address_of.get(device)
        return self._met.get(address) if address else None

    def series_name(self, met: Met, channel: str) -> str | None:
        """Name the registered series of a channel; None when nobody has registered it."""
        name = self._series_of.get((met.device.id, channel)) if met.device else None
        if name is None:
            own = own_series(met.protocol, met.address, channel)
            name = own if own in self._registry.series else None
        return name

    def series(self, met: Met, channel: str) -> Series | None:
        """Find the registered series of a channel."""
        return self._registry.series.get(self.series_name(met, channel) or "")

    def _strangers(self) -> int:
        """Count the devices that nobody has registered; those not seen for an hour are forgotten first."""
        strangers = [met for met in self._met.values() if met.device is None]
        if len(strangers) >= self._most_strangers:
            oldest = self._registry.clock.now_micros() - FORGOTTEN_MICROSECONDS
            for met in strangers:
                if met.seen < oldest and not met.lines:
                    del self._met[met.protocol, met.address]
            strangers = [met for met in strangers if (met.protocol, met.address) in self._met]
        return len(strangers)

    def _identify(self, met: Met) -> None:
        """Look a device up in the registry, and open its secrets."""
        name = self._ids.get((met.protocol, met.address))
        met.device = self._registry.devices.get(name) if name else None
        met.secrets = Secrets()
        if met.problem == "secrets":
            met.problem = ""
        met.rows.clear()
        met.channels.clear()
        if met.device and met.device.sealed:
            try:
                met.secrets = decode_json(
                    Secrets, self._sealer.open_sealed(met.device.sealed, secrets_record(met.device.id))
                )
            except InvalidInput as error:
                met.note_problem("secrets", met.seen)
                log.warning("device_secrets_not_readable", device=met.device.id, detail=str(error))
        self._identified(met)

    def _on_device(self, device: Device | None, name: str) -> None:
        concerned = {self._address_of.pop(name, None)}
        if device is not None:
            self._address_of[name] = (device.protocol, device.address)
            concerned.add(self._address_of[name])
        for address in filter(None, concerned):
            if device is not None and self._address_of.get(name) == address:
                self._ids[address] = name
            elif self._ids.get(address) == name:
                del self._ids[address]
            if (met := self._met.get(address)) is not None:
                self._identify(met)

    def _on_series(self, series: Series | None, name: str) -> None:
        concerned = {self._channel_of.pop(name, None)}
        if series is not None and series.device is not None:
            self._channel_of[name] = (series.device, series.channel)
            concerned.add(self._channel_of[name])
        for place in filter(None, concerned):
            if self._channel_of.get(name) == place:
                self._series_of[place] = name
            elif self._series_of.get(place) == name:
                del self._series_of[place]
            if (met := self.device_met(place[0])) is not None:
                self._identify(met)


def secrets_record(device: str) -> str:
    """Name the record that a device's secrets are sealed for."""
    return f"device/{device}"
