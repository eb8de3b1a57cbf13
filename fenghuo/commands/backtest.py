"""`fenghuo backtest`: recorded feeds of a county through the detectors, beside what is known to have happened."""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from config.data import Data
from config.settings import Settings
from domain.errors import Fault, InvalidInput
from domain.findings import Alert
from fenghuo.commands.answers import console, print_json
from fenghuo.running import read_settings

if TYPE_CHECKING:
    from fenghuo.backtest.folder import Recording
    from fenghuo.backtest.judged import Verdict

SHANGHAI = ZoneInfo("Asia/Shanghai")
WRONG = 2
SHOWN_FAULTS = 20


class Refused(Struct, frozen=True, kw_only=True):
    """Rows that a gateway would refuse: how many, and the first of them with their faults."""

    count: int
    first: tuple[str, ...]


class Inputs(Struct, frozen=True, kw_only=True):
    """What was put in."""

    readings: int
    series: int
    texts: int
    refused: Refused


class Answer(Struct, frozen=True, kw_only=True):
    """The answer of the command in JSON."""

    inputs: Inputs
    verdict: "Verdict"


def add_to(cli: typer.Typer) -> None:
    """Add the command."""

    @cli.command()
    def backtest(
        folder: Path = typer.Argument(metavar="DIR", help="Recorded feeds, areas, registry and truth."),
        since: datetime | None = typer.Option(
            None, "--from", help="Judge alerts from this time on; detectors learn before it."
        ),
        until: datetime | None = typer.Option(None, help="Judge alerts up to this time."),
        example: bool = typer.Option(
            False, help="First write the demo county's day into DIR, which must be empty."
        ),
        days: float = typer.Option(2.0, min=0, max=60, help="With --example: days before the demo's day."),
        share: float = typer.Option(0.1, min=0.05, max=1, help="With --example: share of the stations."),
        seed: int = typer.Option(1, help="With --example: another seed is another day."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Run recorded feeds through the detectors, and tell what they would have found, when, and what was false.

        DIR holds areas.csv, registry.toml, readings*.csv, tickets*.csv, reports*.csv, bulletins*.csv (or NDJSON, JSON, .gz)
        and truth.toml: see docs/how-to/backtest.md. Neither broker nor database is needed. Exit status 2: DIR is not so.
        """
        from fenghuo.backtest.example import write_example
        from fenghuo.backtest.folder import read_folder
        from fenghuo.demo.county import Plan

        settings, data = read_settings()
        if example:
            write_example(folder, Plan(seed=seed, share=share, history_days=days))
        try:
            recording = read_folder(folder, settings, data)
            answer = _run(recording, settings, data, _zoned(since), _zoned(until))
        except InvalidInput as error:
            _tell(error)
            raise typer.Exit(WRONG) from error
        if as_json:
            print_json(answer)
        else:
            _show(answer)


def _tell(error: InvalidInput) -> None:
    """Tell the faults of a folder that cannot be read, each on a line; of very many the first."""
    errors = console(stderr=True)
    for fault in error.faults[:SHOWN_FAULTS]:
        errors.print(str(fault), markup=False)
    if len(error.faults) > SHOWN_FAULTS:
        errors.print(f"and {len(error.faults) - SHOWN_FAULTS} more faults")


def _zoned(at: datetime | None) -> datetime | None:
    """Take a time without a zone as that of Shanghai."""
    return at if at is None or at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _run(
    recording: "Recording", settings: Settings, data: Data, since: datetime | None, until: datetime | None
) -> Answer:
    """Run everything and judge it."""
    from fenghuo.backtest.judged import judge

    truth = recording.truth
    begin, end = recording.span
    judged_from = since or (truth.judged_from if truth else None) or begin
    end = until or (truth.until if truth else None) or end
    if judged_from >= end:
        raise InvalidInput([Fault("--from", f"{judged_from.isoformat()} is not before {end.isoformat()}")])
    verdict = judge(
        _alerts(recording, settings, data, end),
        None if truth is None else truth.happenings(judged_from),
        start=judged_from,
        judged_from=judged_from,
        until=end,
        counties=max(1, len(recording.counties)),
    )
    refused = Refused(
        count=recording.refusals.count,
        first=tuple(f"{fault.field}: {fault.reason}" for fault in recording.refusals.shown),
    )
    inputs = Inputs(
        readings=len(recording.readings),
        series=len(recording.series),
        texts=len(recording.items),
        refused=refused,
    )
    return Answer(inputs=inputs, verdict=verdict)


def _alerts(recording: "Recording", settings: Settings, data: Data, until: datetime) -> Iterator[Alert]:
    """Run the detectors, with a bar where a person waits."""
    from fenghuo.backtest.demo_feed import alerts_in
    from fenghuo.backtest.runner import Offline

    offline = Offline(settings, data, recording.areas, recording.series)
    begin, _ = recording.span
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("back-test", total=max((until - begin) / timedelta(minutes=1), 1))
        for arrival in recording.arrivals(settings, data, offline.registry):
            if arrival.at > until:
                break
            bar.update(task, completed=(arrival.at - begin) / timedelta(minutes=1))
            yield from alerts_in(offline.take(arrival))
        yield from alerts_in(offline.advance(until))


def _show(answer: Answer) -> None:
    out, verdict, inputs = console(), answer.verdict, answer.inputs
    load = verdict.load
    out.print(
        f"{inputs.readings:,} readings of {inputs.series:,} series, {inputs.texts:,} tickets, reports and bulletins; "
        f"judged from {_local(verdict.judged_from)} to {_local(verdict.until)}: {verdict.weeks:g} weeks, "
        f"{verdict.counties} {'county' if verdict.counties == 1 else 'counties'}."
    )
    if inputs.refused.count:
        out.print(f"{inputs.refused.count:,} rows were refused, as a gateway would have. The first of them:")
        for line in inputs.refused.first:
            out.print(f"  {line}", markup=False)
    if verdict.events is None:
        out.print("No truth.toml: what was true and what was false is not known.")
    else:
        _show_events(verdict)
    table = Table("", "alerts")
    for level, count in load.by_level.items():
        table.add_row(level, f"{count}")
    for category, count in load.by_category.items():
        table.add_row(category, f"{count}")
    table.add_row("held back", f"{load.held_back}")
    out.print(table)
    out.print(f"Alerts above blue per county and week: {load.above_blue_per_county_week:g}.")
    if load.false is not None:
        share = "–" if load.share_true is None else f"{load.share_true:.0%}"
        out.print(
            f"False among them per county and week: {load.false_per_county_week:g}; share true: {share}."
        )
    for alert in verdict.alerts:
        if alert.level != "blue" and alert.true is not True:
            what = "" if alert.true is None else "false: "
            out.print(f"  {what}{_local(alert.opened_at)} {alert.level} {alert.zh}", markup=False)


def _show_events(verdict: "Verdict") -> None:
    table = Table("event", "begins", "found", "level", "lead, minutes", "against")
    for event in verdict.events or ():
        table.add_row(
            event.slug,
            _local(event.started_at),
            _local(event.found_at) if event.found_at else "not found",
            event.level or "–",
            "–" if event.lead_minutes is None else f"{event.lead_minutes:g}",
            event.measured_against,
        )
    console().print(table)
    if verdict.events:
        console().print(
            f"Probability of detection: {verdict.found} of {len(verdict.events)}"
            + (
                "."
                if verdict.median_lead_minutes is None
                else f"; median lead {verdict.median_lead_minutes:g} minutes."
            )
        )


def _local(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
