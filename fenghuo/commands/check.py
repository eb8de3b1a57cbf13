"""`fenghuo check`: every fault of settings and data files at once, and the proof of ownership."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer

from config.data import Data, load_data
from config.ownership import Claim, Proof, faults_in, prove, strangers
from config.settings import Settings, load_settings
from config.sign_in import check_sign_in, warn_of_sign_in
from domain.areas import is_area_code
from domain.clock import REAL_TIME
from domain.errors import Fault, InvalidConfiguration
from fenghuo.commands.answers import console, print_json
from streams.mqtt.place import read_place

GIVE_UP_SECONDS = 10.0


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def check(
        areas: Path | None = typer.Option(
            None, help="File with one area code a line (what follows the code is not read)."
        ),
        list_areas: bool = typer.Option(False, "--list", help="Tell what was found of each area."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Check all settings and data files, and prove that each category has one owner in each area.

        The proof is made for the areas of --areas, else of the database where FENGHUO_DATABASE_DSN names one, else for
        every area that there can be. Warnings change nothing about the exit status.
        """
        faults: list[Fault] = []
        settings = _collect(faults, load_settings)
        data = _collect(faults, lambda: load_data(settings.data_dir if settings else None))
        if settings is not None and settings.mqtt.url:
            _collect(faults, lambda: read_place(settings.mqtt))
        if settings is not None:
            faults.extend(check_sign_in(settings))
        if settings is not None and data is not None:
            faults.extend(_channel_faults(settings, data))
        codes = _collect(faults, lambda: _codes(areas, settings)) or ()
        proofs: list[Proof] = []
        if data is not None and codes:
            claims = [Claim(category=duty.category, area=duty.area) for duty in data.duties]
            proofs = list(prove(claims, tuple(data.categories), codes))
            faults.extend(faults_in(proofs))
            if areas is None:  # a file may name a part of the areas only
                faults.extend(strangers(claims, codes))
        if list_areas and not as_json:
            _list(proofs)
        warnings = () if data is None else _warnings(data)
        warnings += () if settings is None else tuple(warn_of_sign_in(settings))
        _answer(faults, warnings, data, proofs, as_json)


def _warnings(data: Data) -> tuple[Fault, ...]:
    """Tell what is no fault today and will be felt: years whose days off nobody has told the platform."""
    from responders.hours import BEIJING, unknown_years

    return tuple(
        Fault(
            "notice",
            f"{year} 年放假安排未知，按周一至周五推算，请写入 holidays.toml。"
            f" the days off of {year} are not known, its working hours go by weekends alone",
        )
        for year in unknown_years(data.notices, REAL_TIME.now().astimezone(BEIJING).date())
    )


def _list(proofs: list[Proof]) -> None:
    for proof in proofs:
        parts = [f"{proof.owned} categories with one owner"]
        parts += [f"none for {', '.join(proof.gaps)}"] if proof.gaps else []
        parts += [f"several for {', '.join(proof.overlaps)}"] if proof.overlaps else []
        console().print(f"{proof.area}: {'; '.join(parts)}", markup=False)


def _channel_faults(settings: Settings, data: Data) -> list[Fault]:
    from responders.channels import channel_faults

    return channel_faults(settings, data)


def _collect(faults: list[Fault], read: Any) -> Any:
    """Read something, or keep its faults and go on: all are told together."""
    try:
        return read()
    except InvalidConfiguration as error:
        faults.extend(error.faults)
        return None


def _codes(file: Path | None, settings: Settings | None) -> tuple[str, ...]:
    if file is not None:
        return _codes_in(file)
    if settings is not None and settings.database.dsn:
        return asyncio.run(_codes_in_database(settings.database.dsn.value))
    return ()


def _codes_in(file: Path) -> tuple[str, ...]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InvalidConfiguration([Fault(str(file), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InvalidConfiguration([Fault(str(file), "is not UTF-8")]) from error
    words = [(number, line.replace(",", " ").split()) for number, line in enumerate(lines, 1)]
    codes = [(number, found[0]) for number, found in words if found and not found[0].startswith("#")]
    wrong = [
        Fault(f"{file.name}:{number}", f"{code!r} is no area code")
        for number, code in codes
        if not is_area_code(code)
    ]
    if wrong or not codes:
        raise InvalidConfiguration(wrong or [Fault(str(file), "names no area")])
    return tuple(code for _, code in codes)


async def _codes_in_database(dsn: str) -> tuple[str, ...]:
    from responders.store import Store

    async with Store.open(dsn, 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return tuple(area.code for area in await store.areas())


def _told(faults: Iterable[Fault]) -> list[dict[str, str]]:
    return [{"field": fault.field, "reason": fault.reason} for fault in faults]


def _answer(
    faults: list[Fault], warnings: Sequence[Fault], data: Data | None, proofs: list[Proof], as_json: bool
) -> None:
    where = f"{len(proofs)} areas" if proofs else "every possible area"
    if as_json:
        print_json(
            {
                "ok": not faults,
                "faults": _told(faults),
                "warnings": _told(warnings),
                "categories": len(data.categories) if data else 0,
                "areas": len(proofs),
                "proof": proofs,
            }
        )
    else:
        for fault in faults:
            console().print(f"{fault.field}: {fault.reason}", markup=False)
        for warning in warnings:
            console().print(f"Warning: {warning.field}: {warning.reason}", markup=False)
    if faults:
        raise typer.Exit(2)
    if data is not None and not as_json:
        console().print(f"All is well: {len(data.categories)} categories, one owner each in {where}.")
