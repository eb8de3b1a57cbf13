"""Which words of a text are terms."""

import pytest

from config.data import load_data
from detectors.words.terms import MOST_TERMS, Terms
from detectors.words.text import Classifier

DATA = load_data()
CLASSIFIER, TERMS = Classifier(DATA.terms), Terms(DATA.stops, DATA.terms)


def terms_of(text: str, *places: str) -> tuple[str, ...]:
    """Find the terms of a text."""
    return TERMS.of(CLASSIFIER.classify(text).cut, places)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("厂里有刺鼻异味，呛人", ("厂里", "刺鼻", "异味", "呛人")),
        ("来电反映，希望尽快处理，谢谢", ()),
        ("十几名工人讨薪三个月", ("工人", "讨薪")),
        ("异味，还是异味", ("异味",)),
        ("", ()),
    ],
)
def test_terms_say_what_a_text_is_about(text: str, terms: tuple[str, ...]) -> None:
    """Manners of speaking and quantities are left out, and each term stands once."""
    assert terms_of(text) == terms


@pytest.mark.parametrize(
    "text",
    [
        "李建国",
        "我叫张桂花",
        "桂花女士",
        "欧阳娜娜",
        "〔姓名〕〔电话〕〔证件号〕〔门牌〕",
        "13800001234",
        "１３８００００１２３４",
        "身份证号110101199001011234",
        "一三八零零零零一二三四",
        "粤B12345",
        "abcdef@example.com",
    ],
)
def test_people_and_their_numbers_are_no_terms(text: str) -> None:
    """Names that jieba knows, given names after a surname or before a title, numbers and masks are never terms."""
    assert terms_of(text) == ()


def test_what_its_place_is_called_after_is_no_term() -> None:
    """A village called after grapes does not make grapes rise; a matter that it is called after stays one."""
    assert "葡萄" in terms_of("葡萄烂了")
    assert "葡萄" not in terms_of("葡萄沟村的葡萄烂了", "葡萄沟村")
    assert "污水" in terms_of("污水沟村的污水", "污水沟村")


def test_a_long_text_is_heard_no_louder() -> None:
    """Of the longest text only so many terms are kept."""
    words = [chr(a) + chr(b) for a in range(0x4E00, 0x4E10) for b in range(0x5000, 0x5010)]
    assert len(TERMS.of(words)) == MOST_TERMS


def test_a_dictionary_word_that_stops_say_nothing_of_is_a_term_even_if_it_may_be_a_name() -> None:
    """Jieba takes 洪水 for a name: the dictionary knows better."""
    assert terms_of("洪水来了") == ("洪水",)
