"""What our alerts said, in SQL, for CAP messages: only what the reader may see."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec

from domain.errors import NotFound
from domain.findings import Finding
from domain.registry import Area
from responders.store.console import find_actor
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.views import CapVersion, Viewer

MOST_MESSAGES = 500


async def cap_versions(
    connection: Connection, viewer: Viewer | None, public: Iterable[str], limit: int
) -> list[CapVersion]:
    """List what a viewer or a machine may see, newest first."""
    limit = max(0, min(limit, MOST_MESSAGES))
    return [_version(row) for row in await _fetch(connection, viewer, public, limit, None, None)]


async def cap_version(
    connection: Connection, viewer: Viewer | None, public: Iterable[str], alert: UUID, version: int
) -> CapVersion:
    """Read one version; NotFound for what the reader may not see."""
    rows = await _fetch(connection, viewer, public, 1, alert, version)
    if not rows:
        raise NotFound("没有这条预警信息，或不在您的辖区。 There is no such message in your area.")
    return _version(rows[0])


async def _fetch(
    connection: Connection,
    viewer: Viewer | None,
    public: Iterable[str],
    limit: int,
    alert: UUID | None,
    version: int | None,
) -> list[Record]:
    area, categories = "", list(public)
    if viewer is not None:
        area, categories = (await find_actor(connection, viewer)).area, None  # type: ignore[assignment]  # all of them
    rows: list[Record] = await connection.fetch(sql("cap_versions"), area, limit, alert, version, categories)
    return rows


def _version(row: Record) -> CapVersion:
    fields: dict[str, Any] = dict(row)
    places = (fields.pop("place_record"), fields.pop("county_record"))
    place, county = (msgspec.json.decode(one, type=Area) if one else None for one in places)
    numbers, times = fields.pop("earlier_versions"), fields.pop("earlier_at")
    return msgspec.convert(
        {
            **fields,
            "evidence": msgspec.json.decode(fields["evidence"] or "[]", type=tuple[Finding, ...]),
            "place_area": place,
            "county_area": county,
            "earlier": tuple(zip(numbers, times, strict=True)),
        },
        CapVersion,
    )
