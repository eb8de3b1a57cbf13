"""The API's document (OpenAPI 3.1.1), made of the operations in dashboards/routes.py and of the types that validate.

https://spec.openapis.org/oas/v3.1.1.html; the schemas are JSON Schema 2020-12 as msgspec writes them.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from dashboards.operations import Answer, Media, Operation, required
from dashboards.problems import CODES
from domain.incidents import IncidentState, PleaKind
from domain.inputs import AwareTime, Slug

REFERENCE = "#/components/schemas/{name}"
KEY = "Idempotency-Key"
PLACES: Mapping[str, Any] = {
    "alert": UUID,
    "area": Annotated[str, Meta(pattern=r"^\d{2,15}$")],
    "drill": UUID,
    "hand_over": UUID,
    "incident": UUID,
    "kind": PleaKind,
    "maintenance": UUID,
    "series": Slug,
    "swap": UUID,
    "task": UUID,
    "token": UUID,
}
"""What may stand in an address, by its name in the braces."""


class FaultOfField(Struct, frozen=True, kw_only=True):
    """What is wrong with one field, in the asker's language."""

    field: str
    reason: str


class ProblemDocument(Struct, frozen=True, kw_only=True):
    """Why a request was refused (RFC 9457); `code` is from a closed set, `faults` names every wrong field at once."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    faults: tuple[FaultOfField, ...] = ()


class ConflictDocument(ProblemDocument, frozen=True, kw_only=True):
    """Why a command came too late; of a case it tells how it stands now, and who acknowledged it first."""

    state: IncidentState | None = None
    version: int | None = None
    holder: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: AwareTime | None = None


def write_document(operations: Iterable[Operation]) -> dict[str, Any]:
    """Write the document; KeyError names what stands in an address and is not in PLACES."""
    operations = list(operations)
    schemas, components = _schemas_of(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Fenghuo 烽火 API",
            "version": version("fenghuo"),
            "description": (
                "What the console's pages read and the commands they send. Times are RFC 3339 with an offset, on the "
                "county clock; ids are UUIDs; areas are administrative codes, and everybody sees what lies in their own."
            ),
        },
        "servers": [{"url": "/"}],
        "security": [{"session": []}, {"token": []}],
        "tags": [{"name": name} for name in sorted({operation.group for operation in operations})],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "fenghuo_session",
                    "description": "Given by POST /sign-in; behind HTTPS the name is __Host-fenghuo_session.",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token for a machine (`fenghuo token add`); needs no Origin.",
                },
            },
        },
    }


def _schemas_of(operations: list[Operation]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Write the schema of every type once; answers the schema of each, by the type."""
    types: dict[Any, None] = dict.fromkeys((*PLACES.values(), ProblemDocument, ConflictDocument, UUID))
    for operation in operations:
        for kind in (operation.body, *_types_in(operation.answer), *_fields(operation.query).values()):
            if kind is not None:
                types.setdefault(kind)
    found, components = msgspec.json.schema_components(types, schema_hook=_anything, ref_template=REFERENCE)
    written = msgspec.json.encode((found, components))
    for name in filter(lambda name: "." in name, components):
        written = written.replace(f'"{name}"'.encode(), f'"{_short(name)}"'.encode())
        written = written.replace(f'/{name}"'.encode(), f'/{_short(name)}"'.encode())
    found, components = _modern(msgspec.json.decode(written))
    return dict(zip(types, found, strict=True)), components


def _modern(part: Any) -> Any:
    """Write tuples as JSON Schema 2020-12 does, or as lists of a length where all of it is alike, which every tool reads."""
    if isinstance(part, list):
        return [_modern(one) for one in part]
    if not isinstance(part, dict):
        return part
    inner = {name: _modern(one) for name, one in part.items()}
    items = inner.pop("items", None) if isinstance(inner.get("items"), list) else inner.get("prefixItems")
    if not isinstance(items, list):
        return inner
    inner.pop("prefixItems", None)
    alike = all(one == items[0] for one in items)
    return inner | ({"items": items[0]} if alike else {"prefixItems": items, "items": False})


def _short(name: str) -> str:
    """Name a type whose name another one has too by its module and itself: responders.review.Kept as ReviewKept."""
    return "".join(word[:1].upper() + word[1:] for word in name.split(".")[-2:])


def _anything(kind: type[Any]) -> dict[str, Any]:
    """Describe what may hold any JSON value, such as the details of a line in a record."""
    if kind is object:
        return {"description": "Any JSON value."}
    raise NotImplementedError


def _types_in(answer: Answer) -> tuple[Any, ...]:
    match answer:
        case Media():
            return ()
        case Mapping():
            return tuple(answer.values())
        case _:
            return (answer,)


def _fields(kind: type[Struct] | None) -> dict[str, Any]:
    """Give the fields of a query with their types; a field without a value is left out, so None is no choice."""
    return {} if kind is None else {one.encode_name: one.type for one in msgspec.structs.fields(kind)}


def _operation(operation: Operation, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.group],
        "summary": operation.summary,
        "parameters": list(_parameters(operation, schemas)),
        "responses": {
            str(operation.status): _answer(operation.answer, schemas),
            **{str(status): _refusal(status, schemas) for status in operation.refusals},
        },
    }
    if operation.body is not None:
        written["requestBody"] = {
            "required": required(operation.body),
            "content": {"application/json": {"schema": schemas[operation.body]}},
        }
    return written


def _parameters(operation: Operation, schemas: Mapping[Any, Any]) -> Iterable[dict[str, Any]]:
    for name in operation.places:
        yield {"name": name, "in": "path", "required": True, "schema": schemas[PLACES[name]]}
    known = (
        {} if operation.query is None else {f.encode_name: f for f in msgspec.structs.fields(operation.query)}
    )
    for name, field in known.items():
        yield {
            "name": name,
            "in": "query",
            "required": field.required,
            "schema": present(schemas[field.type]),
        }
    if operation.once:
        said = "Made by the sender for this command, so that sending it twice does it once."
        yield _header(KEY, said, schemas[UUID], needed=True)
    if operation.is_command:
        said = "The console's own address; a browser states it, a request with a token need not."
        yield _header("Origin", said, {"type": "string"}, needed=False)
    for name, said in (operation.headers or {}).items():
        yield _header(name, said, {"type": "string"}, needed=False)


def _header(name: str, said: str, schema: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": needed, "description": said, "schema": schema}


def present(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave null out of a query's field: a field that is not there is not sent."""
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return choices[0] if len(choices) == 1 else schema


def _answer(answer: Answer, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    match answer:
        case Media():
            kind = "object" if answer.content_type == "application/json" else "string"
            content = {answer.content_type: {"schema": {"type": kind}}}
            return {"description": answer.description, "content": content}
        case Mapping():
            fields = {name: schemas[kind] for name, kind in answer.items()}
            schema: Any = {"type": "object", "properties": fields, "required": list(fields)}
        case _:
            schema = schemas[answer]
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _refusal(status: int, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    kind = ConflictDocument if status == HTTPStatus.CONFLICT else ProblemDocument
    told: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}: `{CODES[status]}`.",
        "content": {"application/problem+json": {"schema": schemas[kind]}},
    }
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        seconds = {"description": "Seconds until it is worth asking again.", "schema": {"type": "integer"}}
        told["headers"] = {"Retry-After": seconds}
    return told
