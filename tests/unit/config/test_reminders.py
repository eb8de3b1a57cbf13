"""Reminders of late tasks as data: every fault is told at once."""

from pathlib import Path

import pytest

from config.data import load_data
from domain.errors import InvalidConfiguration

FAULTY = """
[[reminder]]
grades = [2, 3]
every_minutes = 60
clock = "working"
highest = "village"

[[reminder]]
grades = [3, 4]
every_minutes = 60
"""


def test_every_fault_of_the_reminders_is_told(tmp_path: Path) -> None:
    """A grade that nobody would be reminded of, one with two rules, a level that there is not, emergencies that rest."""
    (tmp_path / "reminders.toml").write_text(FAULTY, encoding="utf-8")
    with pytest.raises(InvalidConfiguration) as caught:
        load_data(tmp_path)
    assert [str(fault) for fault in caught.value.faults] == [
        "reminder: grade 1 is there 0 times, must be once",
        "reminder: grade 3 is there 2 times, must be once",
        "reminder[0].highest: must be one of township, county, city, province",
        "reminder[0].clock: must be natural: grade 2 stops for no night",
    ]


def test_reminders_every_second_are_refused(tmp_path: Path) -> None:
    """Less than five minutes apart they would bury whom they remind."""
    (tmp_path / "reminders.toml").write_text("[[reminder]]\ngrades = [1, 2, 3, 4]\nevery_minutes = 1\n")
    with pytest.raises(InvalidConfiguration, match="every_minutes"):
        load_data(tmp_path)


def test_the_shipped_reminders_tell_where_they_come_from() -> None:
    """Each grade has one, with its source."""
    reminders = load_data().reminders
    assert sorted(reminders) == [1, 2, 3, 4]
    assert all(reminder.source for reminder in reminders.values())
