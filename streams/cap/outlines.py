"""From polygons, circles and codes of CAP to our areas, by the outlines that the registry knows."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime

import shapely
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from domain.areas import AreaLevel, county_of, covers
from domain.cap import CapArea, area_code_of
from domain.registry import Area

MIN_SHARE = 0.1
"""A township counts when this share of it lies inside: a border that is drawn roughly must not warn the neighbours."""
MIN_INSIDE = 0.5
"""Or when this share of the warned place lies in it: a leak of 300 m is a small part of any township."""
WHOLE_SHARE = 0.98
"""A county whose own outline is covered so far is warned as a whole."""
KM_PER_DEGREE = 111.195
"""Of latitude, on a sphere of 6371 km."""
CIRCLE_POINTS = 64


def shape_of(areas: tuple[CapArea, ...]) -> BaseGeometry | None:
    """Draw what polygons and circles hold together, in degrees of lon and lat; None without any."""
    parts: list[BaseGeometry] = [
        Polygon([(lon, lat) for lat, lon in ring]) for area in areas for ring in area.polygons
    ]
    parts += [_circle(*circle) for area in areas for circle in area.circles]
    if not parts:
        return None
    return unary_union([part if part.is_valid else shapely.make_valid(part) for part in parts])


def _circle(centre: tuple[float, float], radius_km: float) -> BaseGeometry:
    """Draw a circle on the ground; of radius 0 it is its centre."""
    lat, lon = centre
    if radius_km == 0:
        return Point(lon, lat)
    up = radius_km / KM_PER_DEGREE
    aside = up / max(math.cos(math.radians(lat)), 0.01)
    steps = (2 * math.pi * number / CIRCLE_POINTS for number in range(CIRCLE_POINTS))
    return Polygon([(lon + aside * math.cos(step), lat + up * math.sin(step)) for step in steps])


class Outlines:
    """The townships and counties of the registry as shapes, drawn once and again when an area changes."""

    def __init__(self) -> None:
        """Begin without any."""
        self._drawn: dict[str, tuple[Area, BaseGeometry | None]] = {}

    def codes(
        self, areas: tuple[CapArea, ...], known: Mapping[str, Area], within: str, now: datetime
    ) -> tuple[str, ...]:
        """Name our areas inside `within` that are meant: by code, by place, or, where neither is told, by name.

        Of a county whose townships are all hit the county is named. Empty when what is meant lies elsewhere.
        """
        there = {
            code: area
            for code, area in known.items()
            if covers(within, code)
            and (area.valid_from is None or area.valid_from <= now)
            and (area.valid_to is None or now < area.valid_to)
        }
        found = set(_by_code(areas, there, within))
        shape = shape_of(areas)
        if shape is not None and not shape.is_empty:
            found |= set(self._by_place(shape, there))
        if shape is None and not any(area.geocodes for area in areas):
            found |= set(_by_name(areas, there))
        return tuple(
            sorted(
                code for code in found if not any(other != code and covers(other, code) for other in found)
            )
        )

    def _by_place(self, shape: BaseGeometry, there: Mapping[str, Area]) -> Iterator[str]:
        hits: dict[str, set[str]] = {}
        townships: dict[str, set[str]] = {}
        for code, area in there.items():
            if len(code) == AreaLevel.TOWNSHIP:
                townships.setdefault(county_of(code), set()).add(code)
                if self._is_hit(area, shape):
                    hits.setdefault(county_of(code), set()).add(code)
        for county, hit in hits.items():
            if county in there and hit == townships[county]:
                yield county
            else:
                yield from hit
        for code, area in there.items():
            if len(code) == AreaLevel.COUNTY and self._is_whole(area, shape, known=bool(townships.get(code))):
                yield code

    def _is_hit(self, area: Area, shape: BaseGeometry) -> bool:
        outline = self._outline(area)
        if outline is None:
            return area.lat is not None and area.lon is not None and shape.covers(Point(area.lon, area.lat))
        if not shape.intersects(outline):
            return False
        if shape.area == 0:
            return True
        common = shape.intersection(outline).area
        return bool(common >= MIN_SHARE * outline.area or common >= MIN_INSIDE * shape.area)

    def _is_whole(self, area: Area, shape: BaseGeometry, *, known: bool) -> bool:
        """Say whether a county is meant as a whole; without known townships it is enough that it is hit."""
        if not known:
            return self._is_hit(area, shape)
        outline = self._outline(area)
        return outline is not None and bool(
            shape.intersects(outline) and shape.intersection(outline).area >= WHOLE_SHARE * outline.area
        )

    def _outline(self, area: Area) -> BaseGeometry | None:
        drawn = self._drawn.get(area.code)
        if drawn is None or drawn[0] is not area:
            shape: BaseGeometry | None = Polygon(area.outline) if len(area.outline) >= 3 else None
            if shape is not None and not shape.is_valid:
                shape = shapely.make_valid(shape)
            drawn = self._drawn[area.code] = (area, None if shape is None or shape.area == 0 else shape)
        return drawn[1]


def _by_code(areas: tuple[CapArea, ...], there: Mapping[str, Area], within: str) -> Iterator[str]:
    for area in areas:
        for name, value in area.geocodes:
            code = area_code_of(name, value)
            if code is None:
                continue
            if code in there:
                yield code
            elif covers(
                code, within
            ):  # a warning for the province is one for the whole of what we may hear of
                yield from (
                    [within] if within in there else [one for one in there if len(one) == AreaLevel.COUNTY]
                )
            elif county_of(code) in there and len(code) > AreaLevel.TOWNSHIP and code[:9] in there:
                yield code[:9]


def _by_name(areas: tuple[CapArea, ...], there: Mapping[str, Area]) -> Iterator[str]:
    """Find areas whose names stand in the description, when each means one area only."""
    names: dict[str, list[str]] = {}
    for code, area in there.items():
        if len(code) in (AreaLevel.COUNTY, AreaLevel.TOWNSHIP):
            names.setdefault(area.name, []).append(code)
    for told in areas:
        for word in told.description.replace("、", ",").replace("，", ",").replace(";", ",").split(","):
            codes = names.get(word.strip(), [])
            if len(codes) == 1:
                yield codes[0]
