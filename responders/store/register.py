"""The store's methods for the register of devices and series: to change it, and to look at it within one's own area."""

from collections.abc import Collection, Iterable
from uuid import UUID

import msgspec

from domain.aqi import AirQuality
from domain.areas import AreaLevel
from domain.devices import Sighting
from domain.registry import Series
from responders.registration import Kind, Step, Wish
from responders.stations import (
    DeviceList,
    DeviceRow,
    Followed,
    RegistryChange,
    SeriesList,
    SeriesRow,
    Sifting,
    Stranger,
    end_of,
)
from responders.store import stations
from responders.store.console import find_actor
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.views import Role, Viewer

MOST_CHANGES = 500
MOST_AREAS = 5_000


class Register:
    """Devices, series and their limits; each method is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def plan(self, wish: Wish, categories: Collection[str]) -> tuple[Step, ...]:
        """Say what a wish would do; InvalidInput with everything that speaks against it."""
        return await self._database.read(stations.plan, wish, categories)

    async def change(
        self, wish: Wish, categories: Collection[str], actor: str, user: UUID | None = None
    ) -> tuple[Step, ...]:
        """Make a change, all of it or nothing, and publish it; `actor` stands on the record.

        For whoever needs no permission here, such as the command line. InvalidInput as for `plan`.
        """
        return await self._database.run(stations.change, wish, categories, actor, user)

    async def plan_for(self, viewer: Viewer, wish: Wish, categories: Collection[str]) -> tuple[Step, ...]:
        """Say what a wish of an administrator would do; outside the own area everything is a fault."""
        return await self._database.read(stations.plan_for, viewer, wish, categories)

    async def change_for(
        self, viewer: Viewer, wish: Wish, categories: Collection[str], request_id: UUID
    ) -> tuple[Step, ...]:
        """Make a change for an administrator; the same `request_id` again changes nothing and answers the same."""
        return await self._database.run(stations.change_for, viewer, wish, categories, request_id)

    async def remove_devices(self, names: Iterable[str]) -> None:
        """Remove devices here and on the topic, unchecked."""
        await self._database.run(stations.remove_devices, list(names))

    async def remove_series(self, names: Iterable[str]) -> None:
        """Remove series here and on the topic, unchecked."""
        await self._database.run(stations.remove_series, list(names))

    async def follow_standard(self, air: AirQuality) -> Followed:
        """Bring limits that are stated as an AQI to the standard in force on the county's date.

        A limit that the edition does not know stays as it is.
        """
        return await self._database.run(stations.follow_standard, air)

    async def sightings(self) -> list[Sighting]:
        """List what each gateway saw of each device."""
        return await self._database.read(stations.list_sightings)

    async def devices(self, viewer: Viewer, sifting: Sifting, only: str | None = None) -> DeviceList:
        """List devices of the viewer's area; strangers too for administrators and from the county upwards."""
        return await self._database.read(_devices, viewer, sifting, only)

    async def series(
        self, viewer: Viewer, sifting: Sifting, only: str | None = None, device: str | None = None
    ) -> SeriesList:
        """List series of the viewer's area with the newest value of each."""
        return await self._database.read(_series, viewer, sifting, only, device)

    async def changes(
        self,
        viewer: Viewer,
        kind: Kind | None = None,
        ref: str | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> list[RegistryChange]:
        """List who changed what in the viewer's area, newest first; `before` continues a list by id."""
        return await self._database.read(_changes, viewer, kind, ref, limit, before)

    async def areas(self, viewer: Viewer) -> list[tuple[str, str]]:
        """List code and name of the areas in which the viewer may register something."""
        return await self._database.read(_areas, viewer)


async def _devices(connection: Connection, viewer: Viewer, sifting: Sifting, only: str | None) -> DeviceList:
    actor = await find_actor(connection, viewer, Role)
    rows = await connection.fetch(
        sql("devices_of"),
        actor.area,
        sifting.words(),
        sifting.area,
        sifting.source,
        only,
        sifting.problems,
        sifting.limit,
    )
    strangers = None
    if actor.role is Role.ADMIN or len(actor.area) <= AreaLevel.COUNTY:
        strangers = await connection.fetch(sql("unregistered"), sifting.words(), sifting.limit)
    return DeviceList(
        devices=tuple(msgspec.convert(dict(row), DeviceRow) for row in rows),
        total=rows[0]["total"] if rows else 0,
        strangers=None
        if strangers is None
        else tuple(msgspec.convert(dict(row), Stranger) for row in strangers),
        strangers_total=strangers[0]["total"] if strangers else 0,
    )


async def _series(
    connection: Connection, viewer: Viewer, sifting: Sifting, only: str | None, device: str | None
) -> SeriesList:
    actor = await find_actor(connection, viewer, Role)
    rows = await connection.fetch(
        sql("series_rows"),
        actor.area,
        sifting.words(),
        sifting.area,
        sifting.source,
        only,
        device,
        sifting.problems,
        sifting.limit,
    )
    return SeriesList(
        series=tuple(
            SeriesRow(
                series=msgspec.json.decode(row["record"], type=Series),
                area_name=row["area_name"],
                last_at=end_of(row["minute"]),
                last=row["last"],
                good=bool(row["good"]),
                silent=row["silent"],
            )
            for row in rows
        ),
        total=rows[0]["total"] if rows else 0,
    )


async def _changes(
    connection: Connection, viewer: Viewer, kind: Kind | None, ref: str | None, limit: int, before: int | None
) -> list[RegistryChange]:
    actor = await find_actor(connection, viewer, Role)
    rows = await connection.fetch(
        sql("registry_changes"), actor.area, kind, ref, max(0, min(limit, MOST_CHANGES)), before
    )
    return [
        msgspec.convert({**row, "fields": msgspec.json.decode(row["fields"])}, RegistryChange) for row in rows
    ]


async def _areas(connection: Connection, viewer: Viewer) -> list[tuple[str, str]]:
    actor = await find_actor(connection, viewer, Role)
    return [
        (row["code"], row["name"]) for row in await connection.fetch(sql("areas_of"), actor.area, MOST_AREAS)
    ]
