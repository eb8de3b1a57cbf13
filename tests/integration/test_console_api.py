"""The API's document over HTTP, and the page to read it."""

from collections.abc import AsyncIterator

import pytest_asyncio
from api_contract import OPERATIONS
from console_world import Console, running_console


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database."""
    async with running_console(database) as running:
        yield running


async def test_the_document_is_served(console: Console) -> None:
    """It names every operation; nobody reads it without signing in."""
    served = await (await (await console.seat("wangge")).get("/api/v1/openapi.json")).json()
    named = {(method.upper(), path) for path, methods in served["paths"].items() for method in methods}
    assert named == {(one.method, one.path) for one in OPERATIONS}
    assert (await (await console.seat()).get("/api/v1/openapi.json")).status == 401


async def test_the_page_shows_every_operation(console: Console) -> None:
    """Address, sentence and types of each stand on the page, in either language, without a script."""
    for language, heading in (("zh", "接口说明"), ("en", "Interface")):
        answer = await (await console.seat("admin")).page(f"/api?lang={language}")
        text = await answer.text()
        assert answer.status == 200 and heading in text
        assert "<script" not in text
        for one in OPERATIONS:
            assert f"<code>{one.path}</code>" in text
        assert 'id="type-IncidentRow"' in text
