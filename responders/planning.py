"""What a wish would do to the registry: pure, so that a preview and the deed are one decision."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import structs

from domain.errors import InvalidInput
from domain.registry import Device, Series
from responders.objections import objections
from responders.registration import Action, Kind, Known, Plan, Step, Wish

SECRET_SET, SECRET_NEW = "set", "set anew"
"""All that is ever said of a device's sealed secrets."""


def make_plan(known: Known, wish: Wish, within: str = "") -> Plan:
    """Say what a wish would do; InvalidInput with everything that speaks against it, by entry and field.

    `within` is the area of the one who wishes: nothing outside it is touched.
    """
    devices = tuple(_keep_secrets(device, known.devices.get(device.id)) for device in wish.devices)
    after = Known(
        known.areas,
        known.sources,
        known.categories,
        _changed(known.devices, devices, wish.gone_devices),
        _changed(known.series, wish.series, wish.gone_series),
    )
    faults = dict.fromkeys(objections(known, after, devices, wish, within))
    if faults:
        raise InvalidInput(faults)
    steps = [
        *(_step(Kind.DEVICE, known.devices.get(device.id), device) for device in devices),
        *(_step(Kind.SERIES, known.series.get(one.id), one) for one in wish.series),
        *(_step(Kind.SERIES, known.series[name], None) for name in wish.gone_series),
        *(_step(Kind.DEVICE, known.devices[name], None) for name in wish.gone_devices),
    ]
    written = {(step.kind, step.id) for step in steps if step.action is not Action.SAME}
    return Plan(
        steps=tuple(steps),
        devices=tuple(device for device in devices if (Kind.DEVICE, device.id) in written),
        series=tuple(one for one in wish.series if (Kind.SERIES, one.id) in written),
        gone_devices=wish.gone_devices,
        gone_series=wish.gone_series,
    )


def _keep_secrets(device: Device, before: Device | None) -> Device:
    if device.sealed is None and before is not None:
        return structs.replace(device, sealed=before.sealed)
    return structs.replace(device, sealed=device.sealed or None)


def _changed(before: Mapping[str, Any], entries: Iterable[Any], gone: Iterable[str]) -> dict[str, Any]:
    after = {**before, **{entry.id: entry for entry in entries}}
    for name in gone:
        after.pop(name, None)
    return after


def _step(kind: Kind, before: Device | Series | None, after: Device | Series | None) -> Step:
    entry = after if after is not None else before
    if entry is None:
        raise ValueError("a step needs an entry before or after it")
    was, is_now = _plain(before), _plain(after)
    fields = {
        name: (was.get(name), is_now.get(name))
        for name in (is_now or was)
        if was.get(name) != is_now.get(name)
    }
    if isinstance(before, Device) and isinstance(after, Device) and before.sealed and after.sealed:
        fields |= {"secrets": (SECRET_SET, SECRET_NEW)} if before.sealed != after.sealed else {}
    if before is None or after is None:
        action = Action.ADDED if before is None else Action.REMOVED
    else:
        action = Action.CHANGED if fields else Action.SAME
    return Step(kind=kind, id=entry.id, name=entry.name, area=entry.area, action=action, fields=fields)


def _plain(entry: Device | Series | None) -> dict[str, Any]:
    """Give an entry as JSON has it, without its id, and without what a device's secrets are sealed to."""
    if entry is None:
        return {}
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(entry))
    del values["id"]
    if isinstance(entry, Device):
        values["secrets"] = SECRET_SET if values.pop("sealed") else None
    return values
