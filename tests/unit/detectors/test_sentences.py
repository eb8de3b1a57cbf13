"""Sentences that can be read out."""

from datetime import UTC, datetime
from uuid import UUID

from msgspec import structs

from config.data import load_data
from detectors.fusion.bulletins import bulletin_findings
from detectors.fusion.clauses import finding_sentences
from detectors.fusion.sentences import alert_sentences
from domain.findings import AlertChange, BrokenLimit, Finding, FindingState, SubjectKind
from domain.inputs import Bulletin
from domain.levels import Feed, Level

AT = datetime(2026, 6, 19, 6, 20, tzinfo=UTC)
CHANCE = "a chance of about 1 in 10,000,000"
NAMES = {"qs-1": "清水河断面氨氮", "990101104002": "李庄村"}
LIMIT = Finding(
    id=UUID(int=1),
    detector="limit-1",
    detector_version=1,
    category="water-pollution",
    subject_kind=SubjectKind.SERIES,
    subject="qs-1",
    area="990101104002",
    feed=Feed.READINGS,
    state=FindingState.CONFIRMED,
    observed_at=AT,
    received_at=AT,
    period_start=AT,
    observed=2.31,
    unit="mg/L",
    limit=BrokenLimit(level=Level.YELLOW, value=2.0, basis="GB 3838-2002 Ⅴ类"),
)
LEARNED = structs.replace(LIMIT, detector="innovation", limit=None, p_value=1e-7, expected=0.62)
COUNT = structs.replace(
    LEARNED,
    subject_kind=SubjectKind.CELL,
    subject="990101104002",
    feed=Feed.TICKETS,
    observed=9.0,
    expected=0.5,
    unit="件",
)


def named(code: str) -> str:
    """Name a code as the registry would."""
    return NAMES.get(code, code)


def test_what_each_kind_of_evidence_says() -> None:
    """Seen, expected, rarity, limit with its basis, and since when in local time, in both languages."""
    assert finding_sentences(LIMIT, named) == (
        "清水河断面氨氮自6月19日14:20起超过限值2 mg/L（GB 3838-2002 Ⅴ类），实测2.31 mg/L",
        "清水河断面氨氮 above the limit of 2 mg/L (GB 3838-2002 Ⅴ类) since 19 Jun 14:20, measured 2.31 mg/L",
    )
    assert finding_sentences(LEARNED, named) == (
        "清水河断面氨氮自6月19日14:20起异常偏高，实测2.31 mg/L，预期约0.62 mg/L，偶然出现的可能约千万分之一",
        f"清水河断面氨氮 unusually high since 19 Jun 14:20, measured 2.31 mg/L, expected about 0.62 mg/L, {CHANCE}",
    )
    assert finding_sentences(COUNT, named) == (
        "李庄村自6月19日14:20起热线工单9件，通常约0.5件，偶然出现的可能约千万分之一",
        f"9 hotline tickets from 李庄村 since 19 Jun 14:20, usually about 0.5, {CHANCE}",
    )
    phrase = structs.replace(COUNT, p_value=None, phrase="讨薪")
    assert finding_sentences(phrase, named)[0] == "李庄村于6月19日14:20有热线工单提到“讨薪”"
    stuck = structs.replace(LEARNED, p_value=None, detector="stuck")
    assert finding_sentences(stuck, named)[0] == "清水河断面氨氮自6月19日14:20起数值长时间不变，请检查设备"
    bulletin = Bulletin(
        id=LIMIT.id,
        source="weather",
        own_id="x",
        category="flood",
        level=Level.ORANGE,
        areas=("990101",),
        effective_at=AT,
        expires_at=datetime(2026, 6, 20, tzinfo=UTC),
        received_at=AT,
        headline="暴雨橙色预警",
    )
    (official,) = bulletin_findings(bulletin)
    assert finding_sentences(official)[0] == "6月19日14:20起橙色外部预警“暴雨橙色预警”"


def test_an_alert_names_place_level_and_its_heaviest_evidence() -> None:
    """Three pieces of evidence are told, the rest is counted; what is internal says so; cleared says cleared."""
    categories = load_data().categories
    zh, en = alert_sentences(
        categories["water-pollution"],
        Level.ORANGE,
        AlertChange.CHANGED,
        [LIMIT, LEARNED, LIMIT, LIMIT, LIMIT],
        place="青溪镇",
        name_of=named,
    )
    assert zh.startswith("青溪镇水环境污染橙色预警：清水河断面氨氮自")
    assert zh.endswith("；另有2条证据。")
    assert en.startswith("青溪镇: Water pollution, orange alert: ")
    zh, _ = alert_sentences(categories["petition"], Level.BLUE, AlertChange.RAISED, [COUNT], place="青溪镇")
    assert zh.startswith("青溪镇信访维权蓝色预警（内部）：")
    zh, en = alert_sentences(categories["petition"], Level.BLUE, AlertChange.CLEARED, [COUNT], place="青溪镇")
    assert zh.startswith("青溪镇信访维权预警已解除（内部）")
    assert "alert cleared (internal)" in en


def test_missing_and_odd_numbers_do_not_break_a_sentence() -> None:
    """A finding without numbers is told with dashes."""
    bare = structs.replace(LEARNED, observed=None, expected=float("nan"), p_value=1e-300)
    assert "实测—" in finding_sentences(bare)[0]
    assert "10的300次方分之一" in finding_sentences(bare)[0]
