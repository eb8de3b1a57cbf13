"""Texts into categories and critical phrases."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from config.data import load_data
from detectors.words.text import Classifier, phrase_findings
from domain.findings import Finding
from domain.levels import Feed

CLASSIFIER = Classifier(load_data().terms)
NOON = datetime(2026, 6, 19, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("村口路灯不亮", "municipal-service"),
        ("广场舞音响太大，噪音扰民", "noise-complaint"),
        ("工地扬尘很大", "air-pollution"),
        ("河水发臭，漂着死鱼", "water-pollution"),
        ("小学多名孩子发烧呕吐", "infectious-disease"),
        ("咨询社保缴费如何办理", "general-appeal"),
        ("巡查一切正常，没有聚集", "general-appeal"),
        ("工 地 拖 欠 工 资", "wage-dispute"),
        ("ｗ", "general-appeal"),
        ("", "general-appeal"),
    ],
)
def test_words_point_to_a_category(text: str, category: str) -> None:
    """The heaviest category of the words in a text is its category; without words it is a general appeal."""
    assert CLASSIFIER.classify(text).category == category


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("工人讨薪没有结果", {"wage-dispute": "讨薪"}),
        ("项目部欠薪，多次讨要工资未果", {"wage-dispute": "欠薪"}),
        ("几十人聚集，拉横幅讨薪", {"mass-gathering": "聚集", "wage-dispute": "讨薪"}),
        ("现场没有起火，但是有人聚集堵路", {"mass-gathering": "聚集"}),
        ("学校出现聚集性发热", {"infectious-disease": "聚集性发热"}),
        ("集 体 发 热", {"infectious-disease": "集体发热"}),
        ("三个月没发工资讨薪无门", {"wage-dispute": "讨薪"}),
        ("一直没有发钱工人堵门", {"mass-gathering": "堵门"}),
        ("工资没人管聚集在门口", {"mass-gathering": "聚集"}),
        ("没有聚集，一切正常", {}),
        ("现场无人聚集", {}),
        ("未发现欠薪", {}),
        ("防止人员聚集", {}),
        ("消防演练起火", {}),
        ("村口蚊虫聚集", {}),
        ("疫情防控宣传", {}),
        ("消费者维权热线打不通", {}),
        ("电梯罢工了", {}),
        ("农民工工资保证金怎么退", {}),
        ("未发生聚集", {}),
        ("请勿聚集", {}),
        ("谨防讨薪骗局", {}),
        ("工资已结清，不欠薪", {}),
        ("已排除食物中毒", {}),
        ("开展食物中毒应急演练", {}),
        ("请问水痘会传染吗", {}),
        ("违停堵门", {}),
        ("年轻人聚集喝酒喧哗", {}),
        ("店铺拉横幅促销", {}),
        ("洗衣机罢工了", {}),
        ("咨询如何维权", {}),
        ("不上访不行了", {"petition": "上访"}),
        ("被逼得不得不上访", {"petition": "上访"}),
        ("再不上访就没人管", {"petition": "上访"}),
        ("工人堵门，要求演练取消", {"mass-gathering": "堵门"}),
        ("上次演练之后，工人聚集", {"mass-gathering": "聚集"}),
        ("讨*薪", {"wage-dispute": "讨薪"}),
        ("讨\u200b薪", {"wage-dispute": "讨薪"}),
        ("没有着火。聚集", {"mass-gathering": "聚集"}),
    ],
)
def test_critical_phrases_and_what_only_looks_like_them(text: str, phrases: dict[str, str]) -> None:
    """Phrases are found unless denied before, practised, or part of something harmless."""
    assert dict(CLASSIFIER.classify(text).phrases) == phrases


def test_a_given_category_stands_and_phrases_are_found_all_the_same() -> None:
    """A ticket keeps the category that it came with."""
    classified = CLASSIFIER.classify("几十人聚集讨薪", "noise-complaint")
    assert classified.category == "noise-complaint"
    assert classified.critical == ("聚集", "讨薪")


def test_a_very_long_text_is_classified() -> None:
    """A text of the greatest permitted length does no harm."""
    assert CLASSIFIER.classify("啊" * 19_990 + "路灯不亮").category == "municipal-service"


def phrases_of(
    text: str, *, at: datetime = NOON, area: str = "990101104002003", feed: Feed = Feed.TICKETS
) -> list[Finding]:
    """Make the findings of a text."""
    return phrase_findings(
        CLASSIFIER.classify(text),
        input_id=UUID(int=at.hour),
        area=area,
        feed=feed,
        observed_at=at,
        received_at=at,
    )


def test_one_finding_per_place_category_and_local_day() -> None:
    """The same theme in the same village on the same day has the same id, whatever the words and the time."""
    (first,) = phrases_of("工人讨薪")
    assert (first.phrase, first.p_value, first.subject, first.category) == (
        "讨薪",
        None,
        "990101104002",
        "wage-dispute",
    )
    assert first.period_start == datetime(2026, 6, 18, 16, tzinfo=UTC)
    same = [
        *phrases_of("拖欠工资", at=NOON + timedelta(hours=11)),
        *phrases_of("工人讨薪", area="990101104002009"),
    ]
    other = [
        *phrases_of("工人讨薪", at=NOON + timedelta(hours=12)),
        *phrases_of("工人讨薪", area="990101104003003"),
        *phrases_of("工人讨薪", feed=Feed.REPORTS),
        *phrases_of("工人罢工"),
    ]
    assert {finding.id for finding in same} == {first.id}
    assert len({finding.id for finding in other} | {first.id}) == 5


@pytest.mark.parametrize(
    ("text", "category", "others"),
    [
        ("河里漂着泡沫，味道很大", "water-pollution", ()),
        ("河里有人游泳", "general-appeal", ()),
        ("吃了凉粉肚子痛", "food-poisoning", ()),
        ("吃了没有", "general-appeal", ()),
        ("楼下跳广场舞吵得睡不着，路灯也不亮", "noise-complaint", ("municipal-service",)),
    ],
)
def test_some_words_speak_only_beside_another(text: str, category: str, others: tuple[str, ...]) -> None:
    """A river alone is no pollution and a meal no poisoning; a call may be about several matters."""
    found = CLASSIFIER.classify(text)
    assert (found.category, found.others) == (category, others)
    assert found.categories == (category, *others)


def test_what_stands_far_away_is_not_beside() -> None:
    """The other word must stand within about a clause."""
    assert CLASSIFIER.classify("河里有人游泳，" + "啊" * 30 + "泡沫").category == "general-appeal"
