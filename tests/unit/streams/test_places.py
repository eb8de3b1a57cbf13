"""Addresses into areas by the names of the registry."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from domain.errors import InvalidInput
from domain.registry import Area
from streams.places import Places
from streams.registry import Registry

NOW = datetime(2026, 7, 1, tzinfo=UTC)
NAMES = {
    "99": "示例省",
    "9901": "示例市",
    "990101": "云岭县",
    "990101101": "青石镇",
    "990101102": "东风乡",
    "990101101001": "河口村",
    "990101102001": "河口村",
    "990101101002": "河口新村",
    "990101102002": "新村",
    "990101102003": "县",
    "990101101001001": "小学网格",
    "990102": "邻县",
    "990102101": "新桥镇",
}


@dataclass
class FakeRegistry:
    """The areas of a registry, and its count of changes."""

    areas: dict[str, Area] = field(default_factory=dict)
    revision: int = 1


@pytest.fixture
def registry() -> FakeRegistry:
    """Know two counties."""
    return FakeRegistry({code: Area(code=code, name=name) for code, name in NAMES.items()})


def places(registry: FakeRegistry) -> Places:
    """Look into a registry."""
    return Places(cast(Registry, registry))


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("示例省示例市云岭县青石镇河口村3组", "990101101001"),
        ("青石镇河口新村12号", "990101101002"),
        ("东风乡河口村", "990101102001"),
        ("在东风乡的新村口", "990101102002"),
        ("青石镇政府门口", "990101101"),
        ("青石镇新村路8号", "990101101"),
        ("云岭县城关", "990101"),
        ("新村往青石镇方向", "990101101"),
        ("小学网格青石镇", "990101101"),
    ],
)
def test_the_lowest_area_that_fits_what_is_named_above(
    registry: FakeRegistry, address: str, code: str
) -> None:
    """Township and county in an address decide which village is meant; a village elsewhere of that name is not."""
    assert places(registry).locate(address, "990101", NOW) == code


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("河口村3组", "may mean 河口村 990101101001、河口村 990101102001"),
        ("青石镇与东风乡交界", "may mean 青石镇 990101101、东风乡 990101102"),
        ("人民路5号", "names no area that is known here"),
        ("新桥镇", "names no area that is known here"),
        ("县", "names no area that is known here"),
        ("", "names no area that is known here"),
    ],
)
def test_nothing_is_guessed(registry: FakeRegistry, address: str, why: str) -> None:
    """An address that names nothing, or two places, or a place outside the source's area, is a fault that says so."""
    with pytest.raises(InvalidInput, match="address") as caught:
        places(registry).locate(address, "990101", NOW)
    assert why in str(caught.value)


def test_a_change_of_the_registry_is_seen(registry: FakeRegistry) -> None:
    """An area that is renamed is found by its new name, one that ended is not found any more."""
    found = places(registry)
    assert found.locate("青石镇", "990101", NOW) == "990101101"
    registry.areas["990101101"] = Area(code="990101101", name="青石街道")
    registry.areas["990101102"] = Area(code="990101102", name="东风乡", valid_to=NOW - timedelta(days=1))
    registry.revision += 1
    assert found.locate("青石街道", "990101", NOW) == "990101101"
    for gone in ("青石镇", "东风乡"):
        with pytest.raises(InvalidInput):
            found.locate(gone, "990101", NOW)
