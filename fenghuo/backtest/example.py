"""The demo county's day as a folder that a back-test reads: areas, registry, feeds and truth."""

import csv
import gzip
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from domain.errors import FenghuoError
from domain.inputs import BulletinIn, ReportIn, TicketIn
from domain.registry import Area, Series
from fenghuo.demo.calls import Call, build_calls
from fenghuo.demo.county import START, Plan, choose_happenings
from fenghuo.demo.networks import build_channels
from fenghuo.demo.places import build_places
from fenghuo.demo.play import HISTORY_STEP, STEP
from fenghuo.demo.readings import SHANGHAI, ReadingGenerator
from fenghuo.demo.truth import Happening

FEEDS: dict[type[TicketIn | ReportIn | BulletinIn], str] = {
    TicketIn: "tickets-hotline-12345",
    ReportIn: "reports-grid-app",
    BulletinIn: "bulletins-weather-office",
}
PERSONAL = ("caller", "reporter")


def write_example(folder: Path, plan: Plan) -> None:
    """Write the demo county into a folder that is empty or not there; FenghuoError when it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise FenghuoError(f"{folder} is not empty: name a new folder for the example")
        _write(folder, plan)
    except OSError as error:
        raise FenghuoError(f"{folder} cannot be written: {error.strerror}") from error


def _write(folder: Path, plan: Plan) -> None:
    places = build_places()
    channels = build_channels(places, plan.share)
    happenings = choose_happenings(plan)
    _write_areas(folder / "areas.csv", places.areas)
    _write_registry(folder / "registry.toml", [channel.series for channel in channels])
    _write_truth(folder / "truth.toml", happenings, plan)
    calls = build_calls(
        places, happenings, history_from=plan.history_from, start=START, until=plan.until, seed=plan.seed
    )
    for kind, name in FEEDS.items():
        _write_calls(folder / f"{name}.ndjson", [call for call in calls if isinstance(call.item, kind)])
    generator = ReadingGenerator(channels, happenings, START, plan.seed)
    names = [channel.series.id for channel in channels]
    with gzip.open(folder / "readings.csv.gz", "wt", encoding="utf-8") as file:
        file.write("series,observed_at,value\n")
        for first, until, step in ((plan.history_from, START, HISTORY_STEP), (START, plan.until, STEP)):
            at = first
            while at < until:
                values, present = generator.step(at)
                when = at.isoformat()
                file.writelines(
                    f"{name},{when},{value:.6g}\n"
                    for name, value, there in zip(names, values.tolist(), present.tolist(), strict=True)
                    if there
                )
                at += step


def _write_areas(path: Path, areas: Sequence[Area]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("code", "name", "name_en", "lat", "lon"))
        writer.writerows((one.code, one.name, one.name_en, one.lat, one.lon) for one in areas)


def _write_registry(path: Path, series: Sequence[Series]) -> None:
    blocks = []
    for one in series:
        plain = structs.replace(one, device=None, channel="")  # a recording has no devices
        values = {
            name: value
            for name, value in msgspec.to_builtins(plain).items()
            if value not in (None, "", [], ())
        }
        values = {"unit": "", **values, "limits": [_stated(limit) for limit in values.get("limits", ())]}
        blocks.append(
            "[[series]]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())
        )
    path.write_text("\n".join(blocks), encoding="utf-8")


def _stated(limit: dict[str, Any]) -> dict[str, Any]:
    """State a limit as an office does: of one that is an air quality index the value follows from the standard."""
    followed = (
        ("value", "basis")
        if limit.get("aqi")
        else ("aqi", "averaging", *(() if limit["basis"] else ("basis",)))
    )
    return {name: value for name, value in limit.items() if name not in followed}


def _write_truth(path: Path, happenings: Sequence[Happening], plan: Plan) -> None:
    def at(minutes: float) -> datetime:
        return (START + timedelta(minutes=minutes)).astimezone(SHANGHAI)

    blocks = [f"judged_from = {START.isoformat()}\nuntil = {plan.until.isoformat()}\n"]
    for one in happenings:
        values: dict[str, Any] = {
            "slug": one.slug,
            "kind": one.kind,
            "name": one.name,
            "domain": one.domain,
            "categories": list(one.categories),
            "areas": list(one.areas),
            "begins": at(one.after_minutes),
            "ends": at(one.until_minutes),
            "worth_an_alert": one.worth_an_alert,
        }
        if one.reference_minutes is not None:
            values |= {"reference_at": at(one.reference_minutes), "reference": one.reference}
        blocks.append("[[event]]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in values.items()))
    path.write_text("\n".join(blocks), encoding="utf-8")


def _write_calls(path: Path, calls: Sequence[Call]) -> None:
    with path.open("wb") as file:
        for call in calls:
            values = msgspec.to_builtins(call.item)
            kept = {
                name: value
                for name, value in values.items()
                if value not in (None, "") and name not in PERSONAL  # a back-test needs nobody's name
            }
            file.write(msgspec.json.encode(kept) + b"\n")


def _toml(value: Any) -> str:
    """Write a value as TOML; strings and numbers of JSON are also those of TOML."""
    match value:
        case datetime():
            return value.isoformat()
        case list() | tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case dict():
            return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
        case _:
            return json.dumps(value, ensure_ascii=False)
