"""`fenghuo import`: files that other systems export, through a gateway."""

import asyncio
import csv
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress as Bar

from domain.errors import Fault, FenghuoError, InvalidInput
from fenghuo.commands.answers import console, print_json
from fenghuo.feeding import Feeder
from fenghuo.tables import read_table
from fenghuo.tickets.heading import Heading, find_heading
from fenghuo.tickets.map import read_map
from fenghuo.tickets.rows import Orders, RowFault, read_orders
from fenghuo.tickets.sending import SOURCE, Progress, begin, finish, send_orders

SHOWN_FAULTS = 20
MOST_FAULTS = 10_000
"""Rows of the report of faults; a file that is wrong throughout has one reason, not a million."""
TIMEOUT_SECONDS = 60.0


class Imported(Struct, frozen=True, kw_only=True):
    """What came of an import; `resumed` counts the orders that an earlier run had done."""

    file: str
    rows: int
    accepted: int
    refused: int
    repeated: int
    resumed: int
    dry_run: bool
    columns: dict[str, str]
    unread: list[str]
    report: str | None


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    group = typer.Typer(help="Bring in files that other systems export.", no_args_is_help=True)

    @group.callback()
    def _group() -> None:
        """Keep `tickets` a name of its own although it is alone."""

    @group.command()
    def tickets(
        file: Path = typer.Argument(
            ..., help="CSV (UTF-8 or GBK; comma, semicolon, tab) or XLSX with a heading."
        ),
        map_file: Path | None = typer.Option(
            None, "--map", help="Map from columns to fields, above the shipped one."
        ),
        gateway: str = typer.Option(
            "", help="Address of a running gateway, such as https://gateway.example.cn."
        ),
        token: str = typer.Option("", envvar="FENGHUO_IMPORT_TOKEN", help="Token of the hotline's source."),
        sheet: str | None = typer.Option(None, help="Sheet of an XLSX; the first otherwise."),
        dry_run: bool = typer.Option(False, help="Check everything that needs no gateway, and send nothing."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Send 12345 orders of a file to a gateway, the oldest first.

        Rows with faults are left out and told by row and column in FILE.faults.csv, which holds no value of the file. A run
        that was killed goes on where it was; sending a file twice has no second effect. Personal fields go to the gateway
        alone, which encrypts them.
        """
        if not dry_run:
            _check_way(gateway, token)
        ticket_map = read_map(map_file)
        table = read_table(file, sheet or ticket_map.sheet)
        heading = find_heading(table, ticket_map)
        found = read_orders(table, heading, ticket_map)
        progress = begin(file, ticket_map, gateway)
        resumed = progress.done
        if not dry_run:
            asyncio.run(_send(file, found, progress, gateway, token))
        faults = [*found.faults, *([] if dry_run else _of_gateway(heading, progress))]
        report = _write_report(file, faults)
        if not dry_run:
            finish(file)
        done = Imported(
            file=file.name,
            rows=found.rows,
            accepted=len(found.orders) if dry_run else progress.accepted,
            refused=len({fault.line for fault in faults}),
            repeated=found.repeated,
            resumed=resumed,
            dry_run=dry_run,
            columns={field: f"{column.letter} {column.header}" for field, column in heading.fields.items()},
            unread=[f"{column.letter} {column.header}" for column in heading.unread],
            report=report.name if report else None,
        )
        if as_json:
            print_json(done)
        else:
            _show(done, faults, heading)
        if done.refused:
            raise typer.Exit(1)

    return group


def _check_way(gateway: str, token: str) -> None:
    """Refuse a way that cannot be, and warn of one on which others may listen."""
    faults = []
    try:
        parts = urlsplit(gateway)
        scheme, host = parts.scheme, parts.hostname
    except ValueError:
        scheme, host = "", None
    if scheme not in ("http", "https") or not host:
        faults.append(Fault("--gateway", "must be an address such as https://gateway.example.cn"))
    if not token:
        faults.append(Fault("--token", "is needed: set FENGHUO_IMPORT_TOKEN"))
    if faults:
        raise InvalidInput(faults)
    if scheme == "http" and not _is_here(host or ""):
        Console(stderr=True).print(
            f"The way to {host} is not encrypted, and the file may hold names and numbers: use https there."
        )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _send(file: Path, found: Orders, progress: Progress, gateway: str, token: str) -> None:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(file.name, total=len(found.orders), completed=progress.done)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            feeder = Feeder(session, gateway, {SOURCE: token})
            await send_orders(
                feeder, file, found.orders, progress, lambda done: bar.update(task, completed=done)
            )


def _of_gateway(heading: Heading, progress: Progress) -> list[RowFault]:
    """Name the columns of what the gateway refused."""
    return [
        RowFault(one.line, heading.fields.get(one.field.replace("caller.", "caller_")), one.field, one.reason)
        for one in progress.refused
    ]


def _write_report(file: Path, faults: Sequence[RowFault]) -> Path | None:
    """Write where the faults are, for whoever mends the file; an earlier report goes."""
    report = file.with_name(file.name + ".faults.csv")
    try:
        if not faults:
            report.unlink(missing_ok=True)
            return None
        with report.open("w", encoding="utf-8-sig", newline="") as out:  # Excel asks for the mark
            writer = csv.writer(out)
            writer.writerow(("row", "column", "header", "field", "reason"))
            for fault in sorted(faults, key=lambda one: one.line)[:MOST_FAULTS]:
                letter, header = (fault.column.letter, fault.column.header) if fault.column else ("", "")
                writer.writerow((fault.line, letter, header, fault.field, fault.reason))
    except OSError as error:
        raise FenghuoError(f"{report} cannot be written: {error.strerror}") from error
    return report


def _show(done: Imported, faults: Sequence[RowFault], heading: Heading) -> None:
    out = console()
    for field, column in heading.fields.items():
        out.print(f"{field} ← {column.letter} {column.header}", markup=False)
    if heading.parts:
        out.print(
            f"address ← {' '.join(f'{one.letter} {one.header}' for one in heading.parts)}", markup=False
        )
    if done.unread:
        out.print(f"not read: {', '.join(done.unread)}", markup=False)
    for fault in sorted(faults, key=lambda one: one.line)[:SHOWN_FAULTS]:
        where = f", column {fault.column.letter} {fault.column.header}" if fault.column else ""
        out.print(f"{done.file}: row {fault.line}{where}: {fault.field} {fault.reason}", markup=False)
    if len(faults) > SHOWN_FAULTS:
        out.print(f"… and {len(faults) - SHOWN_FAULTS} more faults, in {done.report}")
    verb = "could be sent" if done.dry_run else "accepted"
    again = f", {done.resumed} of them by an earlier run" if done.resumed and not done.dry_run else ""
    out.print(
        f"{done.rows} rows: {done.accepted} orders {verb}{again}, {done.refused} refused, "
        f"repeated order numbers: {done.repeated}."
    )
