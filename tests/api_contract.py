"""What the API's document promises, held against real answers: no status, type or field that it does not name."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import msgspec

from dashboards.openapi import write_document
from dashboards.operations import PREFIX, Operation
from dashboards.routes import ROUTES

OPERATIONS = [one for one in ROUTES if isinstance(one, Operation)]


class NotAsDescribed(AssertionError):
    """An answer is not what the document says."""


@cache
def document() -> dict[str, Any]:
    """Write the document once, closed: an object may have no field that is not described."""
    return closed(msgspec.json.decode(msgspec.json.encode(write_document(OPERATIONS))))


def closed(part: Any) -> Any:
    """Forbid fields that are not named, in every object of a schema that names any."""
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    inner = {name: closed(one) for name, one in part.items()}
    if inner.get("type") == "object" and "properties" in inner:
        inner.setdefault("additionalProperties", False)
    return inner


@cache
def patterns() -> list[tuple[re.Pattern[str], str]]:
    """Make of each described address the pattern of those that it stands for; those without braces first."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), path) for path in paths]


@cache
def validator(path: str, method: str, status: int) -> jsonschema_rs.Draft202012Validator:
    """Make what validates an answer; NotAsDescribed when the document does not know of such an answer."""
    responses = document()["paths"].get(path, {}).get(method.lower(), {}).get("responses", {})
    if str(status) not in responses:
        raise NotAsDescribed(f"{method} {path} answered {status}, which is not described")
    ((_, media),) = responses[str(status)]["content"].items()
    schema = media["schema"] | {"components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(schema)


def described(path: str) -> str | None:
    """Find the described address that an address is one of."""
    return next((known for pattern, known in patterns() if pattern.fullmatch(path)), None)


def faults_of(method: str, path: str, status: int, content_type: str, body: bytes) -> Iterator[str]:
    """Tell in what an answer of the API is not as described; addresses that are none, and methods, are not judged."""
    known = described(path)
    if known is None or status in (304, 404, 405) or method.lower() not in document()["paths"][known]:
        return
    validates = validator(known, method, status)
    expected = next(iter(document()["paths"][known][method.lower()]["responses"][str(status)]["content"]))
    if content_type != expected:
        yield f"{method} {known}: {content_type} instead of {expected}"
        return
    for error in validates.iter_errors(msgspec.json.decode(body)):
        yield f"{method} {known} {status}: {'.'.join(map(str, error.instance_path))}: {error.message[:300]}"


def check(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """Compare an answer with its description; NotAsDescribed names every difference."""
    if not path.startswith(PREFIX) or content_type == "text/event-stream":
        return
    if found := list(faults_of(method, path, status, content_type, body)):
        raise NotAsDescribed("\n".join(found))
