"""Clocks of the law as data: those of the table are shipped, and every fault of local ones is told at once."""

from pathlib import Path

import pytest

from config.clocks import ReportClock
from config.data import load_data
from domain.errors import InvalidConfiguration
from domain.levels import EventClass

SHIPPED = {clock.slug: clock for clock in load_data().clocks}
LAW = [
    ("work-safety", "unit", "county", "written", 60, (1, 2, 3, 4)),
    ("work-safety", "county", "city", "written", 120, (1, 2, 3, 4)),
    ("work-safety", "city", "province", "written", 120, (1, 2, 3)),
    ("work-safety", "province", "nation", "written", 120, (1, 2)),
    ("public-health", "unit", "county", "written", 120, (1, 2, 3, 4)),
    ("public-health", "county", "county", "written", 120, (1, 2, 3, 4)),
    ("public-health", "county", "city", "written", 120, (1, 2, 3, 4)),
    ("public-health", "city", "province", "written", 120, (1, 2, 3)),
    ("public-health", "province", "nation", "written", 60, (1, 2)),
    ("infectious-disease-urgent", "unit", "county", "written", 120, (1, 2, 3)),
    ("infectious-disease", "unit", "county", "written", 1440, (4,)),
    ("general", "county", "city", "written", 120, (1, 2, 3)),
    ("general", "city", "province", "written", 180, (1, 2, 3)),
    ("township-practice", "township", "county", "phone", 20, (1, 2, 3)),
    ("township-practice", "township", "county", "written", 40, (1, 2, 3)),
]
"""DOMAIN.md, 2: from whom to whom, in which form, within how many minutes, for which grades."""

BAD = """
[[clock]]
slug = "one"
zh = "一"
en = "One"
area = "99010"
classes = ["accident"]
categories = ["fire-hazard", "moon-quake", "flood"]
without = ["flood"]
starts = "detected"
at_once = [1]
per_day = [1, 2, 1, 0]
source = "x"
mark = "s"
legs = [
  { by = "city", to = "county", minutes = 60, office = "人民政府", form = "phone" },
  { by = "county", to = "county", minutes = 60, office = "人民政府", form = "phone" },
  { by = "county", to = "county", minutes = 60, office = "人民政府", form = "phone", grades = [1, 1] },
  { by = "nation", to = "moon", minutes = 60, office = "人民政府", form = "phone" },
  { by = "unit", to = "township", minutes = 60, office = "人民政府", form = "phone" },
]

[[clock]]
slug = "one"
zh = "一"
en = "One"
classes = ["accident"]
without = ["fire-hazard"]
area = "99"
source = "x"
mark = "m"
legs = [{ by = "county", to = "city", minutes = 60, office = "人民政府" }]
"""


@pytest.mark.parametrize(("slug", "by", "to", "form", "minutes", "grades"), LAW)
def test_each_limit_of_the_law_is_shipped(
    slug: str, by: str, to: str, form: str, minutes: float, grades: tuple[int, ...]
) -> None:
    """Each step of each regulation has its limit, for the grades that it is for."""
    (leg,) = [leg for leg in SHIPPED[slug].legs if leg.key == (by, to, form)]
    assert (leg.minutes, leg.grades) == (minutes, grades)


def test_nothing_else_is_shipped() -> None:
    """Every clock names its source, and none has a step that the table of the law has not."""
    legs = {(slug, *leg.key) for slug, clock in SHIPPED.items() for leg in clock.legs}
    assert legs == {row[:4] for row in LAW}
    assert all(clock.source and clock.mark in "sm" for clock in SHIPPED.values())
    assert SHIPPED["work-safety"].per_day == (2, 2, 1, 1)


@pytest.mark.parametrize(
    ("slug", "category", "event_class", "concerned"),
    [
        ("work-safety", "fire-hazard", EventClass.ACCIDENT, True),
        ("work-safety", "water-pollution", EventClass.ACCIDENT, False),
        ("general", "water-pollution", EventClass.ACCIDENT, True),
        ("general", "noise-complaint", EventClass.ACCIDENT, False),
        ("general", "", None, False),
        ("public-health", "food-poisoning", EventClass.PUBLIC_HEALTH, True),
        ("infectious-disease", "food-poisoning", EventClass.PUBLIC_HEALTH, False),
    ],
)
def test_whom_a_clock_concerns(
    slug: str, category: str, event_class: EventClass | None, concerned: bool
) -> None:
    """Classes, then the categories named or left out; complaints owe the state nothing."""
    assert SHIPPED[slug].concerns(category, event_class, "990101101") is concerned


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """Areas, categories, times and steps that cannot be, each by its place in the file."""
    (tmp_path / "clocks.toml").write_text(BAD, encoding="utf-8")
    with pytest.raises(InvalidConfiguration) as caught:
        load_data(tmp_path)
    text = "\n".join(map(str, caught.value.faults))
    for expected in (
        "clock[0].area: '99010' is no area code",
        "clock[0].without: goes without categories",
        "clock[0].categories: names the category 'moon-quake', which there is not",
        "clock[0].categories: flood is of none of the classes named",
        "clock[0].at_once: is for clocks that start when a case is confirmed",
        "clock[0].per_day: must not ask more of a less grave case",
        "clock[0].legs: needs a written one",
        "clock[0].legs[0].to: county lies below city: reports go up",
        "clock[0].legs[1].post: must name who of the county",
        "clock[0].legs[2]: county to county, phone, is there twice",
        "clock[0].legs[2].grades: names a grade twice",
        "clock[0].legs[3].by: nobody is above the nation",
        "clock[0].legs[3].to: must be one of unit, township",
        "clock[0].legs[4].to: must lie above the township",
        "clock[1].slug: one is there twice",
    ):
        assert expected in text, text


def test_local_clocks_replace_the_shipped_ones(tmp_path: Path) -> None:
    """A county's own file counts instead, also an empty one."""
    (tmp_path / "clocks.toml").write_text("", encoding="utf-8")
    assert load_data(tmp_path).clocks == ()


def test_a_clock_that_never_runs_is_told(tmp_path: Path) -> None:
    """Leaving out every category of a class is a mistake."""
    health = ["infectious-disease", "food-poisoning"]
    text = (
        f'[[clock]]\nslug = "x"\nzh = "一"\nen = "x"\nclasses = ["public-health"]\nwithout = {health}\n'
        'source = "x"\nmark = "s"\nlegs = [{ by = "county", to = "city", minutes = 1, office = "局" }]\n'
    )
    (tmp_path / "clocks.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidConfiguration, match="the clock never runs"):
        load_data(tmp_path)


def test_a_clock_of_one_area_is_for_that_area() -> None:
    """A county's practice stops at its border."""
    clock: ReportClock = SHIPPED["general"]
    own = ReportClock(
        slug="own",
        zh="一",
        en="one",
        area="990101",
        classes=clock.classes,
        source="x",
        mark="s",
        legs=clock.legs,
    )
    assert own.concerns("flood", EventClass.NATURAL_DISASTER, "990101101")
    assert not own.concerns("flood", EventClass.NATURAL_DISASTER, "990102101")
