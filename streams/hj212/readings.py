"""What packets of HJ 212 measure: observations of channels, and what of a packet could not be understood.

| CN | item | channel |
|---|---|---|
| 2011 | `w01018-Rtd`, `a21026-ZsRtd` | `w01018`, `a21026.zs` (converted to reference oxygen, 折算) |
| 2021 | `SB1-RS` | `SB1.state` |
| 2051, 2061, 2031 | `w01018-Avg`, `-Min`, `-Max`, `-Cou`, … | `w01018.minute.avg`, `w01018.hour.min`, `w01018.day.cou`, … |
| 2041 | `SB1-RT` | `SB1.day.runtime` (hours of that day) |
| 2081 | `RestartTime` | `restart`, with the value 1 at that time |
| other 2… | `code-Field` | `code.CN.field` |

Fields that this table does not name keep their name in small letters: nothing that is a number is dropped.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from itertools import repeat
from math import isfinite
from operator import itemgetter
from typing import NamedTuple

from domain.decode import MAX_FAULTS
from domain.errors import Fault
from domain.inputs import QUALITY_BY_LETTER, Quality
from streams.devices.met import Observation
from streams.hj212.packet import Packet
from streams.packing import micros

CHINA = timezone(timedelta(hours=8))
"""All of China, all year: summer time was last kept in 1991, and no packet is that old."""

ITEM = re.compile(r"(?:^|[,;])([\w.:]{1,32})-([A-Za-z]\w{0,15})=([^,;]*)", re.ASCII)
CODE_AND_FIELD = re.compile(r"([\w.:]{1,32})-([A-Za-z]\w{0,15})", re.ASCII)
TIME = re.compile(r";([\w.:]{1,32})-Rtd=(-?\d+(?:\.\d+)?),\1-Flag=([A-Z])(?=;|$)", re.ASCII)
"""The group that nearly all real-time packets consist of."""
TIME = re.compile(r"DataTime=([^,;]*)")
SECTION = re.compile(r"(?:^|(?<=[,;]))DataTime=")
PLAIN = {"DataTime", "QN", "PolId", "BeginTime", "EndTime", "RestartTime"}
"""Items of a CP that are about all of it and not one channel."""

PERIODS = {"2051": ".minute", "2061": ".hour", "2031": ".day", "2041": ".day"}
FIELDS = {
    ("2011", "Rtd"): "",
    ("2011", "ZsRtd"): ".zs",
    ("2021", "RS"): ".state",
    ("2041", "RT"): ".day.runtime",
}

FLAGS_2005 = {
    "P": Quality.FAULT,  # no power
    "0": Quality.CALIBRATION,
    "1": Quality.GOOD,  # of air stations: a weather parameter
    "2": Quality.FAULT,
    "3": Quality.GOOD,
}
"""Flags of HJ/T 212-2005 beyond the letters of later editions, as several public implementations list them."""
QUALITY_BY_FLAG = {
    form: quality
    for letter, quality in (QUALITY_BY_LETTER | FLAGS_2005).items()
    for form in (letter, letter.lower())
}
NOTED_BY_FLAG = {
    flag: Quality.NOTED if quality is Quality.GOOD else quality for flag, quality in QUALITY_BY_FLAG.items()
}
"""The same for packets with notes."""


def observations(packet: Packet) -> tuple[list[Observation], list[Fault]]:
    """Tell what a packet of data measures, and what of it could not be understood, by field.

    What is understood is kept whatever else is wrong. Notes of the packet make GOOD values NOTED. A missing flag is
    GOOD; one that nobody knows is told and its values are kept as FAULT, since only N may reach detectors. A value that
    is empty under a flag other than N says only that there is none. Times are China's; `-SampleTime` wins over DataTime,
    and each DataTime holds for what follows it. EFlag speaks of the instrument: nothing here uses it.
    """
    if not packet.cn.startswith("2"):
        return [], []
    if (quick := _read_quickly(packet)) is not None:
        return quick, []
    found: list[Observation] = []
    faults: list[Fault] = []
    begins = [0, *(match.start() for match in SECTION.finditer(packet.cp))][1:] or [0]
    for begin, end in zip([0, *begins[1:]], [*begins[1:], len(packet.cp)], strict=True):
        _read_section(packet, packet.cp[begin:end], found, faults)
    if len(faults) > MAX_FAULTS:
        faults[MAX_FAULTS:] = [Fault("CP", f"has {len(faults) - MAX_FAULTS} more faults")]
    return found, faults


def china_time(text: str) -> int | None:
    """Read a time such as 20260102030405, with milliseconds or without, as microseconds since 1970 UTC."""
    if len(text) not in (14, 17) or not (text.isascii() and text.isdigit()):
        return None
    second = _china_second(text[:14])
    return second if second is None or len(text) == 14 else second + int(text[14:]) * 1_000


@lru_cache(maxsize=4_096)  # thousands of devices send in the same second, and of the same minute
def _china_second(text: str) -> int | None:
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    hour, minute, second = int(text[8:10]), int(text[10:12]), int(text[12:])
    try:
        return micros(datetime(year, month, day, hour, minute, second, tzinfo=CHINA))
    except ValueError:
        return None


class _Plan(NamedTuple):
    """What to take from the values of packets whose items have these names in this order."""

    channels: tuple[str, ...]
    values: Callable[[list[str]], tuple[str, ...]]
    flags: Callable[[list[str]], tuple[str, ...]]


def _read_quickly(packet: Packet) -> list[Observation] | None:
    """Read a packet in which all is as it should be, by the plan for its items; None when anything is not.

    A device sends the same items all day, so the work is in the numbers alone: a fifth of the time of looking closely.
    """
    cp = packet.cp
    flat = cp.replace(",", ";").replace("=", ";").split(";")
    plan = _plan(packet.cn, tuple(flat[::2])) if 2 * cp.count("=") == len(flat) and "_" not in cp else None
    if plan is None:
        return None
    values = flat[1::2]
    at = china_time(values[0])
    values.append("N")
    quality_of = NOTED_BY_FLAG if packet.notes else QUALITY_BY_FLAG
    try:
        numbers = list(map(float, plan.values(values)))
        qualities = [quality_of[flag] for flag in plan.flags(values)]
    except (KeyError, ValueError):
        return None
    if at is None or not isfinite(sum(numbers)):
        return None
    # every channel has a number and a quality, and `repeat` has no end
    columns = zip(plan.channels, repeat(at), numbers, qualities)
    return list(map(tuple.__new__, repeat(Observation), columns))  # half the time of calling Observation


@lru_cache(maxsize=2_048)
def _plan(cn: str, names: tuple[str, ...]) -> _Plan | None:
    """Make the plan for a packet's items; None when they need a closer look."""
    items = [CODE_AND_FIELD.fullmatch(name) for name in names[1:]]
    if names[0] != "DataTime" or cn == "2081" or not items:
        return None
    flags: dict[str, int] = {}
    values: list[tuple[int, str, str]] = []
    for place, item in enumerate(items, 1):
        if item is None or item[2] == "SampleTime" or (item[2] == "Flag" and item[1] in flags):
            return None
        if item[2] == "Flag":
            flags[item[1]] = place
        elif item[2] != "EFlag":
            values.append((place, item[1], item[2]))
    if len(values) < 2 or not flags.keys() <= {code for _, code, _ in values}:
        return None  # `itemgetter` of one place gives no tuple, and every flag must be looked at
    return _Plan(
        tuple(code + _suffix(cn, field) for _, code, field in values),
        itemgetter(*(place for place, _, _ in values)),
        itemgetter(*(flags.get(code, len(names)) for _, code, _ in values)),
    )


def _read_section(packet: Packet, cp: str, found: list[Observation], faults: list[Fault]) -> None:
    """Read the items that one DataTime holds for."""
    items = ITEM.findall(cp)
    time = TIME.match(cp)
    if time and len(items) + 1 == cp.count("=") == cp.count(";") + cp.count(",") + 1:
        plain = {"DataTime": time[1]}
    else:
        plain = _plain(cp, faults)
    quality_of = NOTED_BY_FLAG if packet.notes else QUALITY_BY_FLAG
    good = quality_of["N"]
    at = _time(plain, "DataTime", faults) if "DataTime" in plain else None
    if packet.cn == "2081" and (restart := _time(plain, "RestartTime", faults)) is not None:
        found.append(Observation("restart", restart, 1.0, good))
    flags: dict[str, Quality] = {}
    times: dict[str, int | None] = {}
    values = []
    for item in items:
        code, field, value = item
        if field == "Flag":
            flags[code] = quality_of.get(value, Quality.FAULT)
            if value not in quality_of:
                faults.append(Fault(f"{code}-Flag", f"{value[:8]!r} is no flag of HJ 212: kept as faulty"))
        elif field == "SampleTime":
            times[code] = _time({f"{code}-SampleTime": value}, f"{code}-SampleTime", faults) or at
        elif field != "EFlag":
            values.append(item)
    timeless = False
    for code, field, text in values:
        quality = flags.get(code, good)
        observed = times.get(code, at)
        value = _number(text)
        if value is None:
            if text.strip() or quality is good:
                faults.append(Fault(f"{code}-{field}", "is not a number" if text.strip() else "is empty"))
        elif observed is None:
            timeless = True
        else:
            found.append(Observation(code + _suffix(packet.cn, field), observed, value, quality))
    if timeless and "DataTime" not in plain:
        faults.append(Fault("DataTime", "is missing"))


def _plain(cp: str, faults: list[Fault]) -> dict[str, str]:
    """Find the items that are about the whole section, and tell those that are nothing."""
    plain = {}
    for item in map(str.strip, re.split("[,;]", cp)):
        name, equals, value = item.partition("=")
        if not item or ITEM.fullmatch(item):
            continue
        if name in PLAIN and equals:
            plain[name] = value
        elif not equals:
            faults.append(Fault(name[:60], "is no item: it has no ="))
        elif "-" not in name:
            faults.append(Fault(name[:60], "has no field, such as -Rtd, and is no item of its own"))
        else:
            faults.append(Fault(name[:60], "must be a code of up to 32 of A-Z a-z 0-9 _ . : and a field"))
    return plain


def _time(values: dict[str, str], name: str, faults: list[Fault]) -> int | None:
    """Read a time by name, or tell what is wrong with it."""
    at = china_time(values.get(name, ""))
    if at is None:
        faults.append(Fault(name, "is no time such as 20260102030405" if values.get(name) else "is missing"))
    return at


def _number(text: str) -> float | None:
    """Read a number; what Python alone takes for one (`1_0`, `nan`) is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return None if "_" in text or value - value else value


@lru_cache(maxsize=1_024)
def _suffix(cn: str, field: str) -> str:
    """Name what follows the code in a channel's name."""
    known = FIELDS.get((cn, field))
    if known is not None:
        return known
    period = "" if cn == "2011" else PERIODS.get(cn, f".{cn}")
    return f"{period}.{field.lower()}"
