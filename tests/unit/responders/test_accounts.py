"""What changes of accounts, areas, duties and policies mean, when they are refused; and the chain of the record."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from config.candidates import read_candidate
from config.data import SHIPPED, load_data
from domain.errors import InvalidInput
from domain.registry import Area
from responders.accounts import AccountWish, DeskAhead, Standing, preview
from responders.admin_record import NOTHING, AdminLine, check_chain, digest_of
from responders.area_changes import preview_area
from responders.rollouts import compare_duties, compare_policies, unstaffed
from responders.roster import Gap
from responders.views import Role

DATA = load_data()
AT = datetime(2026, 3, 2, 0, 20, tzinfo=UTC)
AREAS = {"990101": "示例县", "990101101": "青溪镇", "990101102": "白石镇"}
DESK = AccountWish(login="qingxi", display="青溪镇值班室", role=Role.OFFICER, area="990101101")
ADMIN = AccountWish(login="admin", display="系统管理", role=Role.ADMIN, area="990101")
GAP = DeskAhead(name="青溪镇值班室", shifts=4, gaps=(Gap(AT, AT + timedelta(hours=8)),))
COVERED = DeskAhead(name="青溪镇值班室", shifts=4, gaps=())


def standing(**known: Any) -> Standing:
    """Make what hangs on an account."""
    return Standing(
        **{
            "areas": AREAS,
            "posts": frozenset({"", "flood-duty"}),
            "channels": frozenset({"console", "sms"}),
            "peers": 1,
            "administrators": 1,
            **known,
        }
    )


def told(
    before: AccountWish | None, after: AccountWish, known: Standing, by: str = "admin"
) -> tuple[Any, ...]:
    """Give effects by code and faults by field."""
    found = preview(before, after, known, by, "990101")
    return [effect.code for effect in found.effects], [fault.field for fault in found.faults]


@pytest.mark.parametrize(
    ("changed", "known", "effects", "faults"),
    [
        ({"display": "青溪镇应急办"}, {}, [], []),
        ({"disabled": True}, {"desks": (COVERED,), "sessions": 2}, ["loses", "on_roster", "signed_out"], []),
        ({"disabled": True}, {"desks": (GAP,)}, ["loses", "on_roster"], ["disabled"]),
        ({"disabled": True}, {"peers": 0}, ["loses"], ["disabled"]),
        ({"disabled": True}, {"held": 3, "tasks": 1}, ["loses", "holds", "tasks"], []),
        ({"area": "990101102"}, {}, ["loses", "gains", "sees_instead"], []),
        (
            {"area": "990101102"},
            {"desks": (GAP,), "peers": 0},
            ["loses", "gains", "sees_instead", "on_roster"],
            ["area"] * 2,
        ),
        ({"role": Role.GRID}, {"peers": 0}, [], ["role"]),
        ({"role": Role.COMMANDER}, {"peers": 0, "sessions": 1}, ["signed_out"], []),
        ({"post": "flood-duty"}, {"peers": 0}, [], ["role"]),
        ({"channels": ("sms", "console")}, {}, ["reached_by"], []),
        ({"channels": ("sms", "sms")}, {}, ["reached_by"], ["channels"]),
        ({"area": "990202"}, {}, ["loses", "gains", "sees_instead"], ["area"]),
    ],
)
def test_changes_of_a_desk(
    changed: dict[str, Any], known: dict[str, Any], effects: list[str], faults: list[str]
) -> None:
    """Whom it affects, and what would leave a gap."""
    assert told(DESK, structs.replace(DESK, **changed), standing(**known)) == (effects, faults)


def test_a_new_account_names_what_there_is() -> None:
    """Every fault of its fields at once; a sound one gains its area an account."""
    wrong = structs.replace(DESK, area="990101999", post="moon", channels=("pigeon",))
    assert told(None, wrong, standing()) == (["gains", "will_see"], ["area", "post", "channels"])
    assert told(None, DESK, standing(cases_after=3)) == (["gains", "will_see"], [])


def test_nobody_shuts_himself_out_and_the_last_administrator_stays() -> None:
    """By himself an administrator changes neither role, area nor use; another one may, unless none is left."""
    off = structs.replace(ADMIN, disabled=True)
    assert told(ADMIN, off, standing())[1] == ["disabled"]
    assert told(ADMIN, off, standing(), by="other")[1] == []
    assert told(ADMIN, off, standing(administrators=0), by="other")[1] == ["role"]
    assert told(ADMIN, structs.replace(ADMIN, area="990101101"), standing(administrators=0), by="x")[1] == [
        "role"
    ]


def line(number: int, text: str, before: bytes) -> AdminLine:
    """Make a line that is chained to the one before it."""
    bare = AdminLine(
        number=number, at=1, kind="changed", actor="系统管理", user_id="", area="990101", subject="qingxi",
        text=text, detail="{}", digest=b"",
    )  # fmt: skip
    return structs.replace(bare, digest=digest_of(before, bare))


def test_the_chain_finds_what_was_changed_or_is_missing() -> None:
    """Each change is told once, wherever a page of lines begins."""
    first = line(1, "一", NOTHING)
    second = line(2, "二", first.digest)
    third = line(3, "三", second.digest)
    assert check_chain([first, second, third]) == []
    assert check_chain([third], second) == []
    assert [one.number for one in check_chain([first, structs.replace(second, text="贰"), third])] == [2]
    assert [one.number for one in check_chain([first, third])] == [2]
    assert [one.number for one in check_chain([second])] == [1]


def test_areas_hang_on_something_and_have_owners() -> None:
    """A new township needs a desk next; one without a parent is refused; a renamed one tells its open cases."""
    known = {code: Area(code=code, name=name) for code, name in AREAS.items()}
    fresh = preview_area(Area(code="990101103", name="黑石镇"), known, DATA, ["县指挥中心"], 0, "990101")
    assert [effect.code for effect in fresh.effects] == ["seen_by", "owned", "needs_desk"]
    assert fresh.faults == ()
    orphan = preview_area(Area(code="990101104001", name="村"), known, DATA, [], 0, "990101")
    assert [fault.field for fault in orphan.faults] == ["area"]
    renamed = preview_area(Area(code="990101101", name="青溪街道"), known, DATA, [], 2, "990101")
    assert renamed.changes == {"name": ("青溪镇", "青溪街道")}
    assert [(effect.code, effect.count) for effect in renamed.effects] == [("cases_there", 2)]


def test_new_duties_and_policies_tell_whose_work_changes() -> None:
    """By category, area and grade, with the open cases; what stays the same is not told."""
    duty = DATA.duties[0]
    one = structs.replace(duty, area="990101101", due_minutes=duty.due_minutes + 5)
    after = structs.replace(DATA, duties=(*DATA.duties, one))
    cases = {(duty.category, "990101101001"): 2, (duty.category, "990101102"): 5}
    (change,) = compare_duties(DATA, after, AREAS, cases)
    assert (change.category, change.areas, change.open_cases) == (duty.category, ("青溪镇",), 2)
    policy = next(each for each in DATA.policies if not each.categories and 4 in each.grades)
    slower = structs.replace(
        policy, steps=(structs.replace(policy.steps[0], wait_minutes=99), *policy.steps[1:])
    )
    changed = structs.replace(
        DATA, policies=tuple(slower if each is policy else each for each in DATA.policies)
    )
    found = compare_policies(DATA, changed, {("flood", 4): 3})
    assert {change.grade.value for change in found} == set(policy.grades)
    assert sum(change.open_cases for change in found if change.category == "flood") in (0, 3)
    assert compare_policies(DATA, DATA, {}) == []
    assert compare_duties(DATA, DATA, AREAS, {}) == []


def test_desks_that_nobody_sits_at_are_named() -> None:
    """A post falls to its area's duty desk; where that has no account either it is a gap."""
    assert unstaffed(DATA, list(AREAS), frozenset({(code, "") for code in AREAS})) == []
    gaps = unstaffed(DATA, list(AREAS), frozenset({("990101", ""), ("990101101", "")}))
    assert {area for area, _ in gaps} == {"990101102"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[duty", "is not TOML"),
        ("x = 1", "is not known here"),
        ("", "there is no"),
        ('[[duty]]\ncategory = "flood"\npost = "flood-duty"\nlevel = "township"', "has no owner"),
    ],
)
def test_a_faulty_file_is_told(text: str, reason: str) -> None:
    """Every fault of it, as `fenghuo check` would."""
    with pytest.raises(InvalidInput, match=reason):
        read_candidate("duty", text, DATA, list(AREAS))


def test_the_shipped_files_are_candidates() -> None:
    """Read anew they change nothing."""
    for key, name in (("duty", "duties.toml"), ("policy", "policies.toml")):
        text = (SHIPPED / name).read_text(encoding="utf-8")
        assert read_candidate(key, text, DATA, ()) == DATA  # type: ignore[arg-type]  # one of the two
