"""Strict decoding that reports every fault at once, each by field."""

from collections.abc import Iterator
from enum import Enum
from itertools import islice
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from domain.errors import Fault, InvalidInput
from domain.hotline import Named

T = TypeVar("T")

MAX_FAULTS = 1_000
"""Megabytes of nonsense would otherwise become millions of faults, which nobody reads."""
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_json(kind: type[T], data: bytes | bytearray) -> T:
    """Decode JSON into a type; InvalidInput with all faults (up to MAX_FAULTS) when it does not fit.

    NaN and Infinity are no JSON and are refused; the fast way is one pass, only a faulty document is read twice.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as misfit:
        found = tuple(islice(faults_of(kind, _read_json(data)), MAX_FAULTS)) or (_fault("", misfit),)
        raise InvalidInput(found) from misfit
    except NOT_JSON as error:
        raise InvalidInput([Fault("body", f"is not JSON: {error}")]) from error


def _read_json(data: bytes | bytearray) -> Any:
    """Read a whole document that is already known not to fit; its end may turn out to be no JSON at all."""
    try:
        return msgspec.json.decode(data)
    except NOT_JSON as error:
        raise InvalidInput([Fault("body", f"is not JSON: {error}")]) from error


def convert(kind: type[T], value: Any, *, lenient: bool = False) -> T:
    """Convert plain Python values into a type; `lenient` reads numbers and booleans out of strings."""
    try:
        return msgspec.convert(value, kind, strict=not lenient, dec_hook=_decode_path)
    except msgspec.ValidationError as error:
        found = tuple(faults_of(kind, value, lenient=lenient)) or (_fault("", error),)
        raise InvalidInput(found) from error


def _decode_path(kind: type[Any], value: Any) -> Any:
    """Make paths of strings, the one type of ours that msgspec does not know."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"expected {kind.__name__}")


def faults_of(kind: Any, value: Any, path: str = "", *, lenient: bool = False) -> Iterator[Fault]:
    """Find all faults of a value against a type, walking into structs and sequences of them."""
    kind = _tagged(_without_none(kind), value) if value is not None else kind
    item = _item_type(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
        yield from _struct_faults(kind, value, path, lenient=lenient)
    elif item is not None and isinstance(value, list | tuple):
        clean = True
        for number, element in enumerate(value):
            if _fits(item, element, lenient=lenient):
                continue  # of 100,000 readings a few are wrong: walk into those alone
            for fault in faults_of(item, element, f"{path}[{number}]", lenient=lenient):
                clean = False
                yield fault
        if clean:
            yield from _misfit(kind, value, path, lenient=lenient)
    else:
        yield from _misfit(kind, value, path, lenient=lenient)


def _struct_faults(
    kind: type[msgspec.Struct], value: dict[str, Any], path: str, *, lenient: bool
) -> Iterator[Fault]:
    dot = f"{path}." if path else ""
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    tag = kind.__struct_config__.tag_field
    clean = True
    for name, field in known.items():
        if name in value:
            for fault in faults_of(field.type, value[name], f"{dot}{name}", lenient=lenient):
                clean = False
                yield fault
        elif field.required:
            clean = False
            yield Fault(f"{dot}{name}", "is missing")
    if kind.__struct_config__.forbid_unknown_fields:
        for name in value.keys() - known.keys() - {tag}:
            clean = False
            yield Fault(f"{dot}{name}", "is not a known field")
    if clean:  # each field fits by itself: what is left is a rule between fields
        yield from _misfit(kind, value, path, lenient=lenient)


def _fits(kind: Any, value: Any, *, lenient: bool) -> bool:
    try:
        msgspec.convert(value, kind, strict=not lenient, dec_hook=_decode_path)
    except msgspec.ValidationError:
        return False
    return True


def _misfit(kind: Any, value: Any, path: str, *, lenient: bool) -> Iterator[Fault]:
    """Say what is wrong with the value as a whole; of a closed set what is in it, and never what was sent instead."""
    try:
        msgspec.convert(value, kind, strict=not lenient, dec_hook=_decode_path)
    except msgspec.ValidationError as error:
        if isinstance(kind, type) and issubclass(kind, Enum) and str(error).startswith("Invalid enum"):
            known = kind.known() if issubclass(kind, Named) else ", ".join(str(one.value) for one in kind)
            yield Fault(path or "body", f"must be one of {known}")
        else:
            yield _fault(path, error)


def _without_none(kind: Any) -> Any:
    """Name X of X | None, so that faults are looked for inside; any other type stays as it is."""
    if get_origin(kind) in (Union, UnionType):
        others = [one for one in get_args(kind) if one is not NoneType]
        return others[0] if len(others) == 1 else kind
    return kind


def _tagged(kind: Any, value: Any) -> Any:
    """Choose from a union of tagged structs the one that the value names; any other type stays as it is."""
    if get_origin(kind) not in (Union, UnionType) or not isinstance(value, dict):
        return kind
    structs = [one for one in get_args(kind) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    named = [
        one for one in structs if value.get(one.__struct_config__.tag_field) == one.__struct_config__.tag
    ]
    return named[0] if len(named) == 1 else kind


def _item_type(kind: Any) -> Any | None:
    """Name the element type of list[X], tuple[X, ...] or an annotated one of these."""
    while hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    if get_origin(kind) in (list, tuple):
        return get_args(kind)[0]
    return None


def _fault(path: str, error: Exception) -> Fault:
    """Turn msgspec's sentence into ours; it names a place inside the value after ` - at `."""
    reason, _, inner = str(error).partition(" - at ")
    inside = inner.strip("`").removeprefix("$")
    where = (path + inside).strip(".") or "body"
    return Fault(where, reason[:1].lower() + reason[1:])
