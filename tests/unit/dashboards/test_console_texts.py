"""The catalogue: both languages, nothing missing, nothing left over."""

import re
from pathlib import Path

import pytest
from api_contract import OPERATIONS

from config import drills
from config.data import load_data
from config.personal import Clear
from config.policies import TOWERS
from config.services import ContactKind
from dashboards import texts
from dashboards.texts import Language, browser_texts, catalogue, preferred, say
from detectors.series.watch import GUARDS
from domain.findings import HeldBack
from domain.incidents import (
    INCIDENT_MOVES,
    TASK_MOVES,
    IncidentState,
    PageState,
    PleaKind,
    PleaOutcome,
    Satisfied,
    TaskState,
    Verdict,
)
from domain.inputs import Person
from domain.levels import Feed, Grade, Level
from domain.registry import Device, Series
from responders import accounts, area_changes, views
from responders.accounts import AccountWish
from responders.admin_record import AdminKind
from responders.burden import Load
from responders.cases import Cause, Reason
from responders.dues import ReportKind
from responders.holds import HoldKind
from responders.lessons import NoteKind
from responders.registration import Action, Kind
from responders.review import Kept
from responders.seats import Drills, Nearness
from responders.situation import LoadVerdict
from responders.store.personal import SEALED

HOUSE = Path(texts.__file__).parent
SOURCES = [*HOUSE.glob("*.py"), *HOUSE.glob("templates/*.html"), *HOUSE.glob("static/*.js")]
SECTIONS = "|".join(sorted({key.partition(".")[0] for key in catalogue()[Language.ZH]}))
QUOTED = re.compile(rf"""["'`]((?:{SECTIONS})\.(?!html|js|css)[a-z_]+)["'`]""")


def keys_used() -> set[str]:
    """Collect the keys that templates, scripts and handlers name in full."""
    return set(QUOTED.findall("\n".join(path.read_text(encoding="utf-8") for path in SOURCES)))


def families() -> set[str]:
    """Collect the sections whose keys are made from data."""
    return {
        *(f"level.{level.value}" for level in Level),
        *(f"grade.{grade.value}" for grade in Grade),
        *(f"state.{state}" for state in IncidentState),
        *(f"verdict.{verdict}" for verdict in Verdict),
        *(f"task_state.{state}" for state in TaskState),
        *(f"page_state.{state}" for state in PageState),
        *(f"evidence.from_{feed}" for feed in Feed),
        *(f"page_reason.{reason}" for reason in Reason if reason not in UNPAGED),
        *(f"move.{state}" for moves in INCIDENT_MOVES.values() for state in moves if state not in ENDINGS),
        *(f"lamp.{state}" for state in ("connecting", "live", "lost")),
        *(
            f"queue.{name}"
            for name in ("open", "all", "level", "what", "place", "opened", "next", "acknowledged")
        ),
        *(f"joined.{name}" for name in ("level", "what", "state", "since")),
        *(f"satisfied.{said}" for said in Satisfied),
        *(f"filter_drill.{wish}" for wish in Drills),
        *(f"nearness.{why}" for why in Nearness),
        *(f"load_of.{name}" for name in Load.__struct_fields__),
        *(f"swap.{state}" for state in ("asked", "agreed", "declined", "lapsed")),
        *(f"task_move.{state}" for moves in TASK_MOVES.values() for state in moves),
        *(f"plea.{kind}" for kind in PleaKind),
        *(f"outcome.{outcome}" for outcome in PleaOutcome),
        *(f"tasks.{name}" for name in ("unit", "state", "dispatched", "due")),
        *(f"pages.{name}" for name in ("to", "channel", "state", "at")),
        *(f"channel.{name}" for name in ("console", "file", "webhook")),
        *(f"held_back.{reason}" for reason in HeldBack),
        *(f"held.{kind}" for kind in HoldKind),
        *(f"tower.{level}" for level in TOWERS),
        *(f"action.{action}" for action in (*drills.Action, "report")),
        *(f"kept.{kept}" for kept in Kept),
        *(f"note.{kind}" for kind in NoteKind),
        *(f"report_kind.{kind}" for kind in ReportKind),
        *(f"clocks.{kept}" for kept in views.Kept),
        *(f"clocks.{name}" for name in ("report", "due", "stands")),
        *(f"command.{name}" for name in ("late", "climbed", "unacknowledged", "open", "tasks")),
        *(f"load.{name}" for name in ("mean", "now", "peak", "flood_share")),
        *(f"load.verdict_{verdict}" for verdict in LoadVerdict),
        *(f"detector.{name}" for name in (*GUARDS.values(), "bulletin")),
        *(f"registry.{name}" for name in ("devices", "series", "changes")),
        *(f"registry_action.{action}" for action in Action),
        *(f"registry_kind.{kind}" for kind in Kind),
        *(f"api.{one.group}" for one in OPERATIONS),
        *(
            f"registry_field.{field}"
            for kind in (Device, Series)
            for field in kind.__struct_fields__
            if field != "sealed"
        ),
        *(f"role.{role}" for role in views.Role),
        *(f"admin_kind.{kind}" for kind in AdminKind),
        *(f"admin_field.{field}" for field in AccountWish.__struct_fields__),
        *(f"admin.{room}" for room in ADMIN_ROOMS),
        *(f"admin.{room}_what" for room in ADMIN_ROOMS - {"overview", "account", "password"}),
        *(f"effect.{code}" for code in EFFECTS),
        *(f"trial.{cause}" for cause in Cause),
        *(f"personal.{kind}" for kind in SEALED),
        *(
            f"personal_field.{field}"
            for field in (*Person.__struct_fields__, *Clear.__struct_fields__)
            if field != "person"
        ),
        *(f"contact_kind.{kind}" for kind in ContactKind),
        *(f"admin_field.{field}" for field in ("code", "name", "name_en", "contact", "duty", "policy")),
        *(f"way.{way}" for way in ("password", "code", "recovery", "passkey", "oidc")),
        *(f"admin_done.{code}" for code in DONE.findall(HANDLERS)),
        *(f"account_done.{code}" for code in OWN_DONE.findall(HANDLERS)),
        "registry_field.secrets",
        *(f"field.do_{state}" for state in ("accepted", "on_site", "done")),
        *(f"field.level_{level.value}" for level in Level),
        *(f"field.{kind}" for kind in ("refuse", "suspend", "extend")),
        *(f"field.plea_{outcome}" for outcome in ("open", "granted", "denied", "lapsed", "moot")),
        "evidence.limit_above",
        "evidence.limit_below",
        "evidence.above",
        "evidence.below",
    }


ADMIN_ROOMS = {path.stem.removeprefix("admin_") for path in HOUSE.glob("templates/admin_*.html")} - {
    "page",
    "parts",
}
EFFECTS = {
    code
    for module in (accounts, area_changes)
    for code in re.findall(r'code="(\w+)"', Path(module.__file__).read_text(encoding="utf-8"))
}
HANDLERS = "\n".join(path.read_text(encoding="utf-8") for path in HOUSE.glob("*.py"))
DONE = re.compile(r"/admin/[^\"]*[?&]done=(\w+)")
OWN_DONE = re.compile(r"/account\?done=(\w+)")
UNPAGED = {Reason.HELD, Reason.WAIVED, Reason.WAITING, Reason.ACKNOWLEDGED, Reason.ENDED}
ENDINGS = {IncidentState.CLOSED, IncidentState.FALSE_ALARM, IncidentState.MERGED}


@pytest.mark.parametrize("language", list(Language))
def test_no_key_is_missing(language: Language) -> None:
    """Each text that a page asks for is in the catalogue."""
    assert (keys_used() | families()) - catalogue()[language].keys() == set()


def test_every_text_has_both_languages() -> None:
    """No text is empty, and placeholders agree between the languages."""
    for key, chinese in catalogue()[Language.ZH].items():
        english = catalogue()[Language.EN][key]
        assert chinese and english, key
        assert set(re.findall(r"\{\w+\}", chinese)) == set(re.findall(r"\{\w+\}", english)), key


def test_no_text_is_left_over() -> None:
    """What no page tells is not kept; problems, kinds of entries and detectors are told by their code."""
    told = keys_used() | families()
    left = {
        key
        for key in catalogue()[Language.ZH]
        if key not in told
        and not key.startswith(("problem.", "entry.", "device_problem.", "detector_name.", "roster_change."))
    }
    assert left == set()


def test_every_problem_has_title_and_detail() -> None:
    """Each code of a problem has both of its texts."""
    codes = set(
        re.findall(r'Problem\(\s*\d+,\s*"(\w+)"', "\n".join(p.read_text() for p in HOUSE.glob("*.py")))
    )
    assert {"conflict", "invalid", "internal", "unavailable"} <= codes
    for code in codes:
        assert {f"problem.{code}", f"problem.{code}_detail"} <= catalogue()[Language.ZH].keys()


def test_categories_come_from_the_data() -> None:
    """Scripts get the categories' names in their language."""
    assert '"category.flood":"暴雨洪涝"' in browser_texts(load_data(), Language.ZH).decode()


def test_an_unknown_key_is_an_error() -> None:
    """A template that asks for a text that there is not fails in tests, not before people."""
    with pytest.raises(KeyError):
        say(Language.ZH)("no.such_text")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", Language.ZH),
        ("en", Language.EN),
        ("en-GB,en;q=0.9,zh;q=0.8", Language.EN),
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.ZH),
        ("de-DE,de;q=0.9,en;q=0.5", Language.EN),
        ("fr;q=0.9", Language.ZH),
        ("en;q=0.3,zh;q=0.7", Language.ZH),
        ("en;q=x, ,;;", Language.ZH),
    ],
)
def test_language_preference(header: str, language: Language) -> None:
    """The browser's heaviest language of ours wins; Chinese is the default."""
    assert preferred(header) is language
