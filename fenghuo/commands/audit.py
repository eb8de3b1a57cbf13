"""`fenghuo audit verify | seal`: prove that the record of cases is what was written."""

import asyncio

import typer

from domain.errors import Fault, FenghuoError, InvalidInput
from fenghuo.commands.answers import console, dsn_of, print_json
from fenghuo.running import read_settings
from responders.audit import Break, Seal
from responders.store import Store

GIVE_UP_SECONDS = 10.0
DIGEST_DIGITS = 64


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="The record of cases as evidence (存证).", no_args_is_help=True)

    @cli.command()
    def verify(
        kept: list[str] = typer.Option(
            [], "--seal", help="A seal that you kept elsewhere, as NUMBER:DIGEST; it must still be there."
        ),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Reckon the chain of every case and every seal again; exit status 1 when anything was changed."""
        settings, _ = read_settings()
        wanted = _read_kept(kept)
        lines, seals, breaks = asyncio.run(_verify(dsn_of(settings)))
        breaks += _missing(wanted, seals)
        if as_json:
            answer = {"lines": lines, "seals": len(seals), "breaks": breaks}
            print_json(answer)
        else:
            for one in breaks:
                console(stderr=True).print(f"{_place(one)}: {one.reason}")
            if not breaks:
                console().print(f"{lines} lines under {len(seals)} seals are as they were written.")
        if breaks:
            raise typer.Exit(1)

    @cli.command()
    def seal(as_json: bool = typer.Option(False, "--json", help="Answer in JSON.")) -> None:
        """Seal what was written since the last seal, and print the newest one to be kept elsewhere."""
        settings, _ = read_settings()
        newest = asyncio.run(_seal(dsn_of(settings)))
        if newest is None:
            raise FenghuoError("There is nothing to seal: the record is empty.")
        if as_json:
            print_json({"number": newest.number, "at": newest.at, "digest": newest.digest.hex()})
        else:
            console().print(f"{newest.number}:{newest.digest.hex()}")

    return cli


async def _verify(dsn: str) -> tuple[int, list[Seal], list[Break]]:
    async with Store.open(dsn, 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        lines, breaks = await store.audit.verify()
        return lines, await store.audit.seals(), breaks


async def _seal(dsn: str) -> Seal | None:
    async with Store.open(dsn, 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return await store.audit.seal() or next(reversed(await store.audit.seals()), None)


def _read_kept(kept: list[str]) -> dict[int, bytes]:
    """Read seals as they were printed; InvalidInput with each that is none."""
    wanted, faults = {}, []
    for text in kept:
        number, _, digest = text.strip().partition(":")
        try:
            if len(digest) != DIGEST_DIGITS:
                raise ValueError
            wanted[int(number)] = bytes.fromhex(digest)
        except ValueError:
            faults.append(
                Fault("seal", f"{text[:80]!r} is not NUMBER:DIGEST with {DIGEST_DIGITS} hexadecimal digits")
            )
    if faults:
        raise InvalidInput(faults)
    return wanted


def _missing(wanted: dict[int, bytes], seals: list[Seal]) -> list[Break]:
    """Find kept seals that are not, or no more, what the database holds."""
    present = {seal.number: seal.digest for seal in seals}
    return [
        Break(reason="it is not the seal that was kept", seal=number)
        for number, digest in wanted.items()
        if present.get(number) != digest
    ]


def _place(one: Break) -> str:
    return f"seal {one.seal}" if one.seal is not None else f"case {one.incident}, line {one.number}"
