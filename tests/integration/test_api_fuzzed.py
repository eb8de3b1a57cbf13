"""The API answers as its document says whatever it is sent: schemathesis makes requests that fit it, and that do not.

https://schemathesis.readthedocs.io: every status and content type declared, answers that fit their schemas, no fault of ours
(500), wrong types refused, methods that there are not refused, and nothing without a session.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio
import schemathesis
from console_world import FEVER, NOISE, RIVER, WAGES, Console, Seat, case_of, running_console
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from dashboards.openapi import KEY, write_document
from dashboards.operations import Media, Operation
from dashboards.routes import ROUTES
from dashboards.tokens import SHOWERS

pytestmark = pytest.mark.api

EXAMPLES = int(os.environ.get("FENGHUO_API_EXAMPLES", "3"))
"""For each operation, role, and way of making requests: some 2,000 in all, which takes about two minutes."""
ROLES = ("qingxi", "county", "wangge", "admin")
OPERATIONS = [one for one in ROUTES if isinstance(one, Operation) and not isinstance(one.answer, Media)]
"""Not the live stream, which does not end, nor the document itself."""
RULES_BETWEEN_FIELDS = [positive_data_acceptance]
"""A schema cannot say that `until` follows `since`, or that a category is in the county's list: 400 with words is right."""
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Target:
    """A running console, somebody before it, and ids that there are."""

    address: str
    headers: dict[str, str]
    ids: dict[str, str]


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database with some cases."""
    async with running_console(database) as running:
        running.server.app[SHOWERS]._per_login = (
            10**6
        )  # wrong tokens are tried at every operation: each is to be told 401
        running.server.app[SHOWERS]._per_address = 10**6
        await running.raise_alerts(RIVER, FEVER, WAGES, NOISE)
        yield running


async def target_of(seat: Seat) -> Target:
    """Take over the seat's session, so that requests can be sent from a thread."""
    cookie = next(iter(seat.client.session.cookie_jar))
    headers = {"Origin": seat.origin, "Cookie": f"{cookie.key}={cookie.value}"}
    ids = {"incident": str(case_of(RIVER)), "series": "river-1-cod", "area": "990101101"}
    row = await (await seat.get(f"/api/v1/incidents/{ids['incident']}")).json()
    if tasks := row.get("incident", {}).get("tasks"):
        ids["task"] = tasks[0]["id"]
    return Target(seat.origin, headers, ids)


def prover_of(operation: Any, target: Target, mode: GenerationMode) -> Callable[[], None]:
    """Make the function that sends requests to an operation and validates each answer."""

    @SETTINGS
    @given(case=operation.as_strategy(generation_mode=mode))
    def prove(case: Case) -> None:
        if mode is GenerationMode.POSITIVE:
            known = {name: target.ids[name] for name in case.path_parameters or {} if name in target.ids}
            case.path_parameters = {**(case.path_parameters or {}), **known}
        headers = {**target.headers}
        if KEY in (case.headers or {}) and mode is GenerationMode.POSITIVE:
            headers[KEY] = str(uuid4())
        case.call_and_validate(
            base_url=target.address, headers=headers, excluded_checks=RULES_BETWEEN_FIELDS, timeout=30
        )

    return prove


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("login", ROLES)
async def test_the_api_keeps_its_word(console: Console, login: str, mode: GenerationMode) -> None:
    """Every operation, as each role."""
    target = await target_of(await console.seat(login))
    document = msgspec.json.decode(msgspec.json.encode(write_document(OPERATIONS)))
    schema = schemathesis.openapi.from_dict(document)
    faults = []
    for found in schema.get_all_operations():
        operation = found.ok()
        try:
            await asyncio.to_thread(prover_of(operation, target, mode))
        except FailureGroup as group:
            faults += [f"{operation.label}: {one}" for one in group.exceptions]
    assert not faults, "\n\n".join(faults)
    assert len(list(schema.get_all_operations())) == len(OPERATIONS)
