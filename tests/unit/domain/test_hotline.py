"""The closed sets of a 12345 order."""

from pathlib import Path

import pytest

from domain.hotline import Channel, Kind, Named, Satisfaction, Status, Urgency

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "connect-12345.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("known", [Channel, Kind, Urgency, Status, Satisfaction])
def test_each_name_means_one_thing_and_is_documented(known: type[Named]) -> None:
    """Every value is read by its own word and each Chinese name, and all stand on the page as they are understood."""
    for member in known:
        assert known(member.value) is member
        assert all(known(name) is member for name in member.names)
        assert f"`{member.value}` {'、'.join(member.names)}" in PAGE
        assert member.value in known.known()
    with pytest.raises(ValueError, match="唠叨"):
        known("唠叨")
