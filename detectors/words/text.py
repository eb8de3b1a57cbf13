"""What a ticket or report is about: dictionary words, and the critical phrases among them.

A word counts where the text has word borders around it; one that needs another word near it (河里 … 臭) counts with that.

Places and themes only: the dictionary holds no persons. A critical phrase that is denied (没有聚集), practised (演练) or
part of something harmless (聚集性发热 is a fever) is none. A denial after the phrase is not one: 讨薪没有结果 is a dispute.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from uuid import UUID

from config.data import Term
from detectors.counts.cells import BUCKETS_PER_DAY, bucket_of, seconds_of
from detectors.words.segment import Segmenter
from domain.areas import AreaLevel, up_to
from domain.clock import EPOCH
from domain.findings import Finding, FindingState, SubjectKind
from domain.identity import finding_id
from domain.levels import Feed

DETECTOR, DETECTOR_VERSION = "phrases", 1
OTHERWISE = "general-appeal"
"""Category of what the dictionary does not know."""
DENIED = re.compile(
    r"((没有|未见|未发现|未发生|未出现|并无|不存在|不会|不是|不再|并非|不要|切勿|请勿|防止|防范|预防|谨防|避免|杜绝|禁止|严禁|排除|解除"
    r"|谣传|误传|演练|模拟)"
    r"[^，。；！？、,.;!?但发给付结资钱管果决复理]{0,4}|[没未无]人?[再曾]?|[谨严]?防|(?<![得再要何])不)$"
)
"""What may stand before: not what is missing instead (没有发工资讨薪 is a dispute), no end of a sentence, no 得不."""
PRACTISED = re.compile(r"[^，。；！？、,.;!?]{0,6}(演练|演习|知识|讲座|预案)")
"""What may stand behind, without an end of a clause between."""
UNDONE = re.compile(r"不行|就|怎么|[，,]?不[^，。,.]{0,4}不")
"""What behind a denied word turns it round: 不上访不行."""
DISGUISE = re.compile(r"(?<=[一-鿿])[*·•_^|#]+(?=[一-鿿])")
"""Signs between characters that tear a word apart, and are no end of anything: 讨*薪."""
MASK = "　"
NEAR = 12
"""Characters before and after a word in which the other one must stand: about one clause."""


@dataclass(frozen=True, slots=True)
class Classified:
    """What a text is about: the category, the words that speak for it, critical phrases as (category, phrase).

    `others` are the further matters of the same call, weightiest first: a call about a stench and unpaid wages is counted
    once, under its category, and is about both. `cut` is the text cut into words, spaces left out.
    """

    category: str
    words: tuple[str, ...]
    phrases: tuple[tuple[str, str], ...]
    others: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()

    @property
    def categories(self) -> tuple[str, ...]:
        """Name all matters of the call, the one that it is counted under first."""
        return (self.category, *self.others)

    @property
    def critical(self) -> tuple[str, ...]:
        """Name the critical phrases alone."""
        return tuple(phrase for _, phrase in self.phrases)


@dataclass(frozen=True, slots=True)
class _Hit:
    term: Term
    word: str
    begin: int


class _Term:
    """A dictionary entry ready to be looked for."""

    def __init__(self, term: Term) -> None:
        self.term = term
        self._words, self._unless, self._near = map(_any_of, (term.words, term.unless, term.near))
        self._first, self._nearby = _first(term.words), _first(term.near)

    def may_be_in(self, characters: set[str]) -> bool:
        """Say whether a text of these characters may hold one of its words: asked first, since it is soon answered."""
        return not (
            self._first.isdisjoint(characters) or (self._nearby and self._nearby.isdisjoint(characters))
        )

    def hits(self, text: str) -> list[_Hit]:
        """Find its words in a text."""
        if self._words is None:
            return []
        if self._unless is not None:
            text = self._unless.sub(lambda found: MASK * len(found.group()), text)
        return [
            _Hit(self.term, found.group(), found.start())
            for found in self._words.finditer(text)
            if self._near is None or self._is_near(text, found.start(), found.end())
        ]

    def _is_near(self, text: str, begin: int, end: int) -> bool:
        around = text[max(begin - NEAR, 0) : begin] + MASK + text[end : end + NEAR]
        return self._near is not None and self._near.search(around) is not None


class Classifier:
    """Classifies by the dictionary of the data files."""

    def __init__(self, terms: Iterable[Term], otherwise: str = OTHERWISE) -> None:
        """Take the dictionary; jieba is loaded with the first text that holds one of its words."""
        self._otherwise = otherwise
        self._terms = [_Term(term) for term in terms]
        self._segmenter = Segmenter(
            word for one in self._terms if not one.term.near for word in (*one.term.words, *one.term.unless)
        )

    def classify(self, text: str, given: str | None = None) -> Classified:
        """Classify a text; a category that it came with (`given`) stands, critical phrases are looked for all the same."""
        plain = plain_of(text)
        cut = self._segmenter.cut(plain)
        borders, characters = {0, *accumulate(map(len, cut))}, set(plain)
        hits = [
            hit
            for term in self._terms
            if term.may_be_in(characters)
            for hit in term.hits(plain)
            if hit.term.near or {hit.begin, hit.begin + len(hit.word)} <= borders
        ]
        hits = [hit for hit in hits if not (hit.term.critical and _denied(plain, hit))]
        hits.sort(key=lambda hit: hit.begin)
        weights = {(hit.term.category, hit.word): hit.term.weight for hit in hits}
        scores: dict[str, float] = {}
        for name, word in reversed(
            weights
        ):  # of equals the last counts: the place is named before the matter
            scores[name] = scores.get(name, 0.0) + weights[name, word]
        ranked = sorted(scores, key=lambda name: -scores[name])  # stable: of equals the last said comes first
        category = given or next(iter(ranked), self._otherwise)
        phrases: dict[str, str] = {}
        for hit in hits:
            if hit.term.critical:
                phrases.setdefault(hit.term.category, hit.word)
        return Classified(
            category=category,
            words=tuple(dict.fromkeys(hit.word for hit in hits if hit.term.category == category)),
            phrases=tuple(phrases.items()),
            others=tuple(name for name in ranked if name != category),
            cut=tuple(cut),
        )


def phrase_findings(
    classified: Classified,
    *,
    input_id: UUID,
    area: str,
    feed: Feed,
    observed_at: datetime,
    received_at: datetime,
) -> list[Finding]:
    """Make a finding of each category's critical phrase: one per village, category, feed and local day, by its id.

    Said again the same day it has the same id. It is not cleared; it ends with its day.
    """
    place = up_to(area, AreaLevel.VILLAGE)
    day = bucket_of(observed_at) // BUCKETS_PER_DAY
    start = EPOCH + timedelta(seconds=seconds_of(day * BUCKETS_PER_DAY))
    return [
        Finding(
            id=finding_id(DETECTOR, DETECTOR_VERSION, f"{place}/{category}/{feed}", start),
            detector=DETECTOR,
            detector_version=DETECTOR_VERSION,
            category=category,
            subject_kind=SubjectKind.CELL,
            subject=place,
            area=area,
            feed=feed,
            state=FindingState.CONFIRMED,
            observed_at=observed_at,
            received_at=received_at,
            period_start=start,
            period_end=start + timedelta(days=1),
            phrase=phrase,
            inputs=(input_id,),
        )
        for category, phrase in classified.phrases
    ]


def plain_of(text: str) -> str:
    """Write a text as the dictionary does: ordinary width, without spaces, invisible characters and disguises."""
    wide = unicodedata.normalize("NFKC", text)
    seen = wide if wide.isascii() else "".join(one for one in wide if unicodedata.category(one) != "Cf")
    return DISGUISE.sub("", "".join(seen.split()))


def _any_of(words: Iterable[str]) -> re.Pattern[str] | None:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def _first(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word[0] for word in words)


def _denied(text: str, hit: _Hit) -> bool:
    end = hit.begin + len(hit.word)
    if PRACTISED.match(text, end):
        return True
    return DENIED.search(text, max(hit.begin - 12, 0), hit.begin) is not None and not UNDONE.match(text, end)
