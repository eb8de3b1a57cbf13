"""`fenghuo aqi`: the air quality index of values, or of each row of a CSV on standard input."""

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import typer

from domain.aqi import AirQuality, Index, Measured
from domain.errors import Fault, InvalidInput
from fenghuo.commands.answers import console, print_json
from fenghuo.running import read_settings

DATE = "date"
DAILY = {"o3": "8h"}
"""The averaging time of daily reports where it is not 24 hours."""
ADDED = ("aqi", "level", "primary", "standard", "fault")


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def aqi(
        values: list[str] = typer.Argument(
            None, metavar="[NAME=VALUE...]", help="Such as pm25=75 o3_8h=120 so2_1h=40."
        ),
        on: str = typer.Option(
            "", "--date", help="Date of observation, such as 2026-03-01; today otherwise."
        ),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Compute the AQI, its level and the primary pollutants (首要污染物), by the standard in force on the date.

        A name is so2, no2, pm10, pm25, co or o3, with _24h, _1h or _8h; without one it is the mean of daily reports. CO is
        in mg/m³, all else in µg/m³. Without values a CSV is read from standard input: columns of such names, a column
        `date` if rows have their own; each row comes back with aqi, level, primary, standard. Exit status 1 when a row has
        a fault.
        """
        air = read_settings()[1].aqi
        day = _date(on) if on else datetime.now(ZoneInfo("Asia/Shanghai")).date()
        if not values:
            raise typer.Exit(_answer_rows(air, day, as_json=as_json))
        _answer(air.aqi(_measured(dict(_pairs(values))), day), as_json=as_json)


def _pairs(values: Iterable[str]) -> Iterator[tuple[str, str]]:
    wrong = [Fault(text, "must be NAME=VALUE, such as pm25=75") for text in values if "=" not in text]
    if wrong:
        raise InvalidInput(wrong)
    for text in values:
        name, _, value = text.partition("=")
        yield name, value


def _measured(values: Mapping[str, str]) -> list[Measured]:
    """Read values by name; InvalidInput with those that are no numbers."""
    faults, found = [], []
    for name, text in values.items():
        pollutant, _, averaging = name.strip().lower().replace(".", "").partition("_")
        try:
            number = float(text)
        except ValueError:
            faults.append(Fault(name, f"{text!r} is no number"))
        else:
            found.append(Measured(pollutant, averaging or DAILY.get(pollutant, "24h"), number))
    if faults:
        raise InvalidInput(faults)
    return found


def _date(text: str) -> date:
    try:
        return datetime.fromisoformat(text.strip()).date()
    except ValueError as error:
        raise InvalidInput([Fault(DATE, f"{text!r} is no date such as 2026-03-01")]) from error


def _told(index: Index) -> dict[str, Any]:
    return {
        "aqi": index.aqi,
        "level": index.level.zh,
        "level_en": index.level.en,
        "primary": list(index.primary),
        "standard": index.standard,
        "iaqi": {f"{one.pollutant}_{one.averaging}": part for one, part in index.parts},
    }


def _answer(index: Index, *, as_json: bool) -> None:
    if as_json:
        print_json(_told(index))
        return
    out = console()
    out.print(f"AQI {index.aqi}  {index.level.zh} ({index.level.en})  {index.standard}", markup=False)
    if index.primary:
        out.print(f"primary: {', '.join(index.primary)}", markup=False)
    for one, part in index.parts:
        shown = "no index by this averaging time" if part is None else f"IAQI {part}"
        out.print(f"  {one.pollutant} {one.averaging} {one.concentration:g}: {shown}", markup=False)


def _answer_rows(air: AirQuality, day: date, *, as_json: bool) -> int:
    """Answer each row of standard input; tells the exit status."""
    reader = csv.DictReader(sys.stdin)
    names = [name for name in reader.fieldnames or () if name]
    columns = _columns(air, names)
    writer = csv.DictWriter(sys.stdout, [*names, *ADDED], extrasaction="ignore", lineterminator="\n")
    if not as_json:
        writer.writeheader()
    answers, faulty = [], False
    for row in reader:
        answer: dict[str, Any] = {name: row[name] or "" for name in names}
        try:
            on = _date(row[DATE]) if row.get(DATE) else day
            told = _told(air.aqi(_measured({name: row[name] for name in columns if row[name]}), on))
        except InvalidInput as error:
            faulty = True
            told = {"fault": str(error)}
        answers.append(answer | told)
        if not as_json:
            writer.writerow(answer | told | {"primary": " ".join(told.get("primary", ()))})
    if as_json:
        print_json(answers)
    return 1 if faulty else 0


def _columns(air: AirQuality, names: Iterable[str]) -> list[str]:
    """Choose the columns that name a pollutant; the others, such as the station, are passed through."""
    pollutants = {scale.pollutant for standard in air.standards for scale in standard.scale}
    found = [name for name in names if name.lower().replace(".", "").partition("_")[0] in pollutants]
    if not found:
        raise InvalidInput(
            [Fault("standard input", f"has no column of {', '.join(sorted(pollutants))}, such as pm25_24h")]
        )
    return found
