"""`fenghuo drill scenarios | start | list | stop | review`: exercises over the real way, marked and kept inside (演练)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import typer
from rich.table import Column, Table

from config.data import Data
from config.drills import Drill
from domain.errors import Fault, FenghuoError, InvalidInput, NotFound
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.running import read_settings
from responders.drills import DrillRow, local
from responders.review import CaseReview
from responders.store import Store
from responders.store.reviews import DrillReview

GIVE_UP_SECONDS = 10.0
T = TypeVar("T")


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Drills (演练) and after-action reviews (复盘).", no_args_is_help=True)

    @cli.command()
    def scenarios(as_json: bool = typer.Option(False, "--json", help="Answer in JSON.")) -> None:
        """List the scenarios of drills.toml."""
        _, data = read_settings()
        if as_json:
            print_json(list(data.drills.values()))
            return
        table = Table("scenario", "", "minutes", "steps", "places")
        for one in data.drills.values():
            minutes = f"{one.step[-1].minute:.0f}"
            table.add_row(
                one.slug, f"{one.zh}\n{one.en}", minutes, str(len(one.step)), ", ".join(one.letters)
            )
        console().print(table)

    @cli.command()
    def start(
        scenario: str = typer.Argument(help="Slug of a scenario."),
        county: str = typer.Option(..., help="Code of the county (6 digits) that takes part."),
        place: list[str] = typer.Option(
            [],
            help="Where a letter of the scenario lies, as A=990101102. Else: townships in the order of codes.",
        ),
        at: str = typer.Option("", help="County time to begin, as 2026-05-08T09:00:00+08:00. Else: now."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Begin a drill: its alerts, cases, tasks and pages are real ones, marked 【演练】 and kept inside."""
        settings, data = read_settings()
        found, places, begin = _read(data, scenario, place, at)
        drill = uuid4()
        played = asyncio.run(
            _with(dsn_of(settings), lambda store: store.drills.start(drill, found, county, places, begin))
        )
        if as_json:
            print_json({"drill": played.id, "starts_at": played.starts_at, "places": played.places})
        else:
            where = ", ".join(f"{letter} = {area}" for letter, area in sorted(played.places.items()))
            console().print(f"{played.id} begins at {local(played.starts_at)} (Asia/Shanghai). {where}")

    @cli.command("list")
    def list_drills(as_json: bool = typer.Option(False, "--json", help="Answer in JSON.")) -> None:
        """List drills, newest first."""
        settings, _ = read_settings()
        rows = asyncio.run(_with(dsn_of(settings), lambda store: store.reviews.drills()))
        if as_json:
            print_json(rows)
            return
        identity = Column("drill", min_width=len(str(UUID(int=0))))  # whole: other commands want it
        table = Table(identity, "scenario", "county", "begins", "steps", "cases", "state")
        for row in rows:
            cells = (str(row.id), row.zh, row.county_name, local(row.starts_at))
            table.add_row(
                *cells, f"{row.taken}/{row.steps}", f"{row.cases - row.open}/{row.cases}", _state(row)
            )
        console().print(table)

    @cli.command()
    def stop(
        drill: UUID = typer.Argument(help="Id of the drill."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Stop a drill: no further step comes, and its cases are closed. Stopping it again is fine."""
        settings, _ = read_settings()
        closed = asyncio.run(_with(dsn_of(settings), lambda store: store.drills.stop(drill)))
        if as_json:
            print_json({"drill": drill, "closed": closed})
        else:
            console().print(f"Stopped; {closed} cases were closed.")

    @cli.command()
    def review(
        subject: UUID = typer.Argument(help="Id of a drill, or of any case."),
        html: Path | None = typer.Option(None, help="Write one HTML file, ready to be printed."),
        english: bool = typer.Option(False, "--english", help="The HTML file in English."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Tell what was met and missed, who was not reached, and how it compares with earlier drills."""
        settings, _ = read_settings()
        found = asyncio.run(_with(dsn_of(settings), lambda store: _find(store, subject)))
        if html is not None:
            _write(found, html, english=english)
            if not as_json:
                console().print(f"{html} is written.")
        if as_json:
            print_json(found)
        elif html is None:
            _tell(found)

    return cli


async def _with(dsn: str, ask: Callable[[Store], Awaitable[T]]) -> T:
    async with Store.open(dsn, 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return await ask(store)


def _read(
    data: Data, scenario: str, place: list[str], at: str
) -> tuple[Drill, dict[str, str], datetime | None]:
    """Read what was asked for; InvalidInput with every fault of it."""
    faults = []
    found = data.drills.get(scenario)
    if found is None:
        faults.append(Fault("scenario", f"{scenario!r} is not one of {', '.join(data.drills) or 'none'}"))
    places: dict[str, str] = {}
    for wish in place:
        letter, sign, area = wish.partition("=")
        if not (letter and sign and area) or letter in places:
            faults.append(Fault("place", f"{wish!r} must name each letter once, as A=990101102"))
        places[letter] = area
    begin = None
    if at:
        try:
            begin = datetime.fromisoformat(at)
        except ValueError:
            faults.append(Fault("at", f"{at!r} is no time as 2026-05-08T09:00:00+08:00"))
        else:
            if begin.tzinfo is None:
                faults.append(Fault("at", "must say how far it is from UTC, as +08:00"))
    if faults or found is None:
        raise InvalidInput(faults)
    return found, places, begin


async def _find(store: Store, subject: UUID) -> DrillReview | CaseReview:
    try:
        return await store.reviews.drill(subject)
    except NotFound:
        return await store.reviews.case(subject)


def _write(found: DrillReview | CaseReview, path: Path, *, english: bool) -> None:
    from dashboards.review import standalone

    try:
        path.write_text(standalone(found, english=english), encoding="utf-8")
    except OSError as error:
        raise FenghuoError(f"{path} cannot be written: {error.strerror}") from error


def _state(row: DrillRow) -> str:
    return "stopped" if row.stopped_at else "over" if row.over else "runs"


def _tell(found: DrillReview | CaseReview) -> None:
    """Print a review for people: what was expected first, then each case's clocks."""
    out = console()
    if isinstance(found, DrillReview):
        out.print(f"{found.drill.zh} · {found.drill.county_name} · {local(found.drill.starts_at)}")
        table = Table("expected", "of", "within min", "took min", "", "last", "median of earlier")
        for one in found.expected:
            cells = (one.action.value, one.alert, _minutes(one.within), _minutes(one.minutes), one.kept.value)
            table.add_row(*cells, _minutes(one.last), _minutes(one.median))
        out.print(table)
    for case in found.cases if isinstance(found, DrillReview) else (found,):
        _tell_case(case, out)


def _tell_case(case: CaseReview, out: Any) -> None:
    out.print(f"{case.row.title} · {case.row.state.value} · reached {case.reached} of {case.pages}")
    table = Table("clock", "of", "due", "done", "")
    for clock in case.clocks:
        cells = [local(at) if at else "" for at in (clock.due_at, clock.at)]
        table.add_row(clock.what, clock.of, *cells, clock.kept.value)
    out.print(table)
    for one in case.unreached:
        instead = f"reached over {one.instead}" if one.instead else "not reached"
        out.print(f"{one.recipient}: {one.channel} failed ({one.cause}), {instead}")
    for point in case.points:
        due = f" · {point.owner} · {point.due}" if point.due else ""
        out.print(f"{point.kind.value}: {point.text}{due}")


def _minutes(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
