"""Chinese text into words: jieba with the dictionary's own words, loaded when first needed and quietly."""

import logging
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any


class Segmenter:
    """Cuts text into words; deterministic, without guessing at unknown words."""

    def __init__(self, words: Iterable[str]) -> None:
        """Take words that must come out whole; nothing is loaded yet."""
        self._words = tuple(words)
        self._tokenizer: Any = None

    def cut(self, text: str) -> list[str]:
        """Cut a text into its words; together they are the text."""
        if self._tokenizer is None:
            self._tokenizer = _tokenizer()
            total = self._tokenizer.total
            for word in self._words:
                self._tokenizer.add_word(word, freq=1_000_000)
            self._tokenizer.total = total  # else every word that is added would change how all texts are cut
        return self._tokenizer.lcut(text, HMM=False)  # type: ignore[no-any-return]  # ships no types


def _tokenizer() -> Any:
    """Make a tokenizer of its own, so that our words do not leak into anybody else's."""
    with warnings.catch_warnings():
        # jieba 0.42 imports pkg_resources and holds regular expressions that Python 3.12 warns of
        warnings.simplefilter("ignore")
        import jieba  # type: ignore[import-untyped]  # noqa: PLC0415  takes a quarter of a second

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    # `initialize()` would take a cache from the shared temporary folder, where anybody may have put one
    frequencies, tokenizer.total = _dictionary()
    tokenizer.FREQ = dict(frequencies)
    tokenizer.initialized = True
    return tokenizer


@cache
def _dictionary() -> tuple[dict[str, int], int]:
    import jieba  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        found: tuple[dict[str, int], int] = jieba.Tokenizer.gen_pfdict(jieba.dt.get_dict_file())
    return found


@cache
def names() -> frozenset[str]:
    """Name the words of jieba's dictionary that it knows as persons' names; many of them mean something else too."""
    import jieba  # noqa: PLC0415

    with jieba.dt.get_dict_file() as lines:
        tagged = (line.decode().split() for line in lines)
        return frozenset(parts[0] for parts in tagged if parts[-1].startswith("nr") and len(parts[0]) > 1)
