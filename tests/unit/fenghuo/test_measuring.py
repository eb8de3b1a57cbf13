"""Figures of the classifier, on a sample small enough to count by hand and on the one that is shipped."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.data import Term, load_data
from config.labelled import SHIPPED_SAMPLE, Labelled, Split, read_labelled, split_of
from detectors.words.text import Classifier
from domain.errors import InvalidInput
from fenghuo.demo.places import read_data
from fenghuo.measuring import Measured, measure

DATA = load_data()
CLASSIFIER = Classifier(DATA.terms)
SAMPLE = read_labelled(SHIPPED_SAMPLE, DATA.categories)
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "classifier.md"
SMALL = Classifier([Term(category="flood", words=("积水",)), Term(category="fire-hazard", words=("起火",))])


def labelled(text: str, category: str, *also: str) -> Labelled:
    """Label a text of the dev half."""
    return Labelled(text=text, category=category, also=also, split=Split.DEV)


def test_figures_that_can_be_counted_by_hand() -> None:
    """Four texts: one right, one that would do, one silent, one that is nothing and is found to be nothing."""
    (one,) = measure(
        SMALL,
        [
            labelled("路口积水", "flood"),
            labelled("起火后积水", "fire-hazard", "flood"),
            labelled("冒烟了", "fire-hazard"),
            labelled("你好", "general-appeal"),
        ],
    )
    assert (one.split, one.texts) == ("dev", 4)
    assert (one.accuracy, one.acceptable, one.covered) == (0.5, 0.75, 0.75)
    assert one.silent == pytest.approx(1 / 3)
    scores = {score.category: (score.precision, score.recall, score.f1) for score in one.categories}
    assert scores["flood"] == (0.5, 1.0, pytest.approx(2 / 3))
    assert scores["fire-hazard"] == (None, 0.0, 0.0)
    assert scores["general-appeal"] == (0.5, 1.0, pytest.approx(2 / 3))
    assert one.macro_f1 == pytest.approx(4 / 9)
    assert [(pair.category, pair.taken_for) for pair in one.confusions] == [("fire-hazard", "general-appeal")]


def test_the_shipped_sample_is_split_by_nobodys_choice() -> None:
    """Each text is in the half that its digest says, once, and every category that people call about has texts."""
    assert len({item.text for item in SAMPLE}) == len(SAMPLE) >= 400
    assert all(item.split is split_of(item.text) for item in SAMPLE)
    assert DATA.categories.keys() - {item.category for item in SAMPLE} == {"platform-fault"}


def figures() -> dict[str, Measured]:
    """Measure the shipped dictionary."""
    return {one.split: one for one in measure(CLASSIFIER, SAMPLE)}


def test_the_dictionary_is_as_good_as_we_say() -> None:
    """The page has the figures of today's dictionary, and the half that nobody worked on does not fall."""
    page, found = PAGE.read_text(encoding="utf-8"), figures()
    for name in ("accuracy", "acceptable", "covered", "silent", "macro_f1"):
        dev, test = (getattr(found[half], name) for half in ("dev", "test"))
        assert f"| {name} | {dev:.3f} | {test:.3f} |" in page
    assert found["test"].accuracy > 0.7 and found["test"].macro_f1 > 0.7


def test_the_demo_says_what_it_means() -> None:
    """Texts of the demo's county are taken for what they are written as."""
    wrong = [
        text
        for phrases in read_data("phrases.toml")["phrases"]
        for text in phrases["texts"]
        if CLASSIFIER.classify(text.format(village="红旗村", place="桥头")).category != phrases["category"]
    ]
    assert wrong == ["{village}{place}树枝挡住了监控"]


def test_all_faults_of_a_sample_are_told(tmp_path: Path) -> None:
    """Unknown categories, empty texts and wrong halves, each with its line."""
    path = tmp_path / "sample.csv"
    path.write_text(
        "text,category,also,split\n水,flood,,dev\n,flood,,dev\n水,tea,flood cake,both\n", encoding="utf-8"
    )
    with pytest.raises(InvalidInput) as caught:
        read_labelled(path, DATA.categories)
    assert [str(fault) for fault in caught.value.faults] == [
        "sample.csv:3: has no text",
        "sample.csv:4: 'tea' is not a known category",
        "sample.csv:4: 'cake' is not a known category",
        "sample.csv:4: split must be one of dev, test",
    ]
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="has no column text"):
        read_labelled(path, DATA.categories)


def classify(*arguments: str, given: str = "") -> tuple[int, str]:
    """Run the command away from any settings of this checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "fenghuo", "classify", *arguments],
        input=given,
        capture_output=True,
        encoding="utf-8",
        env={name: value for name, value in os.environ.items() if not name.startswith("FENGHUO_")},
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_command_answers_lines_and_measures(tmp_path: Path) -> None:
    """Texts from standard input, several matters in one call, and a sample of one's own."""
    status, out = classify("--json", given="河水发黑，还拖欠工资\n\n路灯不亮\n")
    first, second = json.loads(out)
    assert (status, first["category"], first["others"]) == (0, "wage-dispute", ["water-pollution"])
    assert (first["critical"], second["category"]) == (["拖欠工资"], "municipal-service")
    path = tmp_path / "own.csv"
    path.write_text("text,category\n路灯不亮,municipal-service\n", encoding="utf-8")
    status, out = classify("--evaluate", "--json", "--file", str(path))
    (one,) = json.loads(out)
    assert (status, one["texts"], one["accuracy"]) == (0, 1, 1.0)
