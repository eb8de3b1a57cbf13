"""国办函〔2026〕12号 as tests: nothing here checks people in, ranks or follows them, or asks for more than it needs."""

import re
from pathlib import Path

import pytest
from msgspec import Struct, structs

from dashboards.tasks import TaskMove
from domain.inputs import ReportIn

ROOT = Path(__file__).parents[3]
FORBIDDEN = {
    "check-ins": r"打卡|签到|\bcheck_?ins?\b|\bpunch_(in|out|card)\b",
    "points": r"积分|\bpoints_of_|\b(user|person|officer|worker)_(points?|scores?)\b",
    "rankings of people": r"排行|排名|\bleader_?board\b|\b(rank|ranking)_of_(users|people|officers|workers)\b",
    "time online": r"在线时长|\bonline_(time|seconds|minutes|hours)\b",
    "tracks": r"轨迹|\bgeo_?location\b|\bgps_track|\btrack_points\b",
}
PLACES = ("dashboards", "responders", "config", "domain")
KINDS = (".py", ".sql", ".toml", ".html", ".js")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_is_kept_or_shown_that_is_forbidden(what: str) -> None:
    """No table, setting, text or page has a word for it."""
    found = [
        f"{path.relative_to(ROOT)}: {hit[0]}"
        for place in PLACES
        for path in (ROOT / place).rglob("*")
        if path.suffix in KINDS and not {"vendor", "node_modules"} & set(path.parts)
        for hit in re.finditer(FORBIDDEN[what], path.read_text(encoding="utf-8"), re.IGNORECASE)
        if not is_said_of_something_else(hit)
    ]
    assert found == []


def is_said_of_something_else(hit: re.Match[str]) -> bool:
    """签到 stands also inside 签收、到场; `geolocation=()` forbids pages to ask for it."""
    after = hit.string[hit.end() :]
    return (hit[0] == "签到" and after.startswith("场")) or after.startswith("=()")


def test_the_words_would_be_found() -> None:
    """Each pattern finds what it is about."""
    samples = ("每日打卡", "积分", "人员排名", "在线时长", "轨迹")
    assert all(
        re.search(pattern, sample) for pattern, sample in zip(FORBIDDEN.values(), samples, strict=True)
    )


@pytest.mark.parametrize(
    ("form", "needed"),
    [(ReportIn, {"id", "observed_at", "area"}), (TaskMove, {"state"})],
)
def test_forms_ask_for_what_the_matter_needs(form: type[Struct], needed: set[str]) -> None:
    """Photo, place of the phone, track and words are nobody's duty: a report and each step of a task go without."""
    assert {field.name for field in structs.fields(form) if field.required} == needed
