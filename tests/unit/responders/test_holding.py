"""What holds a case's pages back, by tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.data import load_data
from domain.levels import Grade, Level
from responders.holds import (
    LOOK_AGAIN,
    NOTHING,
    Around,
    Hold,
    HoldKind,
    Item,
    Shelf,
    Source,
    Subject,
    Window,
    hold_of,
    look_at,
    persons_needed,
)

DATA = load_data()
NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMES = UUID("5a4d7a52-6c0f-4a7a-8d0e-9b1c3a990103")
TOWN, COUNTY = "990101101", "990101"
ITEM = Item("s1", "d1")
CASE = Subject("municipal-service", TOWN, Grade.IV, Level.BLUE, (ITEM,))
FLOOD = Source(uuid5(NAMES, "flood"), "flood", Level.ORANGE, TOWN, "洪涝 · 青溪镇")
SHELF = Shelf(uuid5(NAMES, "shelf"), "复测", "示例县值班室", NOW + HOUR, 1, Grade.IV)
WINDOW = Window(
    ref=uuid5(NAMES, "window"),
    area=TOWN,
    category="municipal-service",
    series="",
    device="",
    reason="检修",
    by="示例县值班室",
    starts_at=NOW - HOUR,
    ends_at=NOW + HOUR,
    persons=1,
)
OF_SERIES = replace(WINDOW, category="", series="s1")
OF_DEVICE = replace(WINDOW, category="", device="d1")


def kind(case: Subject, around: Around, now: datetime = NOW) -> HoldKind | None:
    """Name what holds a case."""
    hold = hold_of(case, around, DATA.inhibitions, DATA.shelvings, now)
    return None if hold is None else hold.kind


@pytest.mark.parametrize(
    ("case", "source", "held"),
    [
        (CASE, FLOOD, True),
        (CASE, replace(FLOOD, level=Level.RED), True),
        (CASE, replace(FLOOD, level=Level.YELLOW), False),
        (CASE, replace(FLOOD, place="990101102"), False),
        (CASE, replace(FLOOD, place="990101101003"), True),  # a village of the same township
        (CASE, replace(FLOOD, place=COUNTY), True),  # the whole county is flooded
        (replace(CASE, place=COUNTY), FLOOD, False),  # one township explains no county's case
        (CASE, replace(FLOOD, category="fire-hazard"), False),
        (replace(CASE, category="water-pollution"), FLOOD, False),
        (replace(CASE, grade=Grade.III), FLOOD, True),
        (replace(CASE, grade=Grade.II), FLOOD, False),
        (replace(CASE, level=Level.RED), FLOOD, False),
        (replace(CASE, fault=True), FLOOD, False),
    ],
)
def test_a_graver_case_near_by_explains_others(case: Subject, source: Source, held: bool) -> None:
    """Of the categories that the data names, in the same area, never of grades Ⅰ and Ⅱ."""
    assert kind(case, Around(sources=(source,))) == (HoldKind.INHIBITED if held else None)


@pytest.mark.parametrize(
    ("case", "windows", "held"),
    [
        (CASE, (WINDOW,), True),
        (CASE, (replace(WINDOW, area=COUNTY),), True),
        (CASE, (replace(WINDOW, area="990101102"),), False),
        (CASE, (replace(WINDOW, starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR),), False),
        (CASE, (replace(WINDOW, ends_at=NOW),), False),
        (CASE, (replace(WINDOW, category="flood"),), False),
        (CASE, (OF_SERIES,), True),
        (CASE, (OF_DEVICE,), True),
        (CASE, (replace(OF_SERIES, device="d2"),), False),
        (replace(CASE, evidence=(ITEM, Item("s2", "d1"))), (OF_SERIES,), False),
        (replace(CASE, evidence=(ITEM, Item("s2", "d1"))), (OF_DEVICE,), True),
        (
            replace(CASE, evidence=(ITEM, Item("s2", "d2"))),
            (OF_SERIES, replace(OF_DEVICE, device="d2")),
            True,
        ),
        (replace(CASE, evidence=(ITEM, Item())), (OF_DEVICE, OF_SERIES), False),
        (replace(CASE, evidence=()), (OF_SERIES, OF_DEVICE), False),
        (replace(CASE, fault=True), (WINDOW,), False),
        (replace(CASE, level=Level.RED), (WINDOW,), False),
        (replace(CASE, level=Level.RED), (replace(WINDOW, persons=2),), True),
        (replace(CASE, grade=Grade.II), (WINDOW,), False),
    ],
)
def test_maintenance_holds_what_lies_in_it_as_a_whole(
    case: Subject, windows: tuple[Window, ...], held: bool
) -> None:
    """Each piece of evidence must lie in a window; what is red, or grave, needs two persons behind it."""
    assert kind(case, Around(windows=windows)) == (HoldKind.MAINTENANCE if held else None)


@pytest.mark.parametrize(
    ("case", "shelf", "held"),
    [
        (CASE, SHELF, True),
        (CASE, replace(SHELF, until=NOW), False),
        (replace(CASE, grade=Grade.III), SHELF, False),  # it became graver than it was
        (replace(CASE, level=Level.RED), SHELF, False),
        (replace(CASE, level=Level.RED), replace(SHELF, persons=2), True),
        (replace(CASE, fault=True), SHELF, True),
    ],
)
def test_a_shelf_holds_until_its_end(case: Subject, shelf: Shelf, held: bool) -> None:
    """Bounded, for the grade it was given for, and by as many persons as it takes."""
    assert kind(case, Around(shelves=(shelf,))) == (HoldKind.SHELVED if held else None)


@given(st.sampled_from(Grade), st.sampled_from(Level))
def test_nobody_holds_back_what_is_red_alone(grade: Grade, level: Level) -> None:
    """Whatever one person does: a case that is red, or of grade Ⅰ, is paged."""
    case = replace(CASE, grade=grade, level=level)
    around = Around(shelves=(replace(SHELF, grade=Grade.I),), windows=(WINDOW, OF_SERIES))
    if level is Level.RED or grade is Grade.I:
        assert kind(case, around) is None
        assert persons_needed(grade, level, DATA.shelvings) == 2


def test_a_held_case_is_looked_at_again() -> None:
    """At the end of its hold, and never later than a quarter of an hour from now."""
    hold = Hold(HoldKind.SHELVED, SHELF.ref, "", "", NOW + timedelta(minutes=5))
    assert look_at(hold, NOW) == NOW + timedelta(minutes=5)
    assert look_at(replace(hold, until=None), NOW) == NOW + LOOK_AGAIN
    assert look_at(replace(hold, until=NOW + HOUR), NOW) == NOW + LOOK_AGAIN
    assert kind(CASE, NOTHING) is None
