"""Pages in SQL: claimed under a lease, and what became of them written down."""

from uuid import UUID

from domain.identity import page_id
from domain.levels import Grade, Level
from responders import words
from responders.cases import Cause, Claimed, Message, Outcome, Result
from responders.store.entries import add_entry, flush
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql

MAX_ATTEMPTS = 4
"""With the pauses of `pause_seconds` a dead channel is given up after a quarter of a minute, and the next takes over."""
MOST_PATIENCE_SECONDS = 60.0
"""A channel that asks for more patience than this is asked again all the same: somebody waits for the page."""


def pause_seconds(attempt: int) -> float:
    """Tell how long to wait after a failed attempt: 2, 4, 8 s."""
    return float(min(2**attempt, 30))


class Pages:
    """The store's methods for sending; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def claim_pages(self, channel: str, limit: int, lease_seconds: float) -> list[Claimed]:
        """Take a lease on due pages of a channel; whoever no longer needs one has it withdrawn."""
        return await self._database.run(_claim_pages, channel, limit, lease_seconds)

    async def record_outcome(self, claimed: Claimed, outcome: Outcome, pause: float | None = None) -> None:
        """Write down what a channel said: delivered, tried again after a pause, or on to the next channel.

        An outcome of a lease that somebody else took over meanwhile changes nothing, except that a delivery is counted.
        """
        await self._database.run(_record_outcome, claimed, outcome, pause)

    async def release_page(self, claimed: Claimed) -> None:
        """Hand back a page whose sending did not begin."""
        await self._database.run(_execute, "page_released", claimed.message.page, claimed.attempts)

    async def channels_waiting(self) -> set[str]:
        """Name the channels with pages to send."""
        return await self._database.run(_channels_waiting)

    async def announce_page(self, page: UUID, place: str) -> None:
        """Tell live consoles of a page, once."""
        await self._database.run(_execute, "announce_page", str(page), place)


async def _execute(connection: Connection, query: str, *args: object) -> None:
    await connection.execute(sql(query), *args)


async def _claim_pages(
    connection: Connection, channel: str, limit: int, lease_seconds: float
) -> list[Claimed]:
    rows = await connection.fetch(sql("claim_pages"), channel, limit, lease_seconds)
    return [
        Claimed(
            message=Message(
                page=row["id"],
                incident=row["incident"],
                recipient=row["display"],
                step=row["step"],
                loop=row["loop"],
                reason=row["reason"],
                title=row["title"],
                zh=row["zh"],
                en=row["en"],
                level=Level(row["level"]),
                grade=Grade(row["grade"]),
                place=row["place"],
                drill=row["drill"],
                created_at=row["created_at"],
                contact=row["contact"] or "",
            ),
            attempts=row["attempts"],
            received_at=row["received_at"],
            lapsed=row["lapsed"],
        )
        for row in rows
        if row["state"] == "sending"
    ]


async def _record_outcome(
    connection: Connection, claimed: Claimed, outcome: Outcome, pause: float | None
) -> None:
    page = claimed.message.page
    match outcome.result:
        case Result.DELIVERED:
            await _delivered(connection, page, outcome)
        case Result.RETRY if claimed.attempts < MAX_ATTEMPTS:
            wait = pause_seconds(claimed.attempts) if pause is None else pause
            least = min(outcome.retry_after_seconds or 0.0, MOST_PATIENCE_SECONDS)
            await connection.execute(
                sql("page_retried"), page, claimed.attempts, outcome.cause.value, wait, least
            )
        case Result.RETRY:
            await _fall_over(connection, claimed, Cause.ATTEMPTS_SPENT)
        case Result.REFUSED:
            await _fall_over(connection, claimed, outcome.cause)


async def _delivered(connection: Connection, page: UUID, outcome: Outcome) -> None:
    row = await connection.fetchrow(sql("page_delivered"), page, outcome.cause.value)
    if row is None:
        return
    await connection.execute(sql("add_delivery"), page)
    await add_entry(
        connection,
        row["incident"],
        "delivered",
        f"已通过{words.channel_name(row['channel'])}通知{row['display']}",
        detail={"channel": row["channel"], "page": page, "step": row["step"]},
    )
    await flush(connection, [("incident", str(row["incident"]), row["place"])])


async def _fall_over(connection: Connection, claimed: Claimed, cause: Cause) -> None:
    """Give a page up and order the recipient's next channel."""
    row = await connection.fetchrow(sql("page_failed"), claimed.message.page, claimed.attempts, cause.value)
    if row is not None:
        await pass_on(connection, row, cause)


async def pass_on(connection: Connection, row: Record, cause: Cause) -> None:
    """Order the recipient's next channel for a page that was given up, tell the record, and end the transaction's work."""
    fallbacks = list(row["fallbacks"])
    if fallbacks:
        await connection.execute(
            sql("add_page"),
            page_id(row["incident"], row["step"], row["loop"], str(row["recipient"]), fallbacks[0]),
            row["incident"],
            row["task"],
            row["step"],
            row["loop"],
            row["recipient"],
            fallbacks[0],
            fallbacks[1:],
            row["reason"],
            row["received_at"],
        )
    following = f"改用{words.channel_name(fallbacks[0])}" if fallbacks else "没有其他渠道"
    await add_entry(
        connection,
        row["incident"],
        "page_failed",
        f"{words.channel_name(row['channel'])}未能通知{row['display']}，{following}",
        detail={"channel": row["channel"], "cause": cause.value, "next": fallbacks[0] if fallbacks else None},
    )
    await flush(connection, [("incident", str(row["incident"]), row["place"])])


async def _channels_waiting(connection: Connection) -> set[str]:
    return {row["channel"] for row in await connection.fetch(sql("pages_waiting"))}
