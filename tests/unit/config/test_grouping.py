"""Which alerts are one case, as data: a key of everything or of nothing cannot be written down."""

from pathlib import Path
from uuid import uuid4

import pytest

from config.data import load_data
from config.grouping import Grouping, check_grouping
from domain.clock import EPOCH
from domain.errors import InvalidConfiguration
from domain.findings import Alert, AlertChange
from domain.levels import Domain, Level

RULE = """[[grouping]]
slug = "all"
version = 1
fields = ["category", "township"]
minutes = 60
members = 50
recurs_days = 7
unsatisfied_days = 15
"""


def alert(place: str = "990101101", category: str = "flood", drill: bool = False) -> Alert:
    """Make an alert of a place."""
    return Alert(
        id=uuid4(),
        version=1,
        change=AlertChange.RAISED,
        domain=Domain.SAFETY,
        category=category,
        county=place[:6],
        place=place,
        level=Level.BLUE,
        reason="limit",
        opened_at=EPOCH,
        changed_at=EPOCH,
        received_at=EPOCH,
        evidence=(),
        zh="水位超警戒",
        en="Water above its limit",
        drill=drill,
    )


def told(folder: Path, text: str) -> str:
    """Load a local file that is wrong, and read what is told of it."""
    (folder / "grouping.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidConfiguration) as caught:
        load_data(folder)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "instead", "sentence"),
    [
        ('["category", "township"]', "[]", "fields"),
        ('["category", "township"]', '["category", "colour"]', "must be one of category, domain, county"),
        ('["category", "township"]', '["category"]', "the nation would be one case"),
        ('["category", "township"]', '["township"]', "a fever would be a case with a flood"),
        ('["category", "township"]', '["category", "place", "place"]', "names a field twice"),
        ("version = 1", "version = 0", "version"),
        ("minutes = 60", "minutes = 0", "minutes"),
        ("members = 50", "members = 1", "members"),
        ("members = 50", "members = 100000", "members"),
        ('slug = "all"', 'slug = "all"\ncategories = ["no-such"]', "no-such"),
        ('slug = "all"', 'slug = "all"\ncategories = ["flood"]', "one rule without categories"),
        (RULE, "", "grouping"),
    ],
)
def test_what_swallows_everything_or_nothing_is_refused(
    tmp_path: Path, written: str, instead: str, sentence: str
) -> None:
    """Each mistake is told in words that name it."""
    assert written in RULE
    assert sentence in told(tmp_path, RULE.replace(written, instead))


def test_rules_that_meet_are_told(tmp_path: Path) -> None:
    """A category belongs to one rule, and a slug to one rule: else two groups would share a key."""
    text = RULE + RULE.replace('slug = "all"', 'slug = "all"\ncategories = ["flood", "flood"]')
    sentences = told(tmp_path, text)
    assert "all is there twice" in sentences
    assert "flood is named twice" in sentences


def test_the_key_tells_what_alerts_have_in_common() -> None:
    """Villages of a township meet; another township, category, version or a drill does not."""
    rule = load_data().grouping("flood")
    key = rule.key(alert("990101101001"))
    assert key == rule.key(alert("990101101002003")) == rule.key(alert())
    newer = Grouping(**{**{name: getattr(rule, name) for name in rule.__struct_fields__}, "version": 2})
    others = {
        rule.key(alert("990101102")),
        rule.key(alert("990101")),
        rule.key(alert(category="noise-complaint")),
        rule.key(alert(drill=True)),
        newer.key(alert()),
    }
    assert key not in others
    assert len(others) == 5


def test_the_shipped_rules_pass_their_check() -> None:
    """What we ship is sound, and every category has one rule."""
    data = load_data()
    assert not list(check_grouping(data.groupings))
    assert all(data.grouping(category) for category in data.categories)
