"""An address of the API with its description: what it takes, what it answers, and by which problems it refuses.

Nothing is written twice: the types are those that decode and encode, and the summary is the first line of the handler's
docstring. `dashboards/openapi.py` makes the document of them.
"""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Struct

PREFIX = "/api/v1/"
PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is no JSON object: its content type, and what is in it."""

    content_type: str
    description: str


Answer = Mapping[str, Any] | type[Struct] | Media
"""The fields of the object that comes back with their types, or a type that is the object."""


@dataclass(frozen=True, kw_only=True)
class Operation(web.AbstractRouteDef):
    """One method at one address, described; `once` says that it takes an Idempotency-Key."""

    method: str
    path: str
    handler: Handler
    answer: Answer
    status: int = 200
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    once: bool = False
    headers: Mapping[str, str] | None = None
    """Headers besides the Idempotency-Key that may be sent, with what each says."""
    also: tuple[int, ...] = ()
    """Statuses by which it refuses besides those that follow from what it takes."""

    def register(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:
        """Add the route; GET answers HEAD too."""
        if self.method == "GET":
            return [router.add_get(self.path, self.handler)]
        return [router.add_route(self.method, self.path, self.handler)]

    @property
    def name(self) -> str:
        """Name the operation by its handler: `casework.merge`."""
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"

    @property
    def group(self) -> str:
        """Name the part of the API that it belongs to: the first word of its address."""
        return self.path.removeprefix(PREFIX).partition("/")[0].partition(".")[0]

    @property
    def summary(self) -> str:
        """Say what it does: the first line of the handler's docstring."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[0]

    @property
    def places(self) -> tuple[str, ...]:
        """Name what stands in the address, in order."""
        return tuple(PLACE.findall(self.path))

    @property
    def is_command(self) -> bool:
        """Say whether it changes something, so that it must come from our own pages or with a token."""
        return self.method != "GET"

    @property
    def refusals(self) -> tuple[int, ...]:
        """List by which statuses it may refuse, from what it takes."""
        takes = self.query is not None or self.body is not None or self.once or bool(self.headers)
        found = {401: True, 403: True, 429: True, 503: True}
        found |= {400: takes, 404: bool(self.places) or self.is_command, 409: self.is_command}
        found |= {413: self.body is not None, 415: self.body is not None}
        return tuple(sorted({*self.also, *(status for status, may in found.items() if may)}))


def get(path: str, handler: Handler, answer: Answer, **more: Any) -> Operation:
    """Describe an address that is read; `query` is the type of what may follow the question mark."""
    return Operation(method="GET", path=path, handler=handler, answer=answer, **more)


def post(
    path: str, handler: Handler, body: type[Struct], answer: Answer, *, once: bool = True, **more: Any
) -> Operation:
    """Describe a command; it takes an Idempotency-Key unless `once` says that repeating it does no harm."""
    return Operation(method="POST", path=path, handler=handler, body=body, answer=answer, once=once, **more)


def delete(path: str, handler: Handler, body: type[Struct], answer: Answer, **more: Any) -> Operation:
    """Describe an end; doing it twice is fine."""
    return Operation(method="DELETE", path=path, handler=handler, body=body, answer=answer, **more)


def put(path: str, handler: Handler, body: type[Struct], answer: Answer, **more: Any) -> Operation:
    """Describe a replacement; doing it twice is fine."""
    return Operation(method="PUT", path=path, handler=handler, body=body, answer=answer, **more)


def required(kind: type[Struct]) -> bool:
    """Say whether a body must be sent: one whose every field has a default may be left out."""
    return any(field.required for field in msgspec.structs.fields(kind))
