"""The area tree is a matter of prefixes."""

import pytest

from domain.areas import AreaLevel, county_of, covers, is_area_code, level_of, parent_of, township_of


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [
        ("99", AreaLevel.PROVINCE, None),
        ("9901", AreaLevel.CITY, "99"),
        ("990101", AreaLevel.COUNTY, "9901"),
        ("990101001", AreaLevel.TOWNSHIP, "990101"),
        ("990101001002", AreaLevel.VILLAGE, "990101001"),
        ("990101001002003", AreaLevel.GRID, "990101001002"),
    ],
)
def test_each_level_has_its_length_and_parent(code: str, level: AreaLevel, parent: str | None) -> None:
    """The length of a code names its level, and the parent is a prefix."""
    assert is_area_code(code)
    assert level_of(code) is level
    assert parent_of(code) == parent


@pytest.mark.parametrize("code", ["", "9", "990", "99010100a", "９９", "9901010010020030"])
def test_other_forms_are_no_areas(code: str) -> None:
    """Odd lengths, letters and full-width digits are refused."""
    assert not is_area_code(code)


def test_ancestors_are_cut_and_higher_codes_stay() -> None:
    """The township of a grid cell is its first nine digits; a county has none."""
    assert township_of("990101001002003") == "990101001"
    assert county_of("990101001002003") == "990101"
    assert township_of("990101") == "990101"


def test_cover_is_prefix_and_empty_covers_all() -> None:
    """A county covers its grid cells and not its neighbour's."""
    assert covers("990101", "990101001002003")
    assert not covers("990102", "990101001")
    assert covers("", "99")
