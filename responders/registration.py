"""What a change of the registry would do, and everything that speaks against it: pure, for the store, commands and forms."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct, structs

from domain.areas import covers
from domain.errors import Fault, InvalidInput
from domain.levels import Feed
from domain.registry import Device, Series, Source

SECRET_SET, SECRET_NEW = "set", "set anew"
"""All that is ever said of a device's sealed secrets."""


class Kind(StrEnum):
    """What the registry holds that operators change."""

    DEVICE = "device"
    SERIES = "series"


class Action(StrEnum):
    """What becomes of an entry."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    SAME = "same"


class Step(Struct, frozen=True, kw_only=True):
    """What becomes of one entry; `fields` holds (before, after) of each field that differs, in plain values."""

    kind: Kind
    id: str
    name: str
    area: str
    action: Action
    fields: dict[str, tuple[Any, Any]] = {}


@dataclass(frozen=True, slots=True)
class Known:
    """The registry as it is, and the categories that the data files know."""

    areas: Collection[str]
    sources: Mapping[str, Source]
    categories: Collection[str]
    devices: Mapping[str, Device]
    series: Mapping[str, Series]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of the registry: entries to add or replace, and ids of entries to remove.

    A device without sealed secrets keeps those that it has; with an empty text it loses them. Reasons of faults are in both
    languages, Chinese first, since forms show them.
    """

    devices: tuple[Device, ...] = ()
    series: tuple[Series, ...] = ()
    gone_devices: tuple[str, ...] = ()
    gone_series: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that may be made: the entries to write, and what becomes of each."""

    steps: tuple[Step, ...]
    devices: tuple[Device, ...] = ()
    series: tuple[Series, ...] = ()
    gone_devices: tuple[str, ...] = ()
    gone_series: tuple[str, ...] = ()


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
    faults = [
        *_doubles(wish),
        *(fault for device in devices for fault in _device_faults(known, device)),
        *(fault for one in wish.series for fault in _series_faults(after, one)),
        *_claim_faults(after, devices, wish.series),
        *_removal_faults(known, after, wish),
        *_outside(known, wish, within),
    ]
    if faults:
        raise InvalidInput(dict.fromkeys(faults))
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


def fault_in(kind: Kind, name: str, where: str, reason: str) -> Fault:
    """Make a fault that names an entry and its field: `series river-1: area`."""
    return Fault(f"{kind} {name}: {where}", reason)


def _keep_secrets(device: Device, before: Device | None) -> Device:
    if device.sealed is None and before is not None:
        return structs.replace(device, sealed=before.sealed)
    return structs.replace(device, sealed=device.sealed or None)


def _changed(before: Mapping[str, Any], entries: Iterable[Any], gone: Iterable[str]) -> dict[str, Any]:
    after = {**before, **{entry.id: entry for entry in entries}}
    for name in gone:
        after.pop(name, None)
    return after


def _doubles(wish: Wish) -> Iterator[Fault]:
    for kind, names in (
        (Kind.DEVICE, [*(device.id for device in wish.devices), *wish.gone_devices]),
        (Kind.SERIES, [*(one.id for one in wish.series), *wish.gone_series]),
    ):
        for name, count in Counter(names).items():
            if count > 1:
                yield fault_in(kind, name, "id", f"出现了 {count} 次。 is there {count} times")


def _place_faults(known: Known, kind: Kind, entry: Device | Series) -> Iterator[Fault]:
    """Find what is wrong with where an entry is and who sends it."""
    if entry.area not in known.areas:
        yield fault_in(
            kind, entry.id, "area", f"区域表中没有 {entry.area}。 {entry.area} is no area of the registry"
        )
    source = known.sources.get(entry.source)
    if source is None:
        yield fault_in(
            kind,
            entry.id,
            "source",
            f"没有来源 {entry.source}。 {entry.source!r} is no source of the registry",
        )
        return
    if Feed.READINGS not in source.feeds:
        yield fault_in(
            kind,
            entry.id,
            "source",
            f"来源 {entry.source} 不可上报读数。 {entry.source!r} may not send readings",
        )
    if entry.area in known.areas and not covers(source.area, entry.area):
        yield fault_in(
            kind,
            entry.id,
            "area",
            f"{entry.area} 不在来源 {entry.source} 的区域内。 {entry.area} lies outside the area of {entry.source}",
        )


def _device_faults(known: Known, device: Device) -> Iterator[Fault]:
    yield from _place_faults(known, Kind.DEVICE, device)
    if (device.lat is None) is not (device.lon is None):
        yield fault_in(Kind.DEVICE, device.id, "lat", "经度和纬度须一并填写。 and lon go together")


def _series_faults(after: Known, one: Series) -> Iterator[Fault]:
    yield from _place_faults(after, Kind.SERIES, one)
    if one.category not in after.categories:
        yield fault_in(
            Kind.SERIES, one.id, "category", f"没有类别 {one.category}。 {one.category!r} is no category"
        )
    if one.device is not None and one.device not in after.devices:
        yield fault_in(
            Kind.SERIES, one.id, "device", f"设备 {one.device} 未登记。 {one.device!r} is not registered"
        )
    if one.low is not None and one.high is not None and one.low >= one.high:
        yield fault_in(Kind.SERIES, one.id, "high", "须高于量程下限。 must be above low")
        return
    said = Counter((limit.level, limit.direction) for limit in one.limits)
    for number, limit in enumerate(one.limits):
        where = f"limits[{number}]"
        if said[limit.level, limit.direction] > 1:
            twice = f"同一级别、同一方向的限值重复。 is a second {limit.level.slug} limit {limit.direction}"
            yield fault_in(Kind.SERIES, one.id, where, twice)
        above = limit.direction == "above"
        edge = one.high if above else one.low
        if edge is not None and (limit.value >= edge if above else limit.value <= edge):
            never = (
                f"{limit.value:g} 已到量程{'上' if above else '下'}限 {edge:g}，永远不会触发。 "
                f"{limit.value:g} can never be broken: the device measures {'up' if above else 'down'} to {edge:g}"
            )
            yield fault_in(Kind.SERIES, one.id, f"{where}.value", never)


def _claim_faults(after: Known, devices: Iterable[Device], series: Iterable[Series]) -> Iterator[Fault]:
    """Find addresses and channels that two entries claim; told at the entry that is being changed."""
    addresses: dict[tuple[str, str], list[str]] = {}
    for device in after.devices.values():
        addresses.setdefault((device.protocol, device.address), []).append(device.id)
    for device in devices:
        others = [name for name in addresses.get((device.protocol, device.address), ()) if name != device.id]
        if others:
            named, owner = f"{device.protocol} {device.address}", ", ".join(others)
            reason = f"{named} 已是 {owner} 的地址。 {named} is already the address of {owner}"
            yield fault_in(Kind.DEVICE, device.id, "address", reason)
    channels: dict[tuple[str | None, str], list[str]] = {}
    for one in after.series.values():
        channels.setdefault((one.device, one.channel), []).append(one.id)
    for one in series:
        others = [name for name in channels.get((one.device, one.channel), ()) if name != one.id]
        if one.device is not None and others:
            named, owner = f"{one.channel} of {one.device}", ", ".join(others)
            reason = f"{one.device} 的通道 {one.channel} 已属 {owner}。 {named} is already {owner}"
            yield fault_in(Kind.SERIES, one.id, "channel", reason)


def _removal_faults(known: Known, after: Known, wish: Wish) -> Iterator[Fault]:
    users: dict[str, list[str]] = {}
    for one in after.series.values():
        if one.device is not None:
            users.setdefault(one.device, []).append(one.id)
    for name in wish.gone_series:
        if name not in known.series:
            yield fault_in(Kind.SERIES, name, "id", "未登记。 is not registered")
    for name in wish.gone_devices:
        if name not in known.devices:
            yield fault_in(Kind.DEVICE, name, "id", "未登记。 is not registered")
        elif name in users:
            shown = ", ".join(sorted(users[name])[:5]) + (", …" if len(users[name]) > 5 else "")
            yield fault_in(Kind.DEVICE, name, "id", f"仍在上报 {shown}。 still delivers {shown}")


def _outside(known: Known, wish: Wish, within: str) -> Iterator[Fault]:
    """Find entries that lie, or would lie, outside the area of the one who wishes."""
    touched: list[tuple[Kind, str, str]] = []
    for device in wish.devices:
        touched += (
            (Kind.DEVICE, device.id, one.area) for one in (device, known.devices.get(device.id)) if one
        )
    for series in wish.series:
        touched += (
            (Kind.SERIES, series.id, one.area) for one in (series, known.series.get(series.id)) if one
        )
    touched += ((Kind.DEVICE, n, known.devices[n].area) for n in wish.gone_devices if n in known.devices)
    touched += ((Kind.SERIES, n, known.series[n].area) for n in wish.gone_series if n in known.series)
    for kind, name, area in touched:
        if not covers(within, area):
            yield fault_in(
                kind,
                name,
                "area",
                f"{area} 不在您的辖区 {within} 内。 {area} lies outside your own area {within}",
            )


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
