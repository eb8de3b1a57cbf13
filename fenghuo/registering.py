"""From the entries of a file to a change of the registry: records, sealed secrets, and every fault at its place."""

import getpass
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec import structs

from config.data import Data
from config.personal import read_key
from config.sealing import Sealer
from config.settings import Secret
from domain.codec import encode
from domain.decode import convert, decode_json
from domain.errors import Fault, InvalidConfiguration, InvalidInput
from domain.limits import write_out
from domain.registry import Device, Protocol, Secrets, Series
from fenghuo.registry_file import Entry
from responders.registration import Kind, Step, Wish, fault_in
from responders.store import Store
from streams.devices.directory import secrets_record

T = TypeVar("T")

SHANGHAI = ZoneInfo("Asia/Shanghai")
SECRET_FIELDS = ("password", "sm4_key")
DIRECTIONS = {"高于": "above", "上限": "above", "低于": "below", "下限": "below"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file wants: the records that could be made, what they came from, and what is wrong with the others."""

    wish: Wish
    entries: Mapping[tuple[Kind, str], Entry]
    faults: tuple[Fault, ...]
    broken: frozenset[str]
    """Ids of devices that the file names and that could not be made."""


async def import_entries(
    store: Store, data: Data, personal_key: Secret, entries: Iterable[Entry], *, dry_run: bool
) -> tuple[Step, ...]:
    """Change the registry to what a file says, or say what would change; InvalidInput with all faults, each at its place."""
    on = (await store.clock()).now().astimezone(SHANGHAI).date()
    present = {device.id: device for device in await store.devices()}
    wanted = make_wish(entries, data, on, present, personal_key)
    try:
        if dry_run or wanted.faults:
            steps = await store.register.plan(wanted.wish, data.categories)
        else:
            steps = await store.register.change(wanted.wish, data.categories, command_line())
    except InvalidInput as error:
        raise InvalidInput([*wanted.faults, *placed(wanted, error.faults)]) from error
    if wanted.faults:
        raise InvalidInput(wanted.faults)
    return steps


def command_line() -> str:
    """Name who changes something from here: the account of the operating system stands on the record."""
    try:
        return f"command line ({getpass.getuser()})"
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "command line"


def make_wish(
    entries: Iterable[Entry], data: Data, on: date, present: Mapping[str, Device], personal_key: Secret
) -> Wanted:
    """Make records of the entries of a file; what cannot be made becomes faults."""
    devices: list[Device] = []
    series: list[Series] = []
    by_name: dict[tuple[Kind, str], Entry] = {}
    faults: list[Fault] = []
    broken = set()
    for entry in entries:
        found: list[Fault] = []
        by_name.setdefault((entry.kind, entry.id), entry)
        if entry.kind is Kind.DEVICE:
            device = _device(entry, present, personal_key, found)
            devices += [device] if device is not None and not found else []
            broken |= {entry.id} if found else set()
        else:
            one = _series(entry, data, on, found)
            series += [one] if one is not None and not found else []
        faults.extend(_at(entry, fault) for fault in found)
    wish = Wish(devices=tuple(devices), series=tuple(series))
    return Wanted(wish, by_name, tuple(faults), frozenset(broken))


def placed(wanted: Wanted, faults: Iterable[Fault]) -> list[Fault]:
    """Put faults that name an entry and its field at the place of the file from which the value came."""
    told = []
    for fault in faults:
        words, _, where = fault.field.partition(": ")
        kind, _, name = words.partition(" ")
        entry = wanted.entries.get((Kind(kind), name))
        if entry is None:
            told.append(fault)
        elif not (where == "device" and entry.values.get("device") in wanted.broken):
            told.append(Fault(f"{entry.place_of(where)}: {fault.field}", fault.reason))
    return told


def _at(entry: Entry, fault: Fault) -> Fault:
    named = fault_in(entry.kind, entry.id or "?", fault.field, fault.reason)
    return Fault(f"{entry.place_of(fault.field)}: {named.field}", named.reason)


def _series(entry: Entry, data: Data, on: date, faults: list[Fault]) -> Series | None:
    values = dict(entry.values)
    for slug, category in data.categories.items():
        if values.get("category") == category.zh:
            values["category"] = slug
    if entry.as_text:
        values["limits"] = [_limit_of_text(limit) for limit in values["limits"]]
    values = write_out(values, data.aqi, on, faults)
    return _record(Series, values, entry, faults)


def _limit_of_text(limit: Mapping[str, str]) -> dict[str, Any]:
    """Read what a table says of a limit: an index as a number, a direction in Chinese."""
    values: dict[str, Any] = dict(limit)
    if values.get("aqi", "").isdecimal():
        values["aqi"] = int(values["aqi"])
    if "direction" in values:
        values["direction"] = DIRECTIONS.get(values["direction"], values["direction"])
    return values


def _device(
    entry: Entry, present: Mapping[str, Device], personal_key: Secret, faults: list[Fault]
) -> Device | None:
    values = dict(entry.values)
    given = {name: values.pop(name) for name in SECRET_FIELDS if name in values}
    if "sealed" in values:
        faults.append(Fault("sealed", "is made of password and sm4_key: write those"))
        del values["sealed"]
    protocol = values.get("protocol")
    if isinstance(protocol, str):
        values["protocol"] = protocol.lower().replace(" ", "").replace("-", "")
    device = _record(Device, values, entry, faults)
    if not given:
        return device
    given = {name: None if value == "" else value for name, value in given.items()}
    secrets = _record(Secrets, given, entry, faults)
    if device is None or secrets is None or faults:
        return None
    if secrets.sm4_key is not None and device.protocol is not Protocol.HJ212:
        faults.append(Fault("sm4_key", "is of HJ 212 alone"))
    try:
        sealer = read_key(personal_key)
    except InvalidConfiguration as error:
        faults.extend(
            Fault(next(iter(given)), f"cannot be sealed: {fault.field} {fault.reason}")
            for fault in error.faults
        )
        return None
    return structs.replace(device, sealed=_seal(sealer, device.id, given, secrets, present.get(device.id)))


def _seal(
    sealer: Sealer, name: str, given: Mapping[str, Any], secrets: Secrets, before: Device | None
) -> str | None:
    """Seal secrets for a device; None when it has just these, "" when it has none any more.

    What the file does not give stays as it is.
    """
    present = open_secrets(sealer, before) if before is not None else Secrets()
    if present is not None:
        kept = {field: getattr(present, field) for field in SECRET_FIELDS if field not in given}
        secrets = structs.replace(secrets, **kept)
        if secrets == present:
            return None
    if secrets == Secrets():
        return ""
    return sealer.seal(encode(secrets), secrets_record(name))


def open_secrets(sealer: Sealer, device: Device) -> Secrets | None:
    """Open the secrets of a device; None when they are under another key."""
    if device.sealed is None:
        return Secrets()
    try:
        return decode_json(Secrets, sealer.open_sealed(device.sealed, secrets_record(device.id)))
    except InvalidInput:
        return None


def _record(kind: type[T], values: Any, entry: Entry, faults: list[Fault]) -> T | None:
    try:
        return convert(kind, values, lenient=entry.as_text)
    except InvalidInput as error:
        told = {fault.field for fault in faults}
        faults.extend(fault for fault in error.faults if fault.field not in told)
        return None
