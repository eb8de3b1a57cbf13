"""The area tree as codes: who lies within whom is decided by prefix alone (DOMAIN.md, 4)."""

from enum import IntEnum


class AreaLevel(IntEnum):
    """Levels of the tree; the value is the length of the code in digits."""

    PROVINCE = 2
    CITY = 4
    COUNTY = 6
    TOWNSHIP = 9
    VILLAGE = 12
    GRID = 15


def is_area_code(code: str) -> bool:
    """Say whether the code has the form of an area: digits of a length that a level has."""
    return code.isascii() and code.isdigit() and len(code) in AreaLevel._value2member_map_


def level_of(code: str) -> AreaLevel:
    """Name the level of a well-formed code; ValueError for any other length."""
    return AreaLevel(len(code))


def up_to(code: str, level: AreaLevel) -> str:
    """Cut a code to the ancestor at a level; a code that is already above it stays as it is."""
    return code[:level]


def township_of(code: str) -> str:
    """Name the township (9 digits) that holds the area; codes above it stay as they are."""
    return up_to(code, AreaLevel.TOWNSHIP)


def county_of(code: str) -> str:
    """Name the county (6 digits) that holds the area; codes above it stay as they are."""
    return up_to(code, AreaLevel.COUNTY)


def covers(prefix: str, code: str) -> bool:
    """Say whether an area lies within another; the empty prefix covers the nation."""
    return code.startswith(prefix)


def parent_of(code: str) -> str | None:
    """Name the area one level up, None above a province."""
    lower = [level for level in AreaLevel if level < len(code)]
    return code[: lower[-1]] if lower else None
