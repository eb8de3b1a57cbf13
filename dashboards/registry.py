"""The page of stations and its API: devices as gateways see them, series with limits, changes by administrators."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Meta, Struct

from config.data import Data
from dashboards.api import body_of, query_of, reply, request_id_of
from dashboards.keys import DATA, VIEWER, store_of
from dashboards.pages import start_of
from dashboards.render import page
from domain.areas import covers
from domain.decode import convert
from domain.errors import Fault, InvalidInput
from domain.inputs import Slug
from domain.limits import write_out
from domain.registry import Device, Series
from responders.registration import Kind, Wish
from responders.stations import Sifting
from responders.views import Role

SHANGHAI = ZoneInfo("Asia/Shanghai")
MOST_ENTRIES = 50
"""Entries of one change; more come by `fenghuo series import`, which knows the lines of a file."""


class ListQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which devices or series; `device` lists the series of one, `id` finds a single entry."""

    text: Annotated[str, Meta(max_length=200)] = ""
    area: Annotated[str, Meta(pattern=r"^\d{0,15}$")] = ""
    source: Annotated[str, Meta(max_length=80)] = ""
    problems: bool = False
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200
    id: Slug | None = None
    device: Slug | None = None

    def sifting(self) -> Sifting:
        """Give it as the store takes it."""
        return Sifting(
            text=self.text, area=self.area, source=self.source, problems=self.problems, limit=self.limit
        )


class ChangesQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which changes; `before` continues a list by id."""

    kind: Kind | None = None
    ref: Slug | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    before: int | None = None


class WishBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an administrator wants: devices and series as in a file, and ids that go.

    A limit has a value, or an `aqi` and an `averaging`. Passwords are for `fenghuo device import`: none goes through here.
    """

    devices: Annotated[tuple[dict[str, Any], ...], Meta(max_length=MOST_ENTRIES)] = ()
    series: Annotated[tuple[dict[str, Any], ...], Meta(max_length=MOST_ENTRIES)] = ()
    gone_devices: Annotated[tuple[Slug, ...], Meta(max_length=MOST_ENTRIES)] = ()
    gone_series: Annotated[tuple[Slug, ...], Meta(max_length=MOST_ENTRIES)] = ()


async def show_registry(request: web.Request) -> web.Response:
    """Show the page; its script reads the lists."""
    store, viewer = store_of(request), request[VIEWER]
    content: dict[str, object] = {
        "change": await store.newest_change(),
        "may_change": viewer.role is Role.ADMIN,
        "sources": [
            source.slug
            for source in await store.sources()
            if covers(source.area, viewer.area) or covers(viewer.area, source.area)
        ],
        "categories": list(request.app[DATA].categories),
        "scales": scales_in(request.app[DATA]),
    }
    start = await start_of(request, content)
    return page(request, "registry.html", script="registry.js", start=start, viewer=viewer)


def scales_in(data: Data) -> dict[str, list[str]]:
    """Name the averaging times by which each pollutant has an index in the newest edition."""
    scales: dict[str, list[str]] = {}
    for scale in data.aqi.standards[-1].scale:
        scales.setdefault(scale.pollutant, []).append(scale.averaging)
    return scales


async def list_devices(request: web.Request) -> web.Response:
    """List devices, and strangers to those who may see them."""
    query = query_of(ListQuery, request.query)
    return reply(await store_of(request).register.devices(request[VIEWER], query.sifting(), query.id))


async def list_series(request: web.Request) -> web.Response:
    """List series with their newest value."""
    query = query_of(ListQuery, request.query)
    found = await store_of(request).register.series(request[VIEWER], query.sifting(), query.id, query.device)
    return reply(found)


async def list_changes(request: web.Request) -> web.Response:
    """List who changed what, newest first."""
    query = query_of(ChangesQuery, request.query)
    changes = await store_of(request).register.changes(
        request[VIEWER], query.kind, query.ref, query.limit, query.before
    )
    return reply({"changes": changes, "more": len(changes) == query.limit})


async def list_areas(request: web.Request) -> web.Response:
    """List the areas that a form offers."""
    return reply({"areas": await store_of(request).register.areas(request[VIEWER])})


async def plan(request: web.Request) -> web.Response:
    """Say what a change would do, and change nothing."""
    wish = await _wish_of(request)
    steps = await store_of(request).register.plan_for(request[VIEWER], wish, request.app[DATA].categories)
    return reply({"steps": steps})


async def change(request: web.Request) -> web.Response:
    """Make a change, once for each Idempotency-Key."""
    key = request_id_of(request)
    wish = await _wish_of(request)
    steps = await store_of(request).register.change_for(
        request[VIEWER], wish, request.app[DATA].categories, key
    )
    return reply({"steps": steps})


async def _wish_of(request: web.Request) -> Wish:
    """Decode what is wished, with limits written out by the standard in force; InvalidInput with all faults."""
    body = await body_of(WishBody, request)
    air = request.app[DATA].aqi
    on = (await store_of(request).clock()).now().astimezone(SHANGHAI).date()
    faults: list[Fault] = []
    devices: list[Device] = []
    series: list[Series] = []
    for number, values in enumerate(body.devices):
        found = [Fault("sealed", "is never taken from a form")] if "sealed" in values else []
        _decode(Device, values, f"devices[{number}]", devices, found, faults)
    for number, values in enumerate(body.series):
        found = []
        written = write_out(values, air, on, found)
        _decode(Series, written, f"series[{number}]", series, found, faults)
    if faults:
        raise InvalidInput(faults)
    return Wish(
        devices=tuple(devices),
        series=tuple(series),
        gone_devices=body.gone_devices,
        gone_series=body.gone_series,
    )


def _decode(
    kind: type[Any],
    values: dict[str, Any],
    where: str,
    records: list[Any],
    found: list[Fault],
    faults: list[Fault],
) -> None:
    """Make a record, or add its faults by field."""
    try:
        record = convert(kind, values)
    except InvalidInput as error:
        found.extend(fault for fault in error.faults if fault.field not in {one.field for one in found})
    else:
        records.append(record)
    faults.extend(Fault(f"{where}.{fault.field}", fault.reason) for fault in found)
