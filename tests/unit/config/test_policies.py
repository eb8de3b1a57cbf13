"""Policies, working hours and holds as data: every fault is told at once."""

from pathlib import Path

import pytest

from config.data import load_data
from domain.errors import InvalidConfiguration

POLICY = """
[[policy]]
slug = "one"
grades = [1, 2, 3, 4]
entry = "{entry}"
{more}
steps = [
  {{ level = "township", wait_minutes = 15, channels = ["console"], {step} }},
  {{ level = "county", wait_minutes = 20, channels = ["console"] }},
]
"""

OVERLAP = """
[[hours]]
source = "x"
stretches = [{ since = 08:00:00, until = 12:00:00 }, { since = 11:00:00, until = 13:00:00 }]
"""


def told(folder: Path, name: str, text: str) -> list[str]:
    """Load the shipped files with one of them replaced; the fields at fault and what is said of each."""
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidConfiguration) as caught:
        load_data(folder)
    return [str(fault) for fault in caught.value.faults]


def test_every_fault_of_a_policy_is_told(tmp_path: Path) -> None:
    """Unknown levels, a wrong way round, both kinds of several acknowledgements, emergencies that sleep at night."""
    faults = told(
        tmp_path,
        "policies.toml",
        POLICY.format(
            entry="city",
            more='again_from = "moon"\nacknowledged_by = ["county", "county", "province"]\ndesks = 3',
            step='clock = "working"',
        ),
    )
    text = "\n".join(faults)
    for expected in (
        "policy[0].entry",
        "policy[0].again_from",
        "county is there twice",
        "province is the level of no step",
        "goes without acknowledged_by",
        "asks for 3 desks, and the steps page 2",
        "steps[0].clock: must be natural: grade 1 and 2",
    ):
        assert expected in text, faults


def test_steps_must_climb_and_their_levels_be_known(tmp_path: Path) -> None:
    """Both are told together."""
    steps = POLICY.format(entry="county", more="", step="times = 2").replace(
        '"county", wait_minutes = 20', '"village", wait_minutes = 20'
    )
    text = "\n".join(told(tmp_path, "policies.toml", steps))
    assert "policy[0].steps[1].level: must be one of township" in text
    assert "policy[0].entry" in text


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "hours.toml",
            '[[hours]]\narea = "99"\nstretches = [{ since = 14:00:00, until = 12:00:00 }]\nsource = "x"\n',
            ["needs an entry with the empty area", "14:00:00 must come before 12:00:00"],
        ),
        (
            "hours.toml",
            OVERLAP,
            ["11:00:00 begins before 12:00:00"],
        ),
        (
            "holidays.toml",
            '[[notice]]\nyear = 2027\noff = [2026-01-01, 2027-01-04]\nwork = [2027-01-04]\nsource = "x"\n',
            ["2026-01-01 is no day of 2027", "2027-01-04 is off, too"],
        ),
        (
            "inhibitions.toml",
            '[[inhibition]]\nsource = "flood"\nlevel = 3\ntargets = ["moon", "flood"]\nwithin = "street"\nreason = "x"\n',
            ["names the category 'moon'", "within: must be one of", "flood would hold itself back"],
        ),
        (
            "shelving.toml",
            "[[shelving]]\ngrade = 1\nmost_minutes = 30\n[[shelving]]\ngrade = 2\nmost_minutes = 30\n",
            ["grade 3 is there 0 times", "nobody holds back a red case alone"],
        ),
    ],
)
def test_every_fault_of_hours_and_holds_is_told(
    tmp_path: Path, name: str, text: str, expected: list[str]
) -> None:
    """What is wrong is named with its place."""
    faults = "\n".join(told(tmp_path, name, text))
    for one in expected:
        assert one in faults, faults
