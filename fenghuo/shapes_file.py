"""A GeoJSON file of areas (RFC 7946), as survey offices export it: names, codes and polygons."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import shapely

from domain.decode import convert
from domain.errors import Fault, InvalidInput
from domain.registry import Area
from domain.shapes import AreaShape, Ring

WGS84 = ("CRS84", "4326", "4490")
"""How a coordinate system that we draw calls itself: WGS 84, or CGCS2000 (EPSG:4490), which differs by less than a metre."""
MAX_BYTES = 512 * 1024 * 1024
OUTLINE_POINTS = 2_000
"""Detectors and gateways are told one ring of an area; a longer one is simplified, the map keeps the whole shape."""
DEPTH = {"Polygon": 1, "MultiPolygon": 2}


def read_shapes(file: Path, columns: dict[str, str]) -> tuple[list[dict[str, Any]], list[AreaShape]]:
    """Read the fields and the shape that a file gives of each area; InvalidInput with every fault at its place.

    `columns` says which property is which field. A field `outline` is made of the largest ring of each shape.
    """
    faults: list[Fault] = []
    fields, shapes = [], []
    for number, feature in enumerate(_features(file)):
        place = f"{file.name}: features[{number}]"
        try:
            values, shape = _read(feature, columns)
        except InvalidInput as error:
            faults += [Fault(f"{place}.{fault.field}", fault.reason) for fault in error.faults]
            continue
        fields.append(values)
        shapes.append(shape)
    for code, count in Counter(shape.code for shape in shapes).items():
        if count > 1:
            faults.append(
                Fault(f"{file.name}: {code}", f"is there {count} times; join its parts to one MultiPolygon")
            )
    if faults or not shapes:
        raise InvalidInput(faults or [Fault(file.name, "names no area")])
    return fields, shapes


def _features(file: Path) -> list[Any]:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InvalidInput([Fault(file.name, f"is longer than {MAX_BYTES // 2**20} MiB")])
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidInput([Fault(str(file), f"cannot be read: {error.strerror}")]) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput([Fault(file.name, f"is not JSON in UTF-8: {error}")]) from error
    if not isinstance(found, dict) or found.get("type") != "FeatureCollection":
        raise InvalidInput([Fault(f"{file.name}: type", "must be FeatureCollection")])
    system = json.dumps(found.get("crs"))
    if found.get("crs") is not None and not any(name in system for name in WGS84):
        raise InvalidInput(
            [Fault(f"{file.name}: crs", "must be WGS 84 or CGCS2000 in degrees; convert the file first")]
        )
    features = found.get("features")
    if not isinstance(features, list):
        raise InvalidInput([Fault(f"{file.name}: features", "must be a list")])
    return features


def _read(feature: Any, columns: dict[str, str]) -> tuple[dict[str, Any], AreaShape]:
    if not isinstance(feature, dict):
        raise InvalidInput([Fault("type", "must be Feature")])
    properties = feature.get("properties")
    given = properties if isinstance(properties, dict) else {}
    values = {
        columns[name]: str(value) for name, value in given.items() if name in columns and value is not None
    }
    faults = [
        Fault(f"properties.{name}", "is missing")
        for name in ("code", "name")
        if not values.get(name, "").strip()
    ]
    polygons, fault = _polygons(feature.get("geometry"))
    if faults or fault is not None:
        raise InvalidInput([*faults, *([fault] if fault else [])])
    shape = convert(AreaShape, {"code": values["code"], "polygons": polygons})
    rings = shapely.MultiPolygon([(polygon[0], polygon[1:]) for polygon in shape.polygons])
    if not rings.is_valid:
        raise InvalidInput([Fault("geometry", f"is no area: {shapely.is_valid_reason(rings)}")])
    centre = rings.representative_point()
    fields = {
        "lon": round(centre.x, 6),
        "lat": round(centre.y, 6),
        **values,
        "outline": _short(shape.outline),
    }
    convert(Area, fields, lenient=True)
    return fields, shape


def _polygons(geometry: Any) -> tuple[list[Any], Fault | None]:
    """Take the polygons of a geometry without heights."""
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in DEPTH:
        return [], Fault("geometry.type", "must be Polygon or MultiPolygon")
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    try:
        return [
            [[(float(point[0]), float(point[1])) for point in ring] for ring in polygon]
            for polygon in polygons
        ], None
    except (TypeError, ValueError, IndexError, KeyError):
        return [], Fault("geometry.coordinates", "must be rings of lon, lat")


def _short(ring: Ring) -> Ring:
    """Simplify a ring until it is short enough, by Douglas and Peucker (1973)."""
    tolerance = 1e-5
    while len(ring) > OUTLINE_POINTS:
        simple = shapely.simplify(shapely.Polygon(ring), tolerance, preserve_topology=True)
        ring = tuple((point[0], point[1]) for point in simple.exterior.coords)
        tolerance *= 2
    return ring
