"""The demo county's stations that connect by themselves: each with its own connection, as the devices of a county have."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Self, assert_never

from config.hydrology import Element
from domain.registry import Device, Protocol
from fenghuo.demo.county import County
from fenghuo.simulate.hj212_station import Hj212Station
from fenghuo.simulate.sl651_station import Sl651Station

HOST = "127.0.0.1"
SYSTEMS = {"river": "21", "air": "22"}
"""ST of HJ 212 by network: surface water, air."""


class Stations:
    """All of them, connected while the context is open."""

    def __init__(
        self, county: County, port_of: Callable[[Protocol], int], elements: Mapping[str, Element]
    ) -> None:
        """Take the county, where its gateway listens for each protocol, and the elements of SL 651."""
        self._port_of = port_of
        self._elements = elements
        self._stations = {
            device.id: self._connect(device, county.passwords[device.id]) for device in county.devices
        }
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Connect each when it has something to say."""
        for station in self._stations.values():
            await self._stack.enter_async_context(station)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def report(self, at: datetime, values: Mapping[str, Mapping[str, float]]) -> None:
        """Have stations report what they measured at a time, by device and channel, and wait until all are confirmed.

        Unavailable when the gateway is away for too long; a station sends again until then.
        """
        async with asyncio.TaskGroup() as group:
            for device, measured in values.items():
                group.create_task(self._report(self._stations[device], at, measured))

    async def _report(
        self, station: Hj212Station | Sl651Station, at: datetime, measured: Mapping[str, float]
    ) -> None:
        await station.report(at, measured)

    def _connect(self, device: Device, password: str) -> Hj212Station | Sl651Station:
        """Make the station of a device."""
        port = self._port_of(device.protocol)
        match device.protocol:
            case Protocol.HJ212:
                system = SYSTEMS[device.id.partition(".")[0]]
                return Hj212Station(HOST, port, device.address, password=password, st=system)
            case Protocol.SL651:
                return Sl651Station(HOST, port, device.address, self._elements, password=password)
            case Protocol.MQTT:
                raise ValueError(f"{device.id} speaks MQTT, which no station of the demo does")
            case _:
                assert_never(device.protocol)
