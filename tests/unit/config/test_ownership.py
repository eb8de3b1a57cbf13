"""The proof of one owner for each category in each area, and the rules by which desks are watched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.data import load_data
from config.ownership import Claim, faults_in, prove, strangers
from config.rosters import DeskRule, check_desk_rules, rule_for
from domain.decode import convert
from domain.errors import InvalidInput

AREAS = ("99", "9901", "990101", "990101101", "990101102")


def claims(*pairs: str) -> list[Claim]:
    """Make claims from words such as `flood@9901`."""
    return [Claim(category=pair.partition("@")[0], area=pair.partition("@")[2]) for pair in pairs]


def test_gaps_and_overlaps_are_told_where_they_are() -> None:
    """A prefix that reaches only a part leaves the rest without an owner; two of the same prefix are one too many."""
    made = claims("flood@990101", "flood@990101102", "flood@990101102", "fire@")
    proofs = {proof.area: proof for proof in prove(made, ("flood", "fire"), AREAS)}
    assert [area for area, proof in proofs.items() if proof.gaps] == ["99", "9901"]
    assert [area for area, proof in proofs.items() if proof.overlaps] == ["990101102"]
    assert proofs["990101101"].owned == 2
    assert [fault.reason for fault in faults_in(proofs.values())] == [
        "flood has no owner in area 99",
        "flood has no owner in area 9901",
        "flood has several owners in area 990101102",
    ]
    assert [fault.reason for fault in strangers(made, ("990101",))] == [
        "names the area 990101102, which is not among the areas"
    ]


@given(st.lists(st.sampled_from(["", *AREAS]), max_size=6), st.sampled_from(AREAS))
def test_the_proof_counts_the_owners_of_an_area(prefixes: list[str], area: str) -> None:
    """None reaches it: a gap; of the longest that reach it several: an overlap; else one owner."""
    (proof,) = prove(claims(*(f"flood@{prefix}" for prefix in prefixes)), ("flood",), [area])
    reaching = sorted((prefix for prefix in prefixes if area.startswith(prefix)), key=len)
    owners = [prefix for prefix in reaching if len(prefix) == len(reaching[-1])]
    assert (bool(proof.gaps), bool(proof.overlaps), proof.owned) == (
        not owners,
        len(owners) > 1,
        int(len(owners) == 1),
    )


def test_the_shipped_duties_have_one_owner_everywhere() -> None:
    """For any area: the shipped list is whole."""
    data = load_data()
    made = [Claim(category=duty.category, area=duty.area) for duty in data.duties]
    assert list(faults_in(prove(made, tuple(data.categories), AREAS))) == []


def test_the_rule_of_the_longest_prefix_watches_a_desk() -> None:
    """A county's own rule holds for its townships; one for everywhere there must be, and none twice."""
    rules = (DeskRule(), DeskRule(area="990101", sign_minutes=5, climb_minutes=10))
    assert rule_for(rules, "990101101").sign_minutes == 5
    assert rule_for(rules, "9902").sign_minutes == 15
    assert list(check_desk_rules(rules)) == []
    assert [fault.reason for fault in check_desk_rules((rules[1], rules[1]))] == [
        "990101 is there twice",
        'needs a rule with area = "" for all areas that are not named',
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"area": "12345"},
        {"sign_minutes": 30, "climb_minutes": 10},
        {"ahead_hours": 0},
        {"sign_minutes": -1},
        {"mayor": "x"},
    ],
)
def test_rules_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    """Areas that are none, climbing before paging, times that are none, fields that nobody knows."""
    with pytest.raises(InvalidInput):
        convert(DeskRule, wrong)
