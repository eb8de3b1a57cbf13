"""Counting what is stored, in SQL."""

from uuid import UUID

from responders.store.console import view
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.views import Account, AlertVersion, Latency


async def _counts(connection: Connection, query: str) -> dict[str, int]:
    return {row["name"]: row["count"] for row in await connection.fetch(sql(query))}


async def _latency(connection: Connection, query: str) -> Latency:
    p50, p99 = await connection.fetchval(sql(query)) or (None, None)
    return Latency(p50=p50, p99=p99)


async def account(connection: Connection) -> Account:
    """Count what is stored."""
    return Account(
        rows=await _counts(connection, "count_rows"),
        readings=await connection.fetchval(sql("count_readings")),
        alerts=tuple(view(AlertVersion, row) for row in await connection.fetch(sql("alert_versions"))),
        incidents_by_state=await _counts(connection, "incidents_by_state"),
        tasks_by_state=await _counts(connection, "tasks_by_state"),
        pages_by_state=await _counts(connection, "pages_by_state"),
        pages_by_channel=await _counts(connection, "pages_by_channel"),
        repeated_pages=await connection.fetchval(sql("repeated_pages")),
        escalations=await connection.fetchval(sql("escalations")),
        alert_latency_ms=await _latency(connection, "alert_latency"),
        page_latency_ms=await _latency(connection, "page_latency"),
    )


async def stored_readings(connection: Connection) -> dict[tuple[str, int], int]:
    """Count readings in effect by series and minute."""
    return {
        (row["series"], row["minute"]): row["count"] for row in await connection.fetch(sql("stored_minutes"))
    }


async def stored_ids(connection: Connection) -> set[UUID]:
    """Collect the ids of inputs in effect or rejected after acceptance."""
    return {UUID(int=row["id"].int) for row in await connection.fetch(sql("stored_ids"))}
