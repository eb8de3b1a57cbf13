"""What stations of HJ 212 call what they measure: names and units of their codes."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from domain.errors import Fault

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,10}$")]


class PollutantKind(StrEnum):
    """Where a quantity is measured."""

    WATER = "water"
    AIR = "air"  # in the open and in stacks
    WEATHER = "weather"
    NOISE = "noise"
    STATION = "station"  # of the station itself


class Pollutant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A quantity: its code since 2017 and, where it had one, that of 2005; `unit` is empty where there is none."""

    code: Code
    code_2005: Code | None = None
    zh: Annotated[str, Meta(min_length=1)]
    en: Annotated[str, Meta(min_length=1)]
    unit: str = ""
    kind: PollutantKind
    provenance: Annotated[str, Meta(min_length=1)]


def by_code(pollutants: Sequence[Pollutant]) -> dict[str, Pollutant]:
    """Make a table by both codes."""
    old = {each.code_2005: each for each in pollutants if each.code_2005}
    return old | {each.code: each for each in pollutants}


def pollutant_of(pollutants: Mapping[str, Pollutant], channel: str) -> Pollutant | None:
    """Find what a channel such as `w01018`, `011` or `a21026.hour.max` measures; None when nobody knows."""
    return pollutants.get(channel.partition(".")[0])


def check_pollutants(pollutants: Sequence[Pollutant]) -> Iterator[Fault]:
    """Find codes that mean two things."""
    codes = Counter(code for each in pollutants for code in (each.code, each.code_2005) if code)
    yield from (
        Fault("pollutant", f"the code {code} is there twice") for code in sorted(codes) if codes[code] > 1
    )
