"""`fenghuo device import | list | show | register | remove | ask`: data loggers of stations, registered or only seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import typer
from rich.table import Table

from config.data import Data
from config.settings import Settings
from domain.decode import convert
from domain.devices import Sighting
from domain.errors import Conflict, InvalidConfiguration, InvalidInput, NotFound
from domain.registry import Device, Protocol, Series
from fenghuo.commands import device_ask
from fenghuo.commands.answers import console, print_json
from fenghuo.commands.registers import import_file, remove, show_fields, tell_faults, tell_steps, with_store
from responders.registration import Kind, Step, Wish

if TYPE_CHECKING:
    from responders.store import Store


def create_commands() -> typer.Typer:
    """Make the group of commands."""
    cli = typer.Typer(help="Devices (数采仪): data loggers that connect by themselves.", no_args_is_help=True)
    _add_reading(cli)
    _add_changing(cli)
    device_ask.add_to(cli)
    return cli


def _add_reading(cli: typer.Typer) -> None:
    @cli.command("list")
    def list_devices(
        unregistered: bool = typer.Option(False, help="Devices that gateways see and nobody registered."),
        area: str = typer.Option("", help="Only of the area that begins so."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """List devices with what gateways saw of them."""
        devices, sightings, _ = _everything()
        registered = {(device.protocol, device.address) for device in devices}
        if unregistered:
            strangers = [one for one in sightings if (one.protocol, one.address) not in registered]
            _list_strangers(strangers, as_json=as_json)
            return
        found = [device for device in devices if device.area.startswith(area)]
        if as_json:
            print_json([_told(device, sightings) for device in found])
            return
        table = Table(
            "id", "station", "area", "protocol", "address", "seen", "packets", "refused", "newest problem"
        )
        for device in found:
            seen = _newest(sightings, device.protocol, device.address)
            table.add_row(
                device.id, device.station or device.name, device.area, device.protocol, device.address,
                *(_cells(seen) if seen else ("never", "", "", "")),
            )  # fmt: skip
        console().print(table)

    @cli.command()
    def show(
        name: str = typer.Argument(metavar="ID"),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Show one device with its series; its password and key are only said to be there."""
        devices, sightings, series = _everything()
        device = next((one for one in devices if one.id == name), None)
        if device is None:
            raise NotFound(f"There is no device {name}.")
        own = [one for one in series if one.device == name]
        secrets = _secrets(device)
        if as_json:
            print_json({**_told(device, sightings), **secrets, "series": own})
            return
        show_fields(device, **secrets, series=", ".join(f"{one.channel} → {one.id}" for one in own))
        for seen in sightings:
            if (seen.protocol, seen.address) == (device.protocol, device.address):
                console().print(f"seen by {seen.gateway}: {' '.join(_cells(seen))}", markup=False)


def _add_changing(cli: typer.Typer) -> None:
    @cli.command("import")
    def import_devices(
        file: Path = typer.Argument(help="TOML with [[device]] and [[series]], or CSV or XLSX."),
        dry_run: bool = typer.Option(False, help="Tell what would change, and change nothing."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Add or change devices, and series where the file has any; all of it or nothing.

        Passwords and SM4 keys are sealed under FENGHUO_PERSONAL_KEY before they leave this process; a file without them
        leaves them as they are. A CSV or a workbook has a row for each device.
        """
        import_file(file, Kind.DEVICE, dry_run=dry_run, as_json=as_json)

    @cli.command()
    def register(
        address: str = typer.Argument(help="What the device calls itself: see `device list --unregistered`."),
        name: str = typer.Option(..., "--id", help="Id that it gets here."),
        display: str = typer.Option(..., "--name", help="What people call it."),
        area: str = typer.Option(..., help="Area code of where it stands."),
        source: str = typer.Option(..., help="Source that it belongs to."),
        station: str = typer.Option("", help="Name of its station."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Register a device that a gateway has seen; its channels are kept from now on under its area.

        One with a password needs `device import`: here none is checked.
        """

        async def change(store: "Store", settings: Settings, data: Data) -> tuple[Step, ...]:
            from fenghuo.registering import command_line

            protocol = _protocol_of(address, await store.devices(), await store.register.sightings())
            values = {"id": name, "name": display, "area": area, "source": source, "station": station}
            device = convert(Device, {**values, "protocol": protocol, "address": address})
            return await store.register.change(Wish(devices=(device,)), data.categories, command_line())

        try:
            steps = with_store(change)
        except InvalidInput as error:
            tell_faults(error, as_json=as_json)
        tell_steps(steps, done=True, as_json=as_json)

    @cli.command("remove")
    def remove_devices(
        names: list[str] = typer.Argument(metavar="ID..."),
        with_series: bool = typer.Option(False, help="Remove the series that they deliver too."),
        yes: bool = typer.Option(False, "--yes", help="Do not ask."),
        as_json: bool = typer.Option(False, "--json", help="Answer in JSON."),
    ) -> None:
        """Remove devices; one that still delivers series goes only together with them."""
        _, _, series = _everything()
        own = tuple(one.id for one in series if with_series and one.device in names)
        remove(Wish(gone_devices=tuple(names), gone_series=own), yes=yes, as_json=as_json)


def _everything() -> tuple[list[Device], list[Sighting], list[Series]]:
    async def read(
        store: "Store", settings: Settings, data: Data
    ) -> tuple[list[Device], list[Sighting], list[Series]]:
        return await store.devices(), await store.register.sightings(), await store.series()

    return with_store(read)


def _newest(sightings: list[Sighting], protocol: Protocol, address: str) -> Sighting | None:
    own = [one for one in sightings if (one.protocol, one.address) == (protocol, address)]
    return max(own, key=lambda one: one.seen_at, default=None)


def _cells(seen: Sighting) -> tuple[str, str, str, str]:
    return f"{seen.seen_at:%Y-%m-%d %H:%M:%S%z}", str(seen.packets), str(seen.refused), seen.problem


def _told(device: Device, sightings: list[Sighting]) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.structs.asdict(device)
    del values["sealed"]
    return values | {"seen": _newest(sightings, device.protocol, device.address)}


def _secrets(device: Device) -> dict[str, str]:
    """Say which secrets a device has, as far as the key at hand opens them."""
    from config.personal import read_key
    from fenghuo.registering import open_secrets
    from fenghuo.running import read_settings

    if device.sealed is None:
        return {"password": "not set", "sm4_key": "not set"}
    try:
        secrets = open_secrets(read_key(read_settings()[0].personal_key), device)
    except InvalidConfiguration:
        secrets = None
    if secrets is None:
        return {"secrets": "set, under a key that is not at hand"}
    return {name: "set" if getattr(secrets, name) else "not set" for name in ("password", "sm4_key")}


def _list_strangers(strangers: list[Sighting], *, as_json: bool) -> None:
    if as_json:
        print_json(strangers)
        return
    table = Table("protocol", "address", "peer", "seen", "packets", "refused", "newest problem", "channels")
    for one in strangers:
        table.add_row(one.protocol, one.address, one.peer, *_cells(one), " ".join(one.channels))
    console().print(table)


def _protocol_of(address: str, devices: list[Device], sightings: list[Sighting]) -> Protocol:
    """Find in which protocol a device that nobody registered calls itself so."""
    found = {one.protocol for one in sightings if one.address == address}
    if not found:
        raise NotFound(f"No gateway has seen {address}.")
    if len(found) > 1:
        raise Conflict(f"{address} was seen in {' and '.join(sorted(found))}: use `device import`.")
    (protocol,) = found
    if any((one.protocol, one.address) == (protocol, address) for one in devices):
        raise Conflict(f"{protocol} {address} is registered already.")
    return protocol
