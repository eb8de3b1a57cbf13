"""The API's document: every route is in it, and says what its handler really takes."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import jsonschema_rs
import pytest
from aiohttp import web
from api_contract import OPERATIONS, NotAsDescribed, check, described, document

from dashboards.openapi import KEY, write_document
from dashboards.operations import PREFIX, Operation
from dashboards.routes import ROUTES
from dashboards.texts import Language, catalogue

HANDLERS = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")


def test_every_address_of_the_api_is_described() -> None:
    """A route under /api/v1 that is no operation would be missing from the document."""
    bare = [
        route.path for route in ROUTES if isinstance(route, web.RouteDef) and route.path.startswith(PREFIX)
    ]
    assert bare == []


def test_a_bare_route_would_be_found() -> None:
    """`web.get` makes what the test above looks for."""
    assert isinstance(web.get(f"{PREFIX}x", OPERATIONS[0].handler), web.RouteDef)


def called(function: FunctionType, name: str, seen: frozenset[str] = frozenset()) -> Iterator[ast.Call]:
    """Find calls of a function by name in a handler and in the helpers of its module that it calls."""
    module = sys.modules[function.__module__]
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id == name:
            yield node
            continue
        helper = getattr(module, node.func.id, None)
        is_ours = isinstance(helper, FunctionType) and helper.__module__ == function.__module__
        if (
            is_ours
            and node.func.id not in seen
            and node.func.id not in ("body_of", "query_of", "request_id_of")
        ):
            yield from called(helper, name, seen | {node.func.id})


def types_read(operation: Operation, reader: str) -> set[Any]:
    """Collect the types with which a handler reads its query or body."""
    handler = operation.handler
    assert isinstance(handler, FunctionType)
    names = {ast.unparse(call.args[0]) for call in called(handler, reader)}
    space = vars(sys.modules[handler.__module__])
    return {eval(name, space) for name in names}  # names of types in our own code


@HANDLERS
def test_the_description_is_what_the_handler_reads(operation: Operation) -> None:
    """Body, query and key are described exactly where the handler reads them, with the same types."""
    assert types_read(operation, "body_of") == ({operation.body} - {None}), "body"
    if operation.query is not None and any(called(operation.handler, "query_of")):  # type: ignore[arg-type]
        assert types_read(operation, "query_of") == {operation.query}
    else:
        assert not types_read(operation, "query_of"), "query"
    assert operation.once == any(called(operation.handler, "request_id_of")), KEY  # type: ignore[arg-type]


@HANDLERS
def test_every_operation_says_what_it_is(operation: Operation) -> None:
    """A sentence for people, a heading in both languages, and a name of its own."""
    assert operation.summary.endswith("."), operation.name
    for language in Language:
        assert f"api.{operation.group}" in catalogue()[language]
    assert [one.name for one in OPERATIONS].count(operation.name) == 1


@HANDLERS
def test_every_body_refuses_unknown_fields(operation: Operation) -> None:
    """A field that was misspelt must not be dropped in silence."""
    for kind in (operation.body,):
        assert kind is None or kind.__struct_config__.forbid_unknown_fields


def test_the_document_is_openapi() -> None:
    """It fits the meta-schema of each schema in it, and each reference leads somewhere."""
    written = write_document(OPERATIONS)
    for schema in written["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)
    text = str(written)
    for name in text.split("#/components/schemas/")[1:]:
        assert name.partition("'")[0] in written["components"]["schemas"]
    assert all("." not in name for name in written["components"]["schemas"]), "two types of one name"


def test_an_answer_that_does_not_fit_is_found() -> None:
    """A missing field, one too many, another type and another status are each told."""
    path = f"{PREFIX}registry/areas"
    assert described(path) == path
    check("GET", path, 200, "application/json", b'{"areas": [["99", "x"]]}')
    for status, body in (
        (200, b"{}"),
        (200, b'{"areas": [], "more": 1}'),
        (200, b'{"areas": [7]}'),
        (201, b'{"areas": []}'),
    ):
        with pytest.raises(NotAsDescribed):
            check("GET", path, status, "application/json", body)
    with pytest.raises(NotAsDescribed):
        check("GET", path, 200, "text/plain", b"areas")


def test_queries_do_not_ask_for_null() -> None:
    """A query's field that may be missing is optional, not null."""
    parameters = document()["paths"]["/api/v1/incidents"]["get"]["parameters"]
    assert {one["name"]: one["required"] for one in parameters} == {
        "state": False,
        "limit": False,
        "before": False,
    }
    assert "null" not in str(parameters)
