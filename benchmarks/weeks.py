"""Weeks of a county with events at realistic rates: the demo's happenings at other times, in other places, in other sizes.

The script of the demo's day is the model, and what is drawn for a week hangs on the seed alone. Readings get what weeks have
and a day has not: weekends, and weather that comes and goes over days.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from msgspec import structs

from domain.areas import AreaLevel, township_of
from fenghuo.demo.networks import Channel
from fenghuo.demo.places import Places
from fenghuo.demo.readings import SHANGHAI, Numbers, ReadingGenerator
from fenghuo.demo.truth import Happening, read_truth

FOUR_WEEKS = {
    "wage-dispute": 1.0,
    "fever-cluster": 1.0,
    "chemical-leak": 1.0,
    "rainstorm": 1.0,
    "stuck-sensor": 2.0,
    "drifting-sensor": 2.0,
    "silent-sensor": 3.0,
    "duplicate-storm": 1.0,
    "festival": 1.0,
}
"""How many there are in a county in four weeks: about one event a week, and twice as many distractions."""
SIZES = (0.5, 1.5)
"""An event is from half to one and a half times as large as the demo's."""
WEEK_MINUTES = 7 * 24 * 60
LEAK_LIMIT, LEAK_USUAL = 1.0, 0.32
STAGE_LIMIT, STAGE_USUAL = 4.5, 2.4
WEEKEND = {"no2": 0.8, "leq": 0.96, "fever": 0.7, "diarrhoea": 0.7, "rash": 0.7, "pressure": 0.99}
"""Part of the usual value that is left on Saturday and Sunday; cars, clinics and offices rest."""
WEATHER = {"pm25": 0.3, "pm10": 0.3, "o3": 0.15, "temperature": 0.06, "turbidity": 0.1, "oxygen": 0.03, "conductivity": 0.02,
           "stage": 0.03, "moisture": 0.02}  # fmt: skip
"""Standard deviation, as a part of the usual value, of what comes and goes over days, the same at all stations."""
WEATHER_DAYS = 2.0

Random = np.random.Generator


class WeeklyReadings(ReadingGenerator):
    """The demo's stations over weeks: with weekends and with weather. Deterministic by seed, steps go forward."""

    def __init__(
        self, channels: Sequence[Channel], happenings: Sequence[Happening], start: datetime, seed: int
    ) -> None:
        """Take what a `ReadingGenerator` takes."""
        super().__init__(channels, happenings, start, seed)
        slugs = [channel.quantity.slug for channel in channels]
        self._weekend = np.array([WEEKEND.get(slug, 1.0) for slug in slugs])
        kinds = sorted(WEATHER)
        self._kind = np.array([kinds.index(slug) if slug in WEATHER else len(kinds) for slug in slugs])
        self._swing = np.array([*(WEATHER[slug] for slug in kinds), 0.0])
        self._chance = np.random.default_rng([seed, 3])
        self._weather = self._chance.standard_normal(len(kinds) + 1)
        self._seen: datetime | None = None

    def usual(self, at: datetime) -> Numbers:
        """Tell what the series measure at this time, noise apart."""
        days = (at - self._seen) / timedelta(days=1) if self._seen else 0.0
        self._seen = at
        kept = np.exp(-days / WEATHER_DAYS)
        fresh = self._chance.standard_normal(len(self._weather))
        self._weather = kept * self._weather + np.sqrt(1.0 - kept * kept) * fresh
        weather = (self._swing * self._weather)[self._kind]
        rest = weekend_share(at) * (1.0 - self._weekend)
        usual: Numbers = super().usual(at) * (1.0 + weather - rest)
        return usual


def weekend_share(at: datetime) -> float:
    """Tell how much it is weekend: 0 on workdays, 1 on Saturday and Sunday, between 6 and 10 in the morning in between."""
    local = at.astimezone(SHANGHAI)
    turning = min(max((local.hour + local.minute / 60 - 6.0) / 4.0, 0.0), 1.0)
    match local.weekday():
        case 5:
            return turning
        case 6:
            return 1.0
        case 0:
            return 1.0 - turning
        case _:
            return 0.0


def draw_script(
    places: Places, weeks: float, seed: int, slugs: Sequence[str] = tuple(FOUR_WEEKS)
) -> tuple[Happening, ...]:
    """Draw what happens in some weeks: how often by FOUR_WEEKS, when evenly, where and how large by chance."""
    random = np.random.default_rng([seed, 4])
    models = {one.slug: one for one in read_truth()}
    script = []
    for slug in slugs:
        for number in range(int(random.poisson(FOUR_WEEKS[slug] * weeks / 4))):
            model = models[slug]
            lasts = model.until_minutes - model.after_minutes
            day = float(random.integers(0, max(int(weeks * 7 - lasts / 1440), 1)))
            begins = day * 1440 + model.after_minutes + float(random.uniform(-180, 180))
            begins = max(begins, 0.0)
            happening = PLACED.get(slug, _as_it_is)(model, places, random)
            script.append(
                structs.replace(moved(happening, begins - model.after_minutes), slug=f"{slug}-{number + 1}")
            )
    return tuple(sorted(script, key=lambda one: one.after_minutes))


def moved(happening: Happening, minutes: float) -> Happening:
    """Move a happening with all its parts in time."""

    def shift(parts: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            structs.replace(
                part,
                **{name: getattr(part, name) + minutes for name in ("after", "until") if hasattr(part, name)},
            )
            for part in parts
        )

    return structs.replace(
        happening,
        after_minutes=happening.after_minutes + minutes,
        until_minutes=happening.until_minutes + minutes,
        reference_minutes=None
        if happening.reference_minutes is None
        else happening.reference_minutes + minutes,
        **{
            name: shift(getattr(happening, name))
            for name in ("effect", "fault", "call", "repeat", "bulletin")
        },
    )


def _as_it_is(model: Happening, places: Places, random: Random) -> Happening:
    return model


def _sized(model: Happening, random: Random) -> tuple[Happening, float]:
    """Change the size of pushes and the rates of calls."""
    size = float(random.uniform(*SIZES))
    return (
        structs.replace(
            model,
            effect=tuple(structs.replace(one, size=one.size * size) for one in model.effect),
            call=tuple(
                structs.replace(one, per_hour=(one.per_hour[0] * size, one.per_hour[1] * size))
                for one in model.call
            ),
        ),
        size,
    )


def _elsewhere(happening: Happening, areas: dict[str, str]) -> Happening:
    """Put a happening and its parts into other areas; those that the table does not name stay."""

    def put(codes: Sequence[str]) -> tuple[str, ...]:
        found = []
        for code in codes:
            old = max((name for name in areas if code.startswith(name)), key=len, default="")
            found.append(areas[old] + code[len(old) :] if old else code)
        return tuple(found)

    def moved_parts(parts: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(structs.replace(one, areas=put(one.areas)) for one in parts)

    return structs.replace(
        happening,
        areas=put(happening.areas),
        **{name: moved_parts(getattr(happening, name)) for name in ("effect", "call", "repeat", "bulletin")},
    )


def _villages(places: Places, at_least: int) -> list[list[str]]:
    """List the villages of each township that has so many."""
    by_township: dict[str, list[str]] = {}
    for area in places.at_level(AreaLevel.VILLAGE):
        by_township.setdefault(township_of(area.code), []).append(area.code)
    return [codes for codes in by_township.values() if len(codes) >= at_least]


def _wage(model: Happening, places: Places, random: Random) -> Happening:
    sized, _ = _sized(model, random)
    villages = [village for township in _villages(places, 1) for village in township]
    return _elsewhere(sized, {model.areas[0]: villages[int(random.integers(len(villages)))]})


def _fever(model: Happening, places: Places, random: Random) -> Happening:
    """Take eight villages in a row of a township; the people who call are of the two in the middle."""
    sized, _ = _sized(model, random)
    townships = _villages(places, 8)
    township = townships[int(random.integers(len(townships)))]
    first = int(random.integers(len(township) - 7))
    old = sized.effect[0].areas
    return _elsewhere(sized, dict(zip(old, township[first : first + 8], strict=True)))


def _leak(model: Happening, places: Places, random: Random) -> Happening:
    """Take a river and a station above its last; the reference is when that station breaks the limit, if it does."""
    sized, size = _sized(model, random)
    river = places.rivers[int(random.integers(len(places.rivers)))]
    station = int(random.integers(1, len(river.cells) - 1))
    touched = tuple(dict.fromkeys(township_of(cell) for cell in river.cells[station - 1 :]))
    ammonia = sized.effect[0]
    share = (LEAK_LIMIT - LEAK_USUAL) / (model.effect[0].size * size)
    return structs.replace(
        sized,
        areas=touched,
        effect=tuple(structs.replace(one, river=river.slug, from_station=station) for one in sized.effect),
        call=tuple(structs.replace(one, areas=touched) for one in sized.call),
        reference_minutes=ammonia.after + ammonia.rise * share if share < 1 else None,
    )


def _storm(model: Happening, places: Places, random: Random) -> Happening:
    sized, _ = _sized(model, random)
    townships = [area.code for area in places.at_level(AreaLevel.TOWNSHIP)]
    first = int(random.integers(len(townships) - 2))
    stage = sized.effect[1]
    share = (STAGE_LIMIT - STAGE_USUAL) / stage.size
    return structs.replace(
        _elsewhere(sized, dict(zip(model.areas, townships[first : first + 3], strict=True))),
        reference_minutes=stage.after + stage.rise * share if share < 1 else None,
        bulletin=(),  # a weather office that warns first would do our work
    )


def _fault(model: Happening, places: Places, random: Random) -> Happening:
    return structs.replace(
        model, fault=tuple(structs.replace(one, station=int(random.integers(0, 60))) for one in model.fault)
    )


def _township(model: Happening, places: Places, random: Random) -> Happening:
    sized, _ = _sized(model, random)
    townships = [area.code for area in places.at_level(AreaLevel.TOWNSHIP)]
    picked = random.choice(len(townships), size=len(model.areas), replace=False).tolist()
    return _elsewhere(sized, {old: townships[new] for old, new in zip(model.areas, picked, strict=True)})


PLACED: dict[str, Callable[[Happening, Places, Random], Happening]] = {
    "wage-dispute": _wage,
    "fever-cluster": _fever,
    "chemical-leak": _leak,
    "rainstorm": _storm,
    "stuck-sensor": _fault,
    "drifting-sensor": _fault,
    "silent-sensor": _fault,
    "duplicate-storm": _township,
    "festival": _township,
}
