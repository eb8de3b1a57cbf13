"""Small rules of the responder: answers of a webhook, silence, loops, queries."""

import asyncio
from datetime import UTC, datetime

import pytest

from domain.errors import DatabaseUnavailable
from responders.cases import Cause, Result
from responders.channels.webhook import judge, parse_retry_after
from responders.deadman import silent_components
from responders.loops import Bell, Health, keep_running
from responders.store.queries import load_queries


@pytest.mark.parametrize(
    ("status", "body", "result", "cause"),
    [
        (200, b'{"ok": true}', Result.DELIVERED, Cause.ACCEPTED),
        (202, b'{"ok": true, "id": 7}', Result.DELIVERED, Cause.ACCEPTED),
        (200, b"", Result.RETRY, Cause.BAD_ANSWER),
        (200, b"<html>sign in</html>", Result.RETRY, Cause.BAD_ANSWER),
        (200, b'{"ok": "yes"}', Result.RETRY, Cause.BAD_ANSWER),
        (200, b"\xff\xfe", Result.RETRY, Cause.BAD_ANSWER),
        (200, b'{"ok": false}', Result.REFUSED, Cause.REJECTED),
        (200, b'{"ok": false, "retry": true}', Result.RETRY, Cause.REJECTED),
        (302, b'{"ok": true}', Result.REFUSED, Cause.REDIRECTED),
        (400, b"", Result.REFUSED, Cause.REJECTED),
        (404, b"", Result.REFUSED, Cause.REJECTED),
        (408, b"", Result.RETRY, Cause.RATE_LIMITED),
        (429, b"", Result.RETRY, Cause.RATE_LIMITED),
        (500, b'{"ok": true}', Result.RETRY, Cause.SERVER_ERROR),
        (503, b"", Result.RETRY, Cause.SERVER_ERROR),
    ],
)
def test_only_the_body_of_a_webhook_tells_of_success(
    status: int, body: bytes, result: Result, cause: Cause
) -> None:
    """The contract of the webhook as a table."""
    outcome = judge(status, None, body)
    assert (outcome.result, outcome.cause) == (result, cause)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("Fri, 01 May 2026 08:00:30 GMT", 30.0),
        ("Fri, 01 May 2026 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("999999999999", 86_400.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """Both forms of the header are read, nonsense is passed over."""
    assert parse_retry_after(header, datetime(2026, 5, 1, 8, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("ages", "watching", "silent"),
    [
        ({}, 5, set()),
        ({}, 31, {"gateway", "stream"}),
        ({"gateway": 1.0, "stream": 1.0}, 100, set()),
        ({"gateway": 31.0, "stream": 1.0}, 100, {"gateway"}),
        ({"gateway": 9999.0, "stream": 9999.0}, 5, set()),
        ({"stream": 1.0, "respond": 9999.0}, 100, {"gateway"}),
    ],
)
def test_silence_counts_from_when_somebody_watches(
    ages: dict[str, float], watching: float, silent: set[str]
) -> None:
    """A component is silent after its last sign and after our own start."""
    assert silent_components(ages, watching, 30) == silent


async def test_a_loop_goes_on_after_an_error_and_tells_its_health(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error ends a round, never the loop; health shows the loss until a round succeeds."""
    monkeypatch.setattr("responders.loops.FIRST_PAUSE_SECONDS", 0.0)
    health, stopping = Health(), asyncio.Event()
    seen: list[dict[str, str]] = []

    async def body() -> None:
        seen.append(health.lost)
        if len(seen) == 1:
            raise DatabaseUnavailable
        if len(seen) == 2:
            raise ValueError
        health.beat("work")
        stopping.set()

    await keep_running("work", body, health, stopping)
    assert seen == [{"work": "starting"}, {"work": "DatabaseUnavailable"}, {"work": "ValueError"}]
    assert health.lost == {}
    assert health.works("work", within_seconds=60)


async def test_a_ring_while_nobody_waits_is_heard_later() -> None:
    """Work announced while a loop is busy wakes it at its next wait."""
    bell = Bell()
    await bell.wait("loop", 0)
    bell.ring()
    async with asyncio.timeout(1):
        await bell.wait("loop", 60)


def test_every_query_has_a_name_and_a_description() -> None:
    """All queries are found, none twice, each ends its statement."""
    queries = load_queries()
    assert len(queries) > 80
    assert all(statement and not statement.endswith(";") for statement in queries.values())
