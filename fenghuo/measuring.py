"""How well texts are classified: accuracy, precision and recall per category, and what is taken for what."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from config.labelled import Labelled, Split
from detectors.words.text import OTHERWISE, Classifier

MOST_PAIRS = 12


class Score(Struct, frozen=True, kw_only=True):
    """One category: how many texts are about it, how many were taken for it, and both shares of those that agree."""

    category: str
    texts: int
    taken: int
    precision: float | None
    recall: float | None
    f1: float


class Pair(Struct, frozen=True, kw_only=True):
    """A confusion: so many texts about one category were taken for another."""

    category: str
    taken_for: str
    texts: int


class Measured(Struct, frozen=True, kw_only=True):
    """The figures of one half of a sample.

    `accuracy` counts a text as right when its main category is found, `acceptable` also when one of its other categories
    is, `covered` when the main category is among all that are named. `silent` is the share of texts about something that
    the dictionary knows no word of. Macro F1 is the mean over the categories that the half has texts of.
    """

    split: str
    texts: int
    accuracy: float
    acceptable: float
    covered: float
    silent: float
    macro_f1: float
    categories: list[Score]
    confusions: list[Pair]


@dataclass(frozen=True, slots=True)
class _Judged:
    item: Labelled
    category: str
    named: tuple[str, ...]


def measure(classifier: Classifier, sample: Iterable[Labelled]) -> list[Measured]:
    """Classify a sample and compare, half by half; a half without texts is left out."""
    judged = []
    for item in sample:
        found = classifier.classify(item.text)
        judged.append(_Judged(item, found.category, found.categories))
    halves = ((split, [one for one in judged if one.item.split is split]) for split in Split)
    return [_measure(split, own) for split, own in halves if own]


def _measure(split: Split, judged: Sequence[_Judged]) -> Measured:
    count = len(judged)
    about = Counter(one.item.category for one in judged)
    taken = Counter(one.category for one in judged)
    right = Counter(one.category for one in judged if one.category == one.item.category)
    scores = [_score(name, about[name], taken[name], right[name]) for name in sorted(about | taken)]
    confusions = Counter(
        (one.item.category, one.category)
        for one in judged
        if one.category not in (one.item.category, *one.item.also)
    )
    something = [one for one in judged if one.item.category != OTHERWISE]
    return Measured(
        split=split,
        texts=count,
        accuracy=right.total() / count,
        acceptable=sum(one.category in (one.item.category, *one.item.also) for one in judged) / count,
        covered=sum(one.item.category in one.named for one in judged) / count,
        silent=sum(one.named == (OTHERWISE,) for one in something) / max(len(something), 1),
        macro_f1=sum(score.f1 for score in scores if score.texts) / len(about),
        categories=scores,
        confusions=[
            Pair(category=category, taken_for=other, texts=texts)
            for (category, other), texts in confusions.most_common(MOST_PAIRS)
        ],
    )


def _score(category: str, about: int, taken: int, right: int) -> Score:
    return Score(
        category=category,
        texts=about,
        taken=taken,
        precision=right / taken if taken else None,
        recall=right / about if about else None,
        f1=2 * right / (about + taken) if about + taken else 0.0,
    )
