"""What `fenghuo device` and `fenghuo series` share: importing a file, showing steps and records, removing entries."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec
import typer
from rich.table import Table

from config.data import Data
from config.settings import Settings
from domain.errors import FenghuoError, InvalidInput
from domain.registry import Device, Limit, Series
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.running import read_settings
from responders.registration import Action, Kind, Step, Wish

if TYPE_CHECKING:
    from responders.store import Store

GIVE_UP_SECONDS = 10.0
T = TypeVar("T")
Work = Callable[["Store", Settings, Data], Awaitable[T]]
SIGNS = {Action.ADDED: "+", Action.CHANGED: "~", Action.REMOVED: "-", Action.SAME: "="}


def with_store(work: Work[T]) -> T:
    """Run something on the store of the settings; DatabaseUnavailable after ten seconds."""
    from responders.store import Store

    settings, data = read_settings()

    async def run() -> T:
        async with Store.open(dsn_of(settings), 1, give_up_seconds=GIVE_UP_SECONDS) as store:
            return await work(store, settings, data)

    return asyncio.run(run())


def import_file(file: Path, kind: Kind, *, dry_run: bool, as_json: bool) -> None:
    """Change the registry to what a file says; every fault is a line with its place, and nothing was changed then."""
    from fenghuo.registering import import_entries
    from fenghuo.registry_file import read_entries

    try:
        entries = read_entries(file, kind)
        steps = with_store(
            lambda store, settings, data: import_entries(
                store, data, settings.personal_key, entries, dry_run=dry_run
            )
        )
    except InvalidInput as error:
        tell_faults(error, as_json=as_json)
    tell_steps(steps, done=not dry_run, as_json=as_json)


def tell_faults(error: InvalidInput, *, as_json: bool) -> NoReturn:
    """Tell every fault on a line of its own and end with status 1."""
    if as_json:
        faults = [{"field": fault.field, "reason": fault.reason} for fault in error.faults]
        print_json({"ok": False, "faults": faults})
    else:
        errors = console(stderr=True)
        for fault in error.faults:
            errors.print(str(fault), markup=False)
        errors.print(f"Nothing was changed: {len(error.faults)} fault(s).", markup=False)
    raise typer.Exit(1)


def tell_steps(steps: Iterable[Step], *, done: bool, as_json: bool) -> None:
    """Tell what was or would be changed; entries that stay the same are only counted."""
    steps = tuple(steps)
    counts = {action: sum(step.action is action for step in steps) for action in Action}
    if as_json:
        print_json({"ok": True, "done": done, **counts, "steps": steps})
        return
    out = console()
    for step in steps:
        if step.action is not Action.SAME:
            out.print(f"{SIGNS[step.action]} {step.kind} {step.id}  {step.name}", markup=False)
        if step.action is Action.CHANGED:
            for name, (before, after) in step.fields.items():
                out.print(f"    {name}: {_words(name, before)} → {_words(name, after)}", markup=False)
    told = ", ".join(f"{count} {action}" for action, count in counts.items() if count) or "nothing"
    out.print(f"{'Done' if done else 'This would be done'}: {told}.", markup=False)


def _words(name: str, value: Any) -> str:
    if name == "limits" and isinstance(value, list):
        return describe_limits(msgspec.convert(value, tuple[Limit, ...]))
    return "nothing" if value in (None, "") else str(value)


def describe_limits(limits: Iterable[Limit]) -> str:
    """Write limits in one line: `blue > 30, yellow > 150 (HJ 633-2026, AQI 200)`."""
    return (
        ", ".join(
            f"{limit.level.slug} {'>' if limit.direction == 'above' else '<'} {limit.value:g}"
            + (f" ({limit.basis})" if limit.basis else "")
            for limit in limits
        )
        or "none"
    )


def describe_river(series: Series) -> str:
    """Write where on which river a series measures: `qs km 12.4`; "" when it is on none."""
    return "" if series.river is None else f"{series.river} km {series.river_km:g}"


def show_fields(record: Device | Series, **more: Any) -> None:
    """Show a record as lines, whatever it is sealed to left out."""
    table = Table(show_header=False, box=None)
    for name, value in {**msgspec.structs.asdict(record), **more}.items():
        if name == "limits":
            table.add_row(name, describe_limits(value))
        elif name != "sealed":
            table.add_row(name, "" if value is None else str(value))
    console().print(table, markup=False)


def remove(wish: Wish, *, yes: bool, as_json: bool) -> None:
    """Remove entries after showing them; without a terminal only with --yes."""
    if not yes:
        if as_json or not sys.stdin.isatty():
            raise FenghuoError("Say --yes to remove something without being asked.")
        steps = _planned(wish, as_json=as_json)
        tell_steps(steps, done=False, as_json=as_json)
        typer.confirm("Remove this?", abort=True)

    async def change(store: "Store", settings: Settings, data: Data) -> tuple[Step, ...]:
        from fenghuo.registering import command_line

        return await store.register.change(wish, data.categories, command_line())

    try:
        steps = with_store(change)
    except InvalidInput as error:
        tell_faults(error, as_json=as_json)
    tell_steps(steps, done=True, as_json=as_json)


def _planned(wish: Wish, *, as_json: bool) -> tuple[Step, ...]:
    try:
        return with_store(lambda store, _, data: store.register.plan(wish, data.categories))
    except InvalidInput as error:
        tell_faults(error, as_json=as_json)
