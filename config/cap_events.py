"""Which of our categories an official warning speaks of: by the code of its event, else by the words of its name."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from msgspec import Meta, Struct

from domain.errors import Fault
from domain.inputs import Slug


class CapEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of warning: its names in any language, its codes, our category, and who says so.

    A warning that tells no end is taken to hold for `hours`.
    """

    names: Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]
    codes: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    category: Slug
    hours: Annotated[float, Meta(gt=0, le=24 * 365)] = 24.0
    provenance: Annotated[str, Meta(min_length=1)]


class CapEvents:
    """All kinds of warnings that there is a category for."""

    def __init__(self, events: Iterable[CapEvent]) -> None:
        """Index the kinds by code and name; letters of either case are the same."""
        kinds = tuple(events)
        self._by_code = {code.lower(): kind for kind in kinds for code in kind.codes}
        names = {name.lower(): kind for kind in kinds for name in kind.names}
        longest = sorted(names.items(), key=lambda item: -len(item[0]))
        self._by_name = [(_in_words(name), kind) for name, kind in longest]

    def find(self, event: str, codes: Iterable[str] = ()) -> CapEvent | None:
        """Find the kind: a known code decides, else the longest name in the event's words (雷雨大风 before 大风)."""
        for code in codes:
            if kind := self._by_code.get(code.strip().lower()):
                return kind
        words = event.lower()
        return next((kind for name, kind in self._by_name if name.search(words)), None)


def _in_words(name: str) -> re.Pattern[str]:
    """Find a name in a sentence; Latin letters only as whole words: fog is not in fogey."""
    edge = r"\b" if name.isascii() else ""
    return re.compile(f"{edge}{re.escape(name)}{edge}")


def check_cap_events(events: Iterable[CapEvent]) -> Iterator[Fault]:
    """Find names and codes that stand twice: which category is meant would hang on the order of the file."""
    kinds = tuple(events)
    for place, words in (
        ("cap_event.names", [name.lower() for kind in kinds for name in kind.names]),
        ("cap_event.codes", [code.lower() for kind in kinds for code in kind.codes]),
    ):
        yield from (
            Fault(place, f"{word} is there twice")
            for word in sorted({word for word in words if words.count(word) > 1})
        )
