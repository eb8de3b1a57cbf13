"""The API's document, served as it is and as a page to read: /api/v1/openapi.json and /api."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from aiohttp import web

from dashboards.api_reading import groups_of, kinds_of
from dashboards.keys import VIEWER
from dashboards.openapi import write_document
from dashboards.operations import Operation
from dashboards.render import page


@dataclass
class Described:
    """The routes of this release; the document is made when somebody asks for it first."""

    routes: Iterable[object]

    @cached_property
    def document(self) -> dict[str, Any]:
        """The document."""
        return write_document(one for one in self.routes if isinstance(one, Operation))

    @cached_property
    def encoded(self) -> bytes:
        """The document in JSON."""
        return msgspec.json.encode(self.document)


DESCRIBED = web.AppKey("described", Described)


async def show_document(request: web.Request) -> web.Response:
    """Give this document."""
    return web.Response(body=request.app[DESCRIBED].encoded, content_type="application/json")


async def show_page(request: web.Request) -> web.Response:
    """Show the document as a page: every address by its part of the API, then the types."""
    document = request.app[DESCRIBED].document
    return page(
        request,
        "api.html",
        viewer=request[VIEWER],
        script="api",  # its place in the navigation; the page itself has no script
        groups=groups_of(document),
        kinds=kinds_of(document),
        known=set(document["components"]["schemas"]),
        version=document["info"]["version"],
    )
