"""`fenghuo source`: a token that is shown once, and works."""

import asyncio
import json
from hashlib import sha256

import pytest
from typer.testing import CliRunner, Result

from domain.errors import InvalidInput
from domain.levels import Feed
from fenghuo.cli import create_cli
from responders.migrate import migrate
from responders.store import Store


async def run(*words: str) -> Result:
    """Run the command line beside the test's loop."""
    return await asyncio.to_thread(CliRunner().invoke, create_cli(), ["source", *words])


async def test_a_source_is_added_and_given_a_new_token(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database holds the digest of the newest token alone; the list shows rights, no tokens."""
    await migrate(database)
    monkeypatch.setenv("FENGHUO_DATABASE_DSN", database)
    words = ("add", "weather-office", "--feeds", "bulletins,readings", "--area", "990101", "--json")
    first, second = [json.loads((await run(*words)).output)["token"] for _ in range(2)]
    assert first != second
    async with Store.open(database, 1) as store:
        (source,) = await store.sources()
    assert source.token_sha256 == sha256(second.encode()).hexdigest()
    assert (source.feeds, source.area) == ((Feed.BULLETINS, Feed.READINGS), "990101")
    listed = await run("list")
    assert "weather-office" in listed.output and second not in listed.output


async def test_wrong_rights_are_told_together() -> None:
    """An unknown feed and an area that is none come in one sentence, before any database is asked."""
    result = await run("add", "x", "--feeds", "rumours", "--area", "9901011")
    assert isinstance(result.exception, InvalidInput)
    assert [fault.field for fault in result.exception.faults] == ["feeds", "area"]
