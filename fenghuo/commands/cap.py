"""`fenghuo cap read | validate`: look at CAP messages before anybody depends on them, and send them to a gateway."""

import asyncio
import os
from pathlib import Path
from typing import Any

import typer

from config.cap_events import CapEvents
from domain.cap import CONTENT_TYPE, LEVEL_OF, CapInfo, write_time
from domain.errors import Fault, FenghuoError, InvalidInput, Unavailable
from fenghuo.commands.answers import console, print_json
from fenghuo.running import read_settings
from streams.cap.reading import CapReading, read_cap
from streams.cap.signature import Trust

TOKEN_VARIABLE = "FENGHUO_CAP_TOKEN"  # noqa: S105  the name of a variable, not what is in it
POST_SECONDS = 30.0
ACCEPTED = 202
Read = dict[Path, CapReading | tuple[Fault, ...]]


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Official warnings in CAP 1.2 (外部预警).", no_args_is_help=True)

    @cli.command()
    def read(
        files: list[Path] = typer.Argument(help="CAP messages."),
        post: str = typer.Option("", help="Send them to this gateway, such as http://127.0.0.1:8080."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Show what messages say and which of our categories they mean; with --post send those without faults.

        The token of the source is read from FENGHUO_CAP_TOKEN.
        """
        settings, data = read_settings()
        events = CapEvents(data.cap_events)
        found = _read_all(files, Trust.read(settings.cap.trusted_folder))
        answers = [_shown(path, one, events) for path, one in found.items()]
        if post:
            sound = [path for path, one in found.items() if isinstance(one, CapReading)]
            for path, answer in asyncio.run(_post_all(post, sound)).items():
                next(one for one in answers if one["file"] == str(path))["answer"] = answer
        _answer(answers, as_json=as_json)

    @cli.command()
    def validate(
        files: list[Path] = typer.Argument(help="CAP messages."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Check messages against the schema of OASIS and our bounds; every fault with its line and column."""
        settings, _ = read_settings()
        found = _read_all(files, Trust.read(settings.cap.trusted_folder))
        _answer(
            [
                {"file": str(path), **({"notes": one.notes} if isinstance(one, CapReading) else _faults(one))}
                for path, one in found.items()
            ],
            as_json=as_json,
        )

    return cli


def _read_all(files: list[Path], trust: Trust) -> Read:
    found: Read = {}
    for path in files:
        try:
            found[path] = read_cap(path.read_bytes(), trust)
        except OSError as error:
            found[path] = (Fault("file", f"cannot be read: {error.strerror}"),)
        except InvalidInput as error:
            found[path] = error.faults
    return found


def _faults(faults: tuple[Fault, ...]) -> dict[str, Any]:
    return {"faults": [{"field": fault.field, "reason": fault.reason} for fault in faults]}


def _shown(path: Path, one: CapReading | tuple[Fault, ...], events: CapEvents) -> dict[str, Any]:
    """Write out one file: the message in short, or its faults."""
    if not isinstance(one, CapReading):
        return {"file": str(path), **_faults(one)}
    alert = one.alert
    return {
        "file": str(path),
        "identifier": alert.identifier,
        "sender": alert.sender,
        "sent": write_time(alert.sent),
        "status": alert.status,
        "type": alert.type,
        "scope": alert.scope,
        "signature": one.signature,
        "references": [str(reference) for reference in alert.references],
        "warnings": [_warning(info, events) for info in alert.infos],
        "notes": one.notes,
    }


def _warning(info: CapInfo, events: CapEvents) -> dict[str, Any]:
    event = events.find(info.event, [value for _, value in info.event_codes])
    level = LEVEL_OF.get(info.severity)
    return {
        "language": info.language,
        "event": info.event,
        "category": event.category if event else None,
        "severity": info.severity,
        "level": level.slug if level else None,
        "headline": info.headline,
        "expires": write_time(info.expires) if info.expires else None,
        "areas": [area.description for area in info.areas],
    }


async def _post_all(gateway: str, files: list[Path]) -> dict[Path, Any]:
    """Send files one after another, in the order given; Unavailable when the gateway does not answer."""
    import aiohttp

    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise FenghuoError(f"{TOKEN_VARIABLE} is not set: a gateway takes warnings from a known source only.")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": CONTENT_TYPE}
    answers: dict[Path, Any] = {}
    timeout = aiohttp.ClientTimeout(total=POST_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for path in files:
            try:
                async with session.post(
                    f"{gateway.rstrip('/')}/v1/bulletins", data=path.read_bytes(), headers=headers
                ) as response:
                    document = await response.json(content_type=None)
                    answers[path] = {"status": response.status, **document}
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                raise Unavailable(f"The gateway at {gateway} does not answer.") from error
    return answers


def _answer(answers: list[dict[str, Any]], *, as_json: bool) -> None:
    """Tell, and end with status 1 when anything was faulty or refused."""
    if as_json:
        print_json(answers)
    else:
        for answer in answers:
            _print(answer)
    refused = any(answer.get("answer", {"status": ACCEPTED})["status"] != ACCEPTED for answer in answers)
    if refused or any("faults" in answer for answer in answers):
        raise typer.Exit(1)


def _print(answer: dict[str, Any]) -> None:
    out = console()
    if "faults" in answer:
        count = len(answer["faults"])
        out.print(f"{answer['file']}: {count} {'fault' if count == 1 else 'faults'}", markup=False)
        for fault in answer["faults"]:
            out.print(f"  {fault['field']}: {fault['reason']}", markup=False)
        return
    out.print(f"{answer['file']}: valid CAP 1.2", markup=False)
    if "identifier" in answer:
        out.print(
            f"  {answer['type']} {answer['identifier']} of {answer['sender']}, {answer['sent']}", markup=False
        )
        out.print(f"  {answer['status']}, {answer['scope']}, signature: {answer['signature']}", markup=False)
    for warning in answer.get("warnings", []):
        means = f"{warning['category'] or 'no category'}, {warning['level'] or 'no level'}"
        out.print(
            f"  {warning['event']} ({warning['severity']}): {means}; {'、'.join(warning['areas'])}",
            markup=False,
        )
    for note in answer["notes"]:
        out.print(f"  note: {note}", markup=False)
    if "answer" in answer:
        sent = answer["answer"]
        words = (
            f"accepted {sent['accepted']}" if sent["status"] == ACCEPTED else sent.get("detail", "refused")
        )
        out.print(f"  gateway: {sent['status']}, {words}", markup=False)
        for error in sent.get("errors", []):
            out.print(f"    {error['field']}: {error['reason']}", markup=False)
