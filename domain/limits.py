"""Limits as people write them, and limits that are stated as an air quality index.

Pure. `write_out` turns what stands in a file or a form into what `Limit` holds; `follow` says what a series' limits are on
a date, when another edition of the standard may be in force.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from msgspec import structs

from domain.aqi import AirQuality, in_unit
from domain.errors import Fault, InvalidInput
from domain.levels import Level
from domain.registry import Series

LEVELS: dict[str, Level] = {
    **{str(level.value): level for level in Level},
    **{level.slug: level for level in Level},
    **dict(zip("蓝黄橙红", Level, strict=True)),
    **{f"{zh}色": level for zh, level in zip("蓝黄橙红", Level, strict=True)},
}
"""A level by number, by name and by colour."""


def write_out(series: Mapping[str, Any], air: AirQuality, on: date, faults: list[Fault]) -> dict[str, Any]:
    """Write out the limits of a series that is still plain values; `faults` gets what cannot be, by field.

    Levels become numbers, and a limit with `aqi` gets its value and its basis. What has another form than a limit stays as
    it is: whoever makes a Series of it tells.
    """
    limits = series.get("limits")
    if not isinstance(limits, list | tuple):
        return dict(series)
    written = []
    for number, limit in enumerate(limits):
        if not isinstance(limit, Mapping):
            written.append(limit)
            continue
        values = dict(limit)
        level = values.get("level")
        if isinstance(level, str):
            values["level"] = LEVELS.get(level.strip().lower(), level)
        if "aqi" in values:
            found = _of_aqi(series, values, air, on)
            faults.extend(Fault(f"limits[{number}].{fault.field}", fault.reason) for fault in found)
        written.append(values)
    return {**series, "limits": written}


def _of_aqi(series: Mapping[str, Any], values: dict[str, Any], air: AirQuality, on: date) -> Iterator[Fault]:
    """Put value and basis into a limit that states an index."""
    for name in ("value", "basis"):
        if name in values:
            yield Fault(name, "must not be given beside aqi: it follows from the standard")
    index, averaging = values["aqi"], values.get("averaging", "")
    if not isinstance(index, int) or not isinstance(averaging, str):
        values.setdefault("value", 0.0)  # the wrong type is told by whoever makes a Limit of it
        return
    values["value"], values["basis"] = 0.0, ""
    try:
        value, basis = _resolve(series.get("quantity"), series.get("unit"), index, averaging, air, on)
    except InvalidInput as error:
        yield from error.faults
    else:
        values["value"], values["basis"] = value, basis


def _resolve(
    quantity: Any, unit: Any, index: int, averaging: str, air: AirQuality, on: date
) -> tuple[float, str]:
    """Find the concentration of an index in a series' unit, and the words that say where it comes from."""
    scale = air.scale(str(quantity), averaging, on)
    value = air.concentration(scale.pollutant, averaging, index, on)
    return in_unit(value, scale.unit, str(unit)), f"{air.standard_on(on).name}, AQI {index}"


def follow(series: Series, air: AirQuality, on: date) -> Series:
    """Give a series with its AQI limits as the standard in force on a date has them; the same one when nothing changes.

    InvalidInput, by field, for a limit that the edition does not know any more; the others are not followed then either.
    """
    faults: list[Fault] = []
    limits = []
    for number, limit in enumerate(series.limits):
        if limit.aqi is None:
            limits.append(limit)
            continue
        try:
            value, basis = _resolve(series.quantity, series.unit, limit.aqi, limit.averaging, air, on)
        except InvalidInput as error:
            faults.extend(Fault(f"limits[{number}].{fault.field}", fault.reason) for fault in error.faults)
        else:
            limits.append(structs.replace(limit, value=value, basis=basis))
    if faults:
        raise InvalidInput(faults)
    return series if tuple(limits) == series.limits else structs.replace(series, limits=tuple(limits))
