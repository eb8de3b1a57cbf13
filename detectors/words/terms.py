"""Which words of a text are terms: what it is about, never who; numbers, names and manners of speaking are none."""

import re
from collections.abc import Collection, Iterable

from config.data import Stop, Term
from detectors.words.segment import names

CHINESE = re.compile(r"[一-鿿]{2,8}")
NUMERALS = re.compile(r"[〇零一二两三四五六七八九十百千万亿几多半第个名人户家次年月日号天点时分元块里岁]+")
"""Words of these alone are quantities: 十几名, 三个月, 一百多户."""
MOST_TERMS = 40
"""Of one text: whoever writes twenty thousand characters is heard as loudly as others."""
MASKED = {"〔": "〕"}
"""What the gateway has put in the place of names, numbers and flats."""


class Terms:
    """Finds the terms of texts that were cut into words; one for all partitions.

    A word is none that jieba knows as a person's name, that stands right after a surname (张|桂花) or right before a
    title (桂花|书记), or that is part of what the text's own place is called. A name that was put together from other
    words and stands alone is not recognised: a term must therefore be told by several texts before anybody sees it.
    """

    def __init__(self, stops: Iterable[Stop] = (), dictionary: Iterable[Term] = ()) -> None:
        """Take the stop words, and the dictionary: its other words are terms whatever else they may be."""
        stopped: dict[str, set[str]] = {"word": set(), "place": set(), "title": set(), "surname": set()}
        for stop in stops:
            stopped[stop.kind].update(stop.words)
        self._titles, self._surnames = stopped["title"], stopped["surname"]
        self._never = stopped["word"] | stopped["place"] | self._titles | self._surnames
        self._known = {
            word
            for term in dictionary
            for word in term.words
            if not term.near and CHINESE.fullmatch(word) and word not in self._never
        }
        self._seen: dict[str, bool] = {}

    def of(self, cut: Collection[str], places: Iterable[str] = ()) -> tuple[str, ...]:
        """List the terms of a text, each once, in the order they stand in; `places` are names of where it is about."""
        found: dict[str, None] = {}
        around = "".join(places)
        before, closing = "", ""
        last = ""
        for word in cut:
            if closing:
                closing = "" if word == closing else closing
            elif word in MASKED:
                closing = MASKED[word]
            elif word in self._titles and last and last not in self._known:
                found.pop(last, None)
            elif self._may_be(word, before) and (word not in around or word in self._known):
                found[word] = None
                last, before = word, word
                continue
            last, before = "", word
        return tuple(found)[:MOST_TERMS]

    def _may_be(self, word: str, before: str) -> bool:
        if len(word) < 2:
            return False
        if word in self._known:
            return True
        if before in self._surnames and len(word) <= 2:
            return False
        known = self._seen.get(word)
        if known is None:
            if len(self._seen) > 100_000:  # only so that a flood of nonsense cannot fill the memory
                self._seen.clear()
            known = self._seen[word] = self._is_term(word)
        return known

    def _is_term(self, word: str) -> bool:
        return (
            CHINESE.fullmatch(word) is not None
            and NUMERALS.fullmatch(word) is None
            and word not in self._never
            and word not in names()
        )
