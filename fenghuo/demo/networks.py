"""The 2,000 series of the demo county: who measures what where, with limits, and how each behaves on a common day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from msgspec import Meta, Struct, convert

from config.data import load_data
from domain.errors import Fault, InvalidConfiguration
from domain.limits import write_out
from domain.registry import Device, Limit, Protocol, Series
from fenghuo.demo.places import Places, read_data

ADDRESS_DIGITS = {Protocol.HJ212: 24, Protocol.SL651: 10}
"""How long an address is in each protocol."""
SCENARIO_DAY = date(2026, 6, 19)
"""The day by whose standard limits of the air are written out; `county.START` is on it."""
INTERVAL_SECONDS = 900.0
"""Stations promise a reading every quarter of an hour; on the scenario's day they send every five minutes."""


class Quantity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a station measures and how it behaves on a common day."""

    slug: str
    zh: str
    unit: str
    code: str = ""
    base: float
    daily: float = 0.0
    peak_hour: float = 12.0
    noise: float = 0.0
    spread: float = 0.12
    memory_minutes: Annotated[float, Meta(gt=0)] = 60.0
    resolution: float = 0.01
    low: float
    high: float
    limits: tuple[Limit, ...] = ()


class Network(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stations of one kind and of one owner; on rivers they stand in downstream order.

    With a `protocol` each station is a device that connects by itself, and `address` is how it begins to call itself there.
    """

    slug: str
    source: str
    zh: str = ""
    protocol: Protocol | None = None
    address: str = ""
    category: str
    quantity: tuple[Quantity, ...]
    stations: int = 0
    place: str = "cells"


class _NetworkFile(Struct, frozen=True, forbid_unknown_fields=True):
    network: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """One series of the demo with what the generator must know of it; `station` counts from 0 in its network or river."""

    series: Series
    network: str
    river: str | None
    station: int
    quantity: Quantity
    device: Device | None = None


def build_channels(places: Places, share: float = 1.0) -> tuple[Channel, ...]:
    """Build all channels; a smaller `share` leaves out stations, but never of the rivers."""
    km_of = {(river.slug, station): km for river in places.rivers for station, km in enumerate(river.km)}
    networks = convert(_written_out(read_data("networks.toml")), _NetworkFile).network
    return tuple(
        channel
        for number, network in enumerate(networks)
        for count, (river, station, name, cell) in enumerate(_stations(network, places, number, share), 1)
        for channel in _channels(network, count, river, station, name, cell, km_of)
    )


def _written_out(file: dict[str, Any]) -> dict[str, Any]:
    """Write out the limits that are stated as an air quality index."""
    air, faults = load_data().aqi, list[Fault]()

    def limits(quantity: dict[str, Any]) -> dict[str, Any]:
        series = {name: quantity.get(name, ()) for name in ("unit", "limits")}
        written = write_out({**series, "quantity": quantity["slug"]}, air, SCENARIO_DAY, faults)
        return {**quantity, "limits": written["limits"]}

    networks = [
        {**network, "quantity": [limits(quantity) for quantity in network["quantity"]]}
        for network in file["network"]
    ]
    if faults:
        raise InvalidConfiguration(faults)
    return {"network": networks}


def _stations(
    network: Network, places: Places, number: int, share: float
) -> list[tuple[str | None, int, str, str]]:
    """List (river, number, name, cell) of each station."""
    if network.place == "river":
        return [
            (river.slug, station, f"{river.name}{station + 1}号站", cell)
            for river in places.rivers
            for station, cell in enumerate(river.cells)
        ]
    step = len(places.cells) / network.stations
    kept = [
        station for station in range(network.stations) if int((station + 1) * share) > int(station * share)
    ]
    cells = [places.cells[int(station * step + number) % len(places.cells)] for station in kept]
    return [(None, station, f"{station + 1}号", cell) for station, cell in zip(kept, cells, strict=True)]


def _device(network: Network, number: int, where: str, name: str, cell: str) -> Device | None:
    """Make the data logger of a station of a network whose stations connect by themselves."""
    if network.protocol is None:
        return None
    digits = ADDRESS_DIGITS[network.protocol] - len(network.address)
    return Device(
        id=f"{network.slug}.{where}",
        name=f"{network.zh}{name}数据采集仪",
        station=f"{network.zh}{name}",
        area=cell,
        source=network.source,
        protocol=network.protocol,
        address=f"{network.address}{number:0{digits}d}",
    )


def _channels(
    network: Network,
    number: int,
    river: str | None,
    station: int,
    name: str,
    cell: str,
    km_of: Mapping[tuple[str, int], float],
) -> list[Channel]:
    where = f"{river}{station + 1:02d}" if river else f"{station + 1:03d}"
    device = _device(network, number, where, name, cell)
    return [
        Channel(
            Series(
                id=f"{network.slug}.{where}.{quantity.slug}",
                name=f"{name}{quantity.zh}",
                quantity=quantity.slug,
                unit=quantity.unit,
                area=cell,
                category=network.category,
                source=network.source,
                interval_seconds=INTERVAL_SECONDS,
                low=quantity.low,
                high=quantity.high,
                limits=quantity.limits,
                device=device.id if device else None,
                channel=quantity.code if device else "",
                river=river,
                river_km=km_of[river, station] if river else None,
            ),
            network.slug,
            river,
            station,
            quantity,
            device,
        )
        for quantity in network.quantity
    ]
