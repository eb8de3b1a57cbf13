"""The table of hydrological elements is checked as a whole, and what we ship is right."""

from pathlib import Path

import pytest

from config.data import load_data
from config.hydrology import Bit, Element, ElementKind, check_elements
from domain.errors import InvalidConfiguration

STAGE = Element(id="39", zh="水位", en="Level", digits=7, decimals=3)
DOOR = Bit(bit=7, slug="door", zh="箱门", en="door")


def test_what_we_ship_has_the_formats_of_published_messages() -> None:
    """Length and decimals of a level, of rain and of a voltage are those of real frames: 23, 19 and 12."""
    elements = {element.id: element for element in load_data().elements}
    formats = {
        name: elements[name].length << 3 | elements[name].decimals for name in ("39", "20", "26", "38")
    }
    assert formats == {"39": 0x23, "20": 0x19, "26": 0x19, "38": 0x12}
    assert elements["f4"].count * elements["f4"].size == 0x60 >> 3
    assert elements["f5"].count * elements["f5"].size == 0xC0 >> 3


@pytest.mark.parametrize(
    ("elements", "told"),
    [
        ([STAGE, STAGE], ["element: 39 is there twice"]),
        (
            [Element(id="39", zh="水位", en="Level")],
            ["element.digits: 39: belongs to a number, and to nothing else"],
        ),
        (
            [Element(id="f4", zh="雨量", en="Rain", kind=ElementKind.SERIES, digits=3)],
            ["element.digits: f4: belongs to a number, and to nothing else"],
        ),
        (
            [Element(id="45", zh="状态", en="State", kind=ElementKind.STATUS)],
            ["element.bits: 45: belong to a status, and to nothing else"],
        ),
        (
            [Element(id="45", zh="状态", en="State", kind=ElementKind.STATUS, bits=(DOOR, DOOR))],
            ["element.bits: 45: bit 7 is there twice", "element.bits: 45: slug door is there twice"],
        ),
    ],
    ids=["double", "no digits", "digits of a series", "no bits", "double bits"],
)
def test_each_fault_is_told(elements: list[Element], told: list[str]) -> None:
    """What contradicts itself is named, all at once."""
    assert [str(fault) for fault in check_elements(elements)] == told


def test_a_local_table_replaces_ours_and_its_faults_are_told(tmp_path: Path) -> None:
    """It is read with the other data files, so `fenghuo check` tells of it."""
    file = tmp_path / "hydrology.toml"
    row = '[[element]]\nid = "39"\nzh = "水位"\nen = "Level"\ndigits = 7\ndecimals = 3\n'
    file.write_text(row, encoding="utf-8")
    assert [element.id for element in load_data(tmp_path).elements] == ["39"]
    file.write_text(row * 2, encoding="utf-8")
    with pytest.raises(InvalidConfiguration, match="element: 39 is there twice"):
        load_data(tmp_path)
