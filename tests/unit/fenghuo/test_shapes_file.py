"""GeoJSON of areas: what survey offices export is read, and every fault is told at its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidInput
from fenghuo.areas_file import COLUMNS
from fenghuo.shapes_file import OUTLINE_POINTS, read_shapes

SQUARE = [[120.0, 30.0], [120.1, 30.0], [120.1, 30.1], [120.0, 30.1], [120.0, 30.0]]
ISLAND = [[120.3, 30.0], [120.31, 30.0], [120.31, 30.01], [120.3, 30.0]]


def feature(properties: dict[str, Any], kind: str = "Polygon", coordinates: Any = None) -> dict[str, Any]:
    """Write a feature."""
    where = [SQUARE] if coordinates is None else coordinates
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": where}}


def written(folder: Path, *features: object, **more: object) -> Path:
    """Write a file."""
    file = folder / "areas.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}), encoding="utf-8")
    return file


def test_names_codes_and_polygons_are_read(tmp_path: Path) -> None:
    """Chinese headings as in tables; heights are left out; the outline is that of the largest part."""
    high = [[lon, lat, 12.5] for lon, lat in SQUARE]
    file = written(
        tmp_path,
        feature(
            {"统计用区划代码": "990101101", "名称": "青溪镇", "面积": 88}, "MultiPolygon", [[ISLAND], [high]]
        ),
    )
    (fields,), (shape,) = read_shapes(file, COLUMNS)
    assert (fields["code"], fields["name"]) == ("990101101", "青溪镇")
    assert fields["outline"] == tuple(map(tuple, SQUARE))
    assert 120.0 < fields["lon"] < 120.1
    assert shape.polygons == ((tuple(map(tuple, ISLAND)),), (tuple(map(tuple, SQUARE)),))


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """One wrong area stops the file, and each is named."""
    bow = [[120.0, 30.0], [120.1, 30.1], [120.1, 30.0], [120.0, 30.1], [120.0, 30.0]]
    file = written(
        tmp_path,
        feature({"code": "990101101"}),
        feature({"code": "990101102", "name": "白石镇"}, "Point", [120, 30]),
        feature({"code": "990101103", "name": "石桥镇"}, coordinates=[bow]),
        feature({"code": "990101104", "name": "望江镇"}, coordinates=[SQUARE[:3]]),
        feature({"code": "99", "name": "示例省"}, coordinates=[[[37_000_000, 4_000_000]] * 4]),
        feature({"code": "990101105", "name": "柳河镇"}),
        feature({"code": "990101105", "name": "柳河镇"}),
        "nothing",
    )
    with pytest.raises(InvalidInput) as told:
        read_shapes(file, COLUMNS)
    faults = [f"{fault.field} {fault.reason}" for fault in told.value.faults]
    for place, reason in (
        ("features[0].properties.name", "is missing"),
        ("features[1].geometry.type", "Polygon"),
        ("features[2].geometry", "Self-intersection"),
        ("features[3]", "four points"),
        ("features[4]", "degrees"),
        ("990101105", "2 times"),
        ("features[7].type", "Feature"),
    ):
        assert any(place in fault and reason in fault for fault in faults), (place, faults)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "FeatureCollection"),
        ('{"type": "FeatureCollection", "features": []}', "names no area"),
        ('{"type": "FeatureCollection", "features": 3}', "must be a list"),
        ('{"type": "FeatureCollection", "features": [], "crs": {"name": "EPSG:4527"}}', "CGCS2000"),
    ],
)
def test_what_is_no_such_file_is_said(tmp_path: Path, text: str, reason: str) -> None:
    """A projected file would be drawn in the sea: it is refused."""
    file = tmp_path / "areas.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=reason):
        read_shapes(file, COLUMNS)


def test_a_long_outline_is_shortened_and_the_shape_kept(tmp_path: Path) -> None:
    """Streams get one ring that fits a message; the map has every point."""
    steps = [[120 + n / 10_000, 30 + (n % 2) / 1_000_000] for n in range(5_000)]
    file = written(
        tmp_path, feature({"code": "990101", "name": "示例县"}, coordinates=[[*steps, [120.2, 31], steps[0]]])
    )
    (fields,), (shape,) = read_shapes(file, COLUMNS)
    assert len(shape.polygons[0][0]) == 5_002
    assert len(fields["outline"]) <= OUTLINE_POINTS
