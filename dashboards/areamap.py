"""The map's shapes, `/api/v1/map`: GeoJSON of the viewer's area, packed once per state of the registry."""

import asyncio
import gzip
from collections import OrderedDict
from typing import Literal

import msgspec
from aiohttp import web
from msgspec import Struct

from dashboards.keys import VIEWER, store_of
from responders.store.command import MapShape, MapShapes

KEPT = 16
"""Packed maps kept in memory: as many areas as are looked at; one with 10,000 cells takes about 1 MB."""


class Maps:
    """Packed maps by area and version."""

    def __init__(self) -> None:
        """Start with none."""
        self._packed: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._packing = asyncio.Lock()

    async def show(self, request: web.Request) -> tuple[str, bytes]:
        """Give the version and the gzipped GeoJSON of the viewer's area."""
        store, viewer = store_of(request), request[VIEWER]
        state = await store.command.shapes_version(viewer)
        async with self._packing:  # many screens that start together pack one map once
            if state not in self._packed:
                shapes = await store.command.shapes(viewer)
                self._packed[state] = await asyncio.to_thread(pack, shapes, state[1])
                if len(self._packed) > KEPT:
                    self._packed.popitem(last=False)
            self._packed.move_to_end(state)
            return state[1], self._packed[state]


MAPS = web.AppKey("maps", Maps)


class Geometry(Struct, frozen=True, kw_only=True):
    """A MultiPolygon of GeoJSON: polygons of rings of lon, lat."""

    type: Literal["MultiPolygon"] = "MultiPolygon"
    coordinates: list[list[list[tuple[float, float]]]]


class Named(Struct, frozen=True, kw_only=True):
    """What an area is called, and where its label stands (degrees)."""

    name: str
    name_en: str
    lon: float | None
    lat: float | None


class Feature(Struct, frozen=True, kw_only=True):
    """An area by its code; without a geometry where nobody gave a shape."""

    type: Literal["Feature"] = "Feature"
    id: str
    properties: Named
    geometry: Geometry | None


SHAPES = {
    "type": Literal["FeatureCollection"],
    "version": str,
    "area": str,
    "levels": list[int],
    "left_out": dict[str, int],
    "features": list[Feature],
}
"""What `/api/v1/map` answers; it is put together from text, since shapes are kept as they are sent."""


def pack(found: MapShapes, version: str) -> bytes:
    """Write shapes as a gzipped FeatureCollection."""
    collection = {
        "type": "FeatureCollection",
        "version": version,
        "area": found.area,
        "levels": found.levels.drawn,
        "left_out": {str(level): count for level, count in found.levels.left_out.items()},
        "features": [_feature(shape) for shape in found.shapes],
    }
    return gzip.compress(msgspec.json.encode(collection), 5, mtime=0)


def _feature(shape: MapShape) -> dict[str, object]:
    geometry = None
    if shape.polygons is not None:
        geometry = {"type": "MultiPolygon", "coordinates": msgspec.Raw(shape.polygons.encode())}
    properties = {"name": shape.name, "name_en": shape.name_en, "lon": shape.lon, "lat": shape.lat}
    return {"type": "Feature", "id": shape.code, "properties": properties, "geometry": geometry}


async def show_map(request: web.Request) -> web.Response:
    """Give the shapes of the viewer's area; a browser that has this version is told so in a few bytes."""
    version, packed = await request.app[MAPS].show(request)
    # The area is part of the tag: another account at the same browser has another map.
    etag = f'"{request[VIEWER].area}-{version}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Cookie"}
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        packed = await asyncio.to_thread(gzip.decompress, packed)
    else:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=packed, headers=headers, content_type="application/json")
