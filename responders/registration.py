"""Changes of the registry as values: what is known, what somebody wishes, and what becomes of each entry."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from msgspec import Struct

from domain.errors import Fault
from domain.registry import Device, Series, Source


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


def fault_in(kind: Kind, name: str, where: str, reason: str) -> Fault:
    """Make a fault that names an entry and its field: `series river-1: area`."""
    return Fault(f"{kind} {name}: {where}", reason)
