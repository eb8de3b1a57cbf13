"""Everything that speaks against a change of the registry, by entry and field; pure, in both languages."""

from collections import Counter
from collections.abc import Iterable, Iterator

from domain.areas import covers
from domain.errors import Fault
from domain.levels import Feed
from domain.registry import Device, Series
from responders.registration import Kind, Known, Wish, fault_in


def objections(
    known: Known, after: Known, devices: Iterable[Device], wish: Wish, within: str
) -> Iterator[Fault]:
    """Find what is wrong with a wish: `after` is the registry as it would be, `devices` the wish's with their secrets.

    `within` is the area of the one who wishes.
    """
    devices = tuple(devices)
    yield from _doubles(wish)
    for device in devices:
        yield from _device_faults(known, device)
    for one in wish.series:
        yield from _series_faults(after, one)
    yield from _claim_faults(after, devices, wish.series)
    yield from _removal_faults(known, after, wish)
    yield from _outside(known, wish, within)


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
