"""The air quality index: indices of pollutants, the index of the air, and back from an index to a concentration.

Pure and exact: the tables of the standards are data (`config/data/aqi.toml`), and the one in force on the date of
observation counts. Concentrations are rounded first, half to even, then the index is linear between two rows and rounded up.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from typing import Annotated

from msgspec import Meta, Struct

from domain.errors import Fault, InvalidInput

PRIMARY_ABOVE = 50
"""Up to this index the air has no primary pollutant."""
PER_MILLI = 1_000
UNITS = {
    "µg/m³": ("µg/m³", 1),
    "μg/m³": ("µg/m³", 1),  # the Greek letter looks the same as the micro sign
    "ug/m³": ("µg/m³", 1),
    "µg/m3": ("µg/m³", 1),
    "μg/m3": ("µg/m³", 1),
    "ug/m3": ("µg/m³", 1),
    "mg/m³": ("µg/m³", PER_MILLI),
    "mg/m3": ("µg/m³", PER_MILLI),
}
"""Units of concentration as people write them, each as a multiple of µg/m³."""


class AirLevel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A class of air quality, up to and with an index."""

    up_to: Annotated[int, Meta(gt=0)]
    zh: str
    en: str


class Scale(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The concentrations of a pollutant at the standard's indices, for one averaging time.

    Beyond the last one the index is `above`; where there is none, the standard gives no index by this averaging time.
    """

    pollutant: str
    averaging: str
    unit: str
    decimals: Annotated[int, Meta(ge=0, le=3)]
    limits: Annotated[tuple[float, ...], Meta(min_length=2)]
    above: int | None = None

    def __post_init__(self) -> None:
        if self.limits[0] != 0 or any(low >= high for low, high in pairwise(self.limits)):
            raise ValueError("limits must begin with 0 and grow")
        if self.unit not in UNITS:
            raise ValueError(f"unit must be one of {', '.join(UNITS)}")


class Standard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One edition of the standard, in force from a date until the next one is."""

    name: str
    in_force_from: date
    provenance: str
    indices: Annotated[tuple[int, ...], Meta(min_length=2)]
    level: Annotated[tuple[AirLevel, ...], Meta(min_length=1)]
    scale: Annotated[tuple[Scale, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if self.indices[0] != 0 or any(low >= high for low, high in pairwise(self.indices)):
            raise ValueError("indices must begin with 0 and grow")
        if any(low.up_to >= high.up_to for low, high in pairwise(self.level)):
            raise ValueError("levels must grow")
        if self.level[-1].up_to < self.indices[-1]:
            raise ValueError("the last level must reach the last index")
        names = [(scale.pollutant, scale.averaging) for scale in self.scale]
        if len({*names}) < len(names):
            raise ValueError("a pollutant has one scale for each averaging time")
        for scale in self.scale:
            if len(scale.limits) > len(self.indices):
                raise ValueError(f"{scale.pollutant} has more limits than there are indices")

    def level_of(self, index: int) -> AirLevel:
        """Name the class of an index."""
        return next((level for level in self.level if index <= level.up_to), self.level[-1])


@dataclass(frozen=True, slots=True)
class Measured:
    """A mean concentration of a pollutant over an averaging time, in the unit of the standard's table."""

    pollutant: str
    averaging: str
    concentration: float


@dataclass(frozen=True, slots=True)
class Index:
    """The index of the air: its class, its primary pollutants, and what each measured value comes to.

    `parts` holds None where the standard gives no index by this averaging time.
    """

    aqi: int
    level: AirLevel
    standard: str
    primary: tuple[str, ...]
    parts: tuple[tuple[Measured, int | None], ...]


class AirQuality:
    """All editions of the standard; every question says for which date."""

    def __init__(self, standards: Iterable[Standard]) -> None:
        """Take the editions in any order."""
        self.standards = tuple(sorted(standards, key=lambda standard: standard.in_force_from))

    def standard_on(self, on: date) -> Standard:
        """Find the edition in force on a date; InvalidInput before the first one."""
        found = [standard for standard in self.standards if standard.in_force_from <= on]
        if not found:
            first = self.standards[0]
            raise InvalidInput(
                [Fault("date", f"is before {first.name}, in force from {first.in_force_from}")]
            )
        return found[-1]

    def scale(self, pollutant: str, averaging: str, on: date) -> Scale:
        """Find the table of a pollutant and an averaging time; InvalidInput names those that there are."""
        standard = self.standard_on(on)
        for scale in standard.scale:
            if (scale.pollutant, scale.averaging) == (pollutant, averaging):
                return scale
        times = [scale.averaging for scale in standard.scale if scale.pollutant == pollutant]
        if times:
            fault = Fault("averaging", f"of {pollutant} must be {' or '.join(times)} ({standard.name})")
        else:
            known = dict.fromkeys(scale.pollutant for scale in standard.scale)
            fault = Fault("pollutant", f"{pollutant!r} must be one of {', '.join(known)}")
        raise InvalidInput([fault])

    def iaqi(self, pollutant: str, averaging: str, concentration: float, on: date) -> int | None:
        """Compute a pollutant's index; None where the standard gives none by this averaging time."""
        scale = self.scale(pollutant, averaging, on)
        exact = _rounded(pollutant, concentration, scale.decimals)
        for (low, high), (least, most) in _segments(self.standard_on(on), scale):
            if exact <= high:
                return math.ceil(least + (exact - low) / (high - low) * (most - least))
        return scale.above

    def aqi(self, measured: Iterable[Measured], on: date) -> Index:
        """Compute the index of the air from what was measured; InvalidInput with all faults, or when nothing counts."""
        standard = self.standard_on(on)
        faults: list[Fault] = []
        parts: list[tuple[Measured, int | None]] = []
        for one in measured:
            try:
                parts.append((one, self.iaqi(one.pollutant, one.averaging, one.concentration, on)))
            except InvalidInput as error:
                faults.extend(error.faults)
        if not faults and all(index is None for _, index in parts):
            faults.append(Fault("values", "none has an index"))
        if faults:
            raise InvalidInput(faults)
        greatest = max(index for _, index in parts if index is not None)
        primary = dict.fromkeys(one.pollutant for one, index in parts if index == greatest > PRIMARY_ABOVE)
        return Index(greatest, standard.level_of(greatest), standard.name, tuple(primary), tuple(parts))

    def concentration(self, pollutant: str, averaging: str, index: int, on: date) -> float:
        """Find the concentration above which a pollutant's index exceeds an index, in the table's unit.

        InvalidInput where the table does not reach so far.
        """
        scale = self.scale(pollutant, averaging, on)
        standard = self.standard_on(on)
        for (low, high), (least, most) in _segments(standard, scale):
            if least < index <= most:
                return float(low + Fraction(index - least, most - least) * (high - low))
        last = standard.indices[len(scale.limits) - 1]
        raise InvalidInput(
            [Fault("aqi", f"of {pollutant} over {averaging} must be 1 to {last} ({standard.name})")]
        )


def in_unit(concentration: float, of: str, unit: str) -> float:
    """Convert a concentration from one unit into another; InvalidInput for a unit that is no mass in a volume."""
    if unit not in UNITS:
        raise InvalidInput([Fault("unit", f"{unit!r} must be one of µg/m³, mg/m³ for an AQI")])
    factor = Fraction(UNITS[of][1], UNITS[unit][1])
    return float(Fraction(str(concentration)) * factor)


def _segments(
    standard: Standard, scale: Scale
) -> Iterator[tuple[tuple[Fraction, Fraction], tuple[int, int]]]:
    """Pair the stretches of a table: concentrations with indices."""
    limits = [Fraction(str(limit)) for limit in scale.limits]
    return zip(pairwise(limits), pairwise(standard.indices), strict=False)


def _rounded(pollutant: str, concentration: float, decimals: int) -> Fraction:
    """Round as the decimal number that people see, half to even; InvalidInput for what is no concentration."""
    if not math.isfinite(concentration) or concentration < 0:
        raise InvalidInput([Fault(pollutant, "must be a finite number and not negative")])
    try:
        return Fraction(Decimal(str(concentration)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN))
    except InvalidOperation as error:
        raise InvalidInput([Fault(pollutant, "is too large for a concentration")]) from error
