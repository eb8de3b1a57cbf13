"""The record of cases is evidence: whatever somebody does to the tables, `fenghuo audit verify` finds it."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from responder_world import COUNTY, HEWAN, POSTS, QINGXI, World, open_world, viewer
from typer.testing import CliRunner, Result

from domain.errors import FenghuoError, InvalidInput
from fenghuo.cli import create_cli

COUNTY_POST = viewer(POSTS[COUNTY])
LEAST_LINES = 6


@pytest.fixture
async def world(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A county with a few cases on record, and the command line pointed at it."""
    monkeypatch.setenv("FENGHUO_DATABASE_DSN", database)
    async with open_world(database) as world:
        first = await world.raise_alert()
        await world.raise_alert(HEWAN)
        await world.advance(minutes=16)
        await world.store.acknowledge(COUNTY_POST, first, uuid4())
        yield world


async def run(*words: str) -> Result:
    """Run the command line beside the test's loop."""
    return await asyncio.to_thread(CliRunner().invoke, create_cli(), ["audit", *words])


async def tamper(world: World, *statements: str) -> None:
    """Change the tables as an owner of the database can, past the triggers."""
    connection = await asyncpg.connect(world.dsn)
    try:
        for table in ("incident_entry", "seal"):
            await connection.execute(f"alter table {table} disable trigger user")
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_what_was_written_verifies(world: World) -> None:
    """Chains and seals hold, over lines of before a seal and after it, and a seal that was kept is still there."""
    kept = (await run("seal")).output.strip()
    await world.raise_alert(QINGXI, category="flood")
    lines, breaks = await world.store.audit.verify()
    assert lines > LEAST_LINES
    assert breaks == []
    result = await run("verify", "--seal", kept)
    assert result.exit_code == 0, result.output
    assert f"{lines} lines under 1 seals" in result.output


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("update incident_entry set text = text || '。' where number = 2", "not what was written"),
        ("update incident_entry set at = at - interval '1 hour' where number = 2", "not what was written"),
        (
            "update incident_entry set actor = '青溪镇值班室' where kind = 'acknowledged'",
            "not what was written",
        ),
        ("""update incident_entry set detail = '{"a": 1}' where number = 1""", "not what was written"),
        ("delete from incident_entry where number = 2", "line 2 is missing"),
        (
            """delete from incident_entry where (incident, number) in
            (select incident, max(number) from incident_entry group by incident)""",
            "it covered",
        ),
        (
            "delete from incident_entry where incident = (select min(id::text)::uuid from incident)",
            "it covered",
        ),
        ("update seal set digest = sha256('x')", "not those that were sealed"),
    ],
)
async def test_each_way_to_change_the_past_is_found(world: World, statement: str, reason: str) -> None:
    """A changed, moved, taken out or cut off line, and a seal made anew, are told with their place; exit status 1."""
    assert await world.store.audit.seal() is not None
    await tamper(world, statement)
    result = await run("verify", "--json")
    assert result.exit_code == 1
    breaks = json.loads(result.output)["breaks"]
    assert reason in " ".join(one["reason"] for one in breaks)


async def test_a_chain_written_anew_is_found_by_a_seal_that_was_kept(world: World) -> None:
    """Whoever owns the database can reckon everything anew, and does not match what somebody kept elsewhere."""
    kept = (await run("seal")).output.strip()
    await tamper(
        world,
        "delete from seal",
        "create temp table kept as select * from incident_entry",
        "delete from incident_entry",
        "alter table incident_entry enable trigger chain",
        "insert into incident_entry (incident, at, kind, actor, user_id, text, detail)"
        " select incident, at, kind, actor, user_id, replace(text, '确认', '未确认'), detail from kept order by id",
    )
    assert (await run("seal")).output.strip() != kept
    assert (await run("verify")).exit_code == 0
    result = await run("verify", "--seal", kept, "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["breaks"][0]["reason"] == "it is not the seal that was kept"


async def test_lines_written_at_once_do_not_fork(world: World) -> None:
    """Many cases and many lines of one case at the same moment leave whole chains."""
    cases = await asyncio.gather(*(world.raise_alert(place) for place in [QINGXI, HEWAN] * 6))
    await asyncio.gather(
        *(world.store.take_over(COUNTY_POST, case, uuid4()) for case in cases),
        *(world.store.audit.seal() for _ in range(3)),
    )
    await world.advance(hours=3)
    await world.store.audit.seal()
    _, breaks = await world.store.audit.verify()
    assert breaks == []


async def test_nothing_new_needs_no_seal(world: World) -> None:
    """A second seal at once is none, and the command prints the newest that there is."""
    assert await world.store.audit.seal() is not None
    assert await world.store.audit.seal() is None
    assert (await run("seal")).output.startswith("1:")


async def test_seals_that_are_none_are_told_together(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every argument that is no seal is named, before any database is asked."""
    result = await run("verify", "--seal", "7", "--seal", "x:00")
    assert isinstance(result.exception, InvalidInput)
    assert len(result.exception.faults) == 2


async def test_an_empty_record_has_no_seal(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says so."""
    monkeypatch.setenv("FENGHUO_DATABASE_DSN", database)
    async with open_world(database):
        result = await run("seal")
    assert isinstance(result.exception, FenghuoError)
    assert "nothing to seal" in str(result.exception)
