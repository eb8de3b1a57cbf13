"""Sentences that can be read out."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from config.data import load_data
from detectors.fusion.bulletins import bulletin_findings
from detectors.fusion.clauses import finding_sentences
from detectors.fusion.sentences import LONGEST_EN, LONGEST_ZH, alert_sentences, explanation_sentences
from domain.findings import (
    AlertChange,
    Arrival,
    BrokenLimit,
    Explanation,
    Finding,
    FindingState,
    Precedent,
    SubjectKind,
)
from domain.incidents import Verdict
from domain.inputs import Bulletin
from domain.levels import Feed, Level

WATER = load_data().categories["water-pollution"]
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


ZONE = structs.replace(
    COUNT,
    subject_kind=SubjectKind.ZONE,
    subject="990101104",
    detector="scan",
    observed=23.0,
    expected=6.0,
    places=("990101104002", "b", "c", "d"),
    terms=("发热", "腹泻"),
)
RIVER = structs.replace(
    LEARNED,
    subject_kind=SubjectKind.ZONE,
    subject="990101104",
    detector="river",
    terms=("qs-1", "qs-2"),
    arrivals=(Arrival(series="qs-3", earliest=AT + timedelta(hours=2), latest=AT + timedelta(hours=4)),),
)


def test_what_is_told_of_zones_and_rivers() -> None:
    """A zone names its places and words, a river its stations in order and where it will come to next."""
    zh, en = finding_sentences(ZONE, named)
    assert zh == (
        "李庄村、b、c等4处自6月19日14:20起热线工单多提到“发热”“腹泻”，23件，通常约6件，偶然出现的可能约千万分之一"
    )
    assert en == (
        "23 hotline tickets from 李庄村, b, c and 1 more since 19 Jun 14:20, many about “发热”, “腹泻”, "
        f"usually about 6, {CHANCE}"
    )
    zh, en = finding_sentences(RIVER, named)
    assert zh.startswith(
        "清水河断面氨氮、qs-2自6月19日14:20起先后异常偏高，最近实测2.31 mg/L，预期约0.62 mg/L"
    )
    assert zh.endswith("，预计6月19日16:20至6月19日18:20到qs-3")
    assert en.startswith("清水河断面氨氮, qs-2 unusually high one after another since 19 Jun 14:20")
    assert en.endswith(", at qs-3 between 19 Jun 16:20 and 19 Jun 18:20")


WHY = Explanation(
    decisive=LEARNED.id,
    nearby=("qs-1", "b", "c", "d"),
    quiet=3,
    precedent=Precedent(
        alert=UUID(int=8),
        opened_at=datetime(2025, 5, 3, 1, tzinfo=UTC),
        place="990101104002",
        level=Level.YELLOW,
        verdict=Verdict.TRUE,
    ),
)


def test_an_alert_says_what_lies_around_and_what_it_was_like() -> None:
    """Neighbours that move along and that do not, and the precedent with what officers found; not when it is over."""
    zh, en = alert_sentences(
        WATER,
        Level.BLUE,
        AlertChange.RAISED,
        [LEARNED],
        place="青溪镇",
        name_of=named,
        explanation=WHY,
    )
    assert zh.endswith(
        "。周边清水河断面氨氮、b、c等4处同时变动，另有3处平稳。最相似的是2025年5月3日09:00李庄村的黄色预警，后经研判属实。"
    )
    assert en.endswith(
        ". Around it 清水河断面氨氮, b, c and 1 more move along, 3 see nothing."
        " Most like it was a yellow alert at 李庄村 on 03 May 2025 09:00, which was found true."
    )
    over, _ = alert_sentences(
        WATER, Level.BLUE, AlertChange.CLEARED, [LEARNED], place="青溪镇", explanation=WHY
    )
    assert "最相似" not in over
    assert explanation_sentences(structs.replace(WHY, nearby=(), quiet=0, precedent=None)) == ("", "")
    assert explanation_sentences(structs.replace(WHY, nearby=(), precedent=None)) == (
        "周边3处均平稳。",
        " 3 around it see nothing.",
    )


@pytest.mark.parametrize(
    ("found", "zh", "en"),
    [
        (Verdict.FALSE, "误报", "found false"),
        (Verdict.DUPLICATE, "并入他案", "a duplicate"),
        (Verdict.DRILL, "演练", "a drill"),
        (None, "尚无研判结论", "nothing was decided"),
    ],
)
def test_a_precedent_is_told_with_its_verdict(found: Verdict | None, zh: str, en: str) -> None:
    """Whatever was found, or nothing yet."""
    assert WHY.precedent is not None
    told = explanation_sentences(
        structs.replace(WHY, precedent=structs.replace(WHY.precedent, verdict=found))
    )
    assert zh in told[0]
    assert en in told[1]


@given(st.text(max_size=300), st.integers(1, 12), st.sampled_from([LIMIT, LEARNED, COUNT, ZONE, RIVER]))
def test_sentences_are_bounded_whatever_things_are_called(name: str, count: int, finding: Finding) -> None:
    """Names of any length, any number of findings: what is read out stays short, and says the level first."""
    long = structs.replace(finding, unit=name[:20], terms=(name,) * len(finding.terms))
    if finding.limit is not None:
        long = structs.replace(long, limit=structs.replace(finding.limit, basis=name))
    zh, en = alert_sentences(
        WATER,
        Level.ORANGE,
        AlertChange.CHANGED,
        [long] * count,
        place=name,
        name_of=lambda code: name,
        explanation=WHY,
    )
    assert len(zh) <= LONGEST_ZH
    assert len(en) <= LONGEST_EN
    assert "橙色预警" in zh[:60]
    assert "orange alert" in en[:80]
