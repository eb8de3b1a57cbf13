"""The API's document as people read it: what stands in a row for each thing, for the page /api and docs/reference/api.md."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

REF = "#/components/schemas/"
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that an operation takes, or one field of a type; `where` is path, query, header, body or empty."""

    name: str
    where: str
    kind: str
    needed: bool
    about: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One operation."""

    method: str
    path: str
    summary: str
    takes: tuple[Taken, ...]
    status: str
    answers: str
    refuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of the document; without fields it is a closed set or a value, told by `kind`."""

    name: str
    about: str
    kind: str
    fields: tuple[Taken, ...]


def groups_of(document: Schema) -> dict[str, list[Shown]]:
    """Gather the operations by the part of the API that they belong to, in the document's order."""
    groups: dict[str, list[Shown]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_shown(document, method, path, operation))
    return groups


def kinds_of(document: Schema) -> list[Kind]:
    """List the types by name."""
    return [
        Kind(name, _sentence(schema.get("description", "")), kind_of(schema), tuple(_fields(schema)))
        for name, schema in sorted(document["components"]["schemas"].items())
    ]


def _shown(document: Schema, method: str, path: str, operation: Schema) -> Shown:
    takes = [
        Taken(
            one["name"],
            one["in"],
            kind_of(one["schema"]),
            one["required"],
            one.get("description") or _limits(one["schema"]),
        )
        for one in operation["parameters"]
    ]
    if body := operation.get("requestBody"):
        schema = body["content"]["application/json"]["schema"]
        takes += _fields(document["components"]["schemas"][schema["$ref"].removeprefix(REF)], "body")
    (status, answer), *refusals = operation["responses"].items()
    ((content_type, media),) = answer["content"].items()
    told = kind_of(media["schema"]) if content_type == "application/json" else content_type
    refuses = tuple(f"{number} {one['description'].split('`')[1]}" for number, one in refusals)
    return Shown(method.upper(), path, operation["summary"], tuple(takes), status, told, refuses)


def _fields(schema: Schema, where: str = "") -> Iterator[Taken]:
    for name, one in schema.get("properties", {}).items():
        yield Taken(name, where, kind_of(one), name in schema.get("required", ()), _limits(one))


def _sentence(text: str) -> str:
    return text.partition("\n")[0]


def _limits(schema: Schema) -> str:
    """Tell what a value must keep to, as far as its type does not say it."""
    bounds = (("minimum", "≥"), ("maximum", "≤"), ("minLength", "length ≥"), ("maxLength", "length ≤"))
    told = [f"{sign} {schema[name]}" for name, sign in bounds if name in schema]
    return ", ".join(told + ([schema["pattern"]] if "pattern" in schema else []))


def kind_of(schema: Schema) -> str:
    """Say a schema in a few words: `IncidentRow`, `list of string`, `date-time or null`."""
    match schema:
        case {"$ref": ref}:
            return str(ref).removeprefix(REF)
        case {"anyOf": choices}:
            return " or ".join(kind_of(one) for one in choices)
        case {"enum": values}:
            return " | ".join(map(str, values))
        case {"const": value}:
            return str(value)
        case {"type": "array", "prefixItems": items}:
            return f"({', '.join(kind_of(one) for one in items)})"
        case {"type": "array"}:
            return f"list of {kind_of(schema.get('items') or {})}"
        case {"type": "object", "properties": fields} if "title" not in schema:
            return "{ " + ", ".join(f"{name}: {kind_of(one)}" for name, one in fields.items()) + " }"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"object of {kind_of(values)}"
        case {"type": "string"}:
            return str(schema.get("format", "string"))
        case {"type": kind}:
            return str(kind)
        case _:
            return "any"
