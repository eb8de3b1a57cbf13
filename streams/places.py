"""From an address to the area that it names, by the names of the registry alone.

Of names that overlap the longest counts (河口新村 is not 河口村 with something around it). The lowest area that is named
wins, if the townships and counties that are named hold it; two that remain are an ambiguity, and nothing is guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from domain.areas import AreaLevel, covers, up_to
from domain.errors import Fault, InvalidInput
from domain.registry import Area
from streams.registry import Registry

LEVELS = (AreaLevel.COUNTY, AreaLevel.TOWNSHIP, AreaLevel.VILLAGE)
"""A city is too wide to act upon; cells of the grid are called alike everywhere."""
LEAST_NAME = 2
"""A single character is part of some other word."""
MOST_NAMED = 3
"""So many candidates are told."""


@dataclass(slots=True)
class _Names:
    """The areas of a source by their names, and how long the names are, longest first."""

    revision: int
    codes: dict[str, list[str]] = field(default_factory=dict)
    lengths: tuple[int, ...] = ()


class Places:
    """Finds areas by name; keeps an index for each area that a source has, made anew when the registry changes."""

    def __init__(self, registry: Registry) -> None:
        """Take the registry, which may change at any time."""
        self._registry = registry
        self._names: dict[str, _Names] = {}

    def locate(self, address: str, within: str, now: datetime) -> str:
        """Tell the code of the one area within another that an address names; InvalidInput saying why there is none.

        The fault names areas of the registry and nothing of the address.
        """
        found = _consistent(self._named(address, self._index(within, now)))
        if not found:
            raise InvalidInput([Fault("address", "names no area that is known here: send the area's code")])
        if len(found) > 1:
            names = "、".join(
                f"{self._registry.areas[code].name} {code}" for code in sorted(found)[:MOST_NAMED]
            )
            more = " …" if len(found) > MOST_NAMED else ""
            raise InvalidInput(
                [Fault("address", f"may mean {names}{more}: name the township too, or send the area's code")]
            )
        return found.pop()

    def _index(self, within: str, now: datetime) -> _Names:
        names = self._names.get(within)
        if names is None or names.revision != self._registry.revision:
            names = self._names[within] = _Names(self._registry.revision)
            for area in self._registry.areas.values():
                if (
                    len(area.code) in LEVELS
                    and len(area.name) >= LEAST_NAME
                    and covers(within, area.code)
                    and _is_valid(area, now)
                ):
                    names.codes.setdefault(area.name, []).append(area.code)
            names.lengths = tuple(sorted({len(name) for name in names.codes}, reverse=True))
        return names

    def _named(self, address: str, names: _Names) -> set[str]:
        """Collect the codes of all names in an address, reading from the left and the longest first."""
        found: set[str] = set()
        at = 0
        while at < len(address):
            name = next(
                (part for size in names.lengths if (part := address[at : at + size]) in names.codes), None
            )
            if name is not None:
                found.update(names.codes[name])
            at += len(name) if name is not None else 1
        return found


def _is_valid(area: Area, now: datetime) -> bool:
    return (area.valid_from is None or area.valid_from <= now) and (
        area.valid_to is None or now < area.valid_to
    )


def _consistent(codes: Iterable[str]) -> set[str]:
    """Keep the lowest areas that lie within what is named above them."""
    by_level = {level: {code for code in codes if len(code) == level} for level in LEVELS}
    above: dict[AreaLevel, set[str]] = {}
    kept: set[str] = set()
    for level in LEVELS:
        fitting = {
            code
            for code in by_level[level]
            if all(up_to(code, higher) in named for higher, named in above.items())
        }
        if fitting:
            kept = fitting
            above[level] = fitting
    return kept
