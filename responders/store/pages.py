"""Pages in SQL: what became of them, written down for many at once; claiming is in `claims.py`."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from config.pacing import Pacing
from domain.identity import page_id
from responders import words
from responders.cases import Cause, Claimed, Outcome, Result
from responders.store.claims import claim_pages
from responders.store.entries import Line, Notes, add_lines, flush
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql

MAX_ATTEMPTS = 4
"""With the pauses of `pause_seconds` a dead channel is given up after a quarter of a minute, and the next takes over."""
MOST_PATIENCE_SECONDS = 60.0
"""A channel that asks for more patience than this is asked again all the same: somebody waits for the page."""

Ended = tuple[Claimed, Outcome]
"""A message, and what its channel said."""


def pause_seconds(attempt: int) -> float:
    """Tell how long to wait after a failed attempt: 2, 4, 8 s."""
    return float(min(2**attempt, 30))


class Pages:
    """The store's methods for sending; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database
        self._to_announce: list[tuple[UUID, str]] = []
        self._announcing: asyncio.Future[None] | None = None

    async def claim_pages(
        self,
        channel: str,
        limit: int,
        lease_seconds: float,
        pacing: Sequence[Pacing] | None = None,
        *,
        urgent: bool = False,
    ) -> list[Claimed]:
        """Take a lease on due pages of a channel, gravest first; what nobody needs any more is withdrawn.

        With `pacing` pages of grades III and IV wait, or go several in one message, as `responders.pacing` decides; without
        it each goes by itself. `urgent` claims those of grades I and II only.
        """
        return await self._database.run(claim_pages, channel, limit, lease_seconds, pacing, urgent)

    async def record_outcome(self, claimed: Claimed, outcome: Outcome, pause: float | None = None) -> None:
        """Write down what a channel said of one message."""
        await self.record_outcomes([(claimed, outcome)], pause)

    async def record_outcomes(self, ended: Sequence[Ended], pause: float | None = None) -> list[float]:
        """Write down what a channel said: delivered, tried again after a pause, or on to the next channel.

        All pages of a message share its fate. An outcome of a lease that somebody else took over meanwhile changes nothing,
        except that a delivery is counted. Answers how many wall seconds the first pages of new cases took from the gateway's
        receipt; drills are no measure, nor is anything on a clock that stands still.
        """
        return await self._database.run(_record_outcomes, ended, pause)

    async def release_page(self, claimed: Claimed) -> None:
        """Hand back a page whose sending did not begin."""
        await self._database.run(_execute, "page_released", claimed.message.page, claimed.attempts)

    async def channels_waiting(self) -> set[str]:
        """Name the channels with pages to send."""
        return await self._database.run(_channels_waiting)

    async def announce_page(self, page: UUID, place: str) -> None:
        """Tell live consoles of a page, once; those that are announced at the same moment share a transaction."""
        self._to_announce.append((page, place))
        if self._announcing is None:
            self._announcing = asyncio.ensure_future(self._announce_all())
        await asyncio.shield(self._announcing)

    async def _announce_all(self) -> None:
        await asyncio.sleep(0)  # what runs in this round of the loop comes along
        pages, self._to_announce, self._announcing = self._to_announce, [], None
        await self._database.run(_announce_pages, pages)


async def _execute(connection: Connection, query: str, *args: object) -> None:
    await connection.execute(sql(query), *args)


async def _announce_pages(connection: Connection, pages: Sequence[tuple[UUID, str]]) -> None:
    rows = await connection.fetch(sql("not_announced"), [str(page) for page, _ in pages])
    new = {row["ref"] for row in rows}
    await flush(connection, [("page", str(page), place) for page, place in pages if str(page) in new])


def _is_retried(claimed: Claimed, outcome: Outcome) -> bool:
    return outcome.result is Result.RETRY and claimed.attempts < MAX_ATTEMPTS


async def _record_outcomes(
    connection: Connection, ended: Sequence[Ended], pause: float | None
) -> list[float]:
    lines: list[Line] = []
    notes: Notes = []
    letters: set[UUID] = set()
    ended = sorted(ended, key=lambda one: one[0].message.page)
    delivered = [one for one in ended if one[1].result is Result.DELIVERED]
    retried = [one for one in ended if _is_retried(*one)]
    given_up = [one for one in ended if one[1].result is not Result.DELIVERED and not _is_retried(*one)]
    waits = await _delivered(connection, delivered, letters, lines, notes) if delivered else []
    if retried:
        await _retried(connection, retried, pause)
    if given_up:
        await _given_up(connection, given_up, letters, lines, notes)
    if letters:
        await connection.execute(sql("end_letters_sent"), sorted(letters))
    await add_lines(connection, lines)
    await flush(connection, notes)
    return waits


async def _delivered(
    connection: Connection, ended: list[Ended], letters: set[UUID], lines: list[Line], notes: Notes
) -> list[float]:
    """Record deliveries; which letters they were, and how long first pages took."""
    columns = [
        (page, outcome.cause.value, claimed) for claimed, outcome in ended for page, _ in claimed.pages
    ]
    sent_in = {page: claimed for page, _, claimed in columns}
    rows = await connection.fetch(
        sql("pages_delivered"), [page for page, _, _ in columns], [cause for _, cause, _ in columns]
    )
    for row in rows:
        count = len(sent_in[row["id"]].pages)
        together = f"（与其他{count - 1}件合并为一条）" if count > 1 else ""
        detail = {"channel": row["channel"], "page": row["id"], "step": row["step"]}
        lines.append(
            Line(
                row["incident"],
                "delivered",
                f"已通过{words.channel_name(row['channel'])}通知{row['display']}{together}",
                detail | ({"letter": sent_in[row["id"]].message.key, "pages": count} if count > 1 else {}),
            )
        )
        notes.append(("incident", str(row["incident"]), row["place"]))
    letters |= {row["letter"] for row in rows if row["letter"] is not None}
    return [row["waited"] for row in rows if row["waited"] is not None]


async def _retried(connection: Connection, ended: list[Ended], pause: float | None) -> None:
    rows = [
        (
            page,
            attempts,
            outcome.cause.value,
            pause_seconds(attempts) if pause is None else pause,
            min(outcome.retry_after_seconds or 0.0, MOST_PATIENCE_SECONDS),
        )
        for claimed, outcome in ended
        for page, attempts in claimed.pages
    ]
    pages, attempts, causes, pauses, least = (list(column) for column in zip(*rows, strict=True))
    letters = {
        row["letter"]: row["wall_retry_at"]
        for row in await connection.fetch(sql("pages_retried"), pages, attempts, causes, pauses, least)
        if row["letter"] is not None
    }
    if letters:
        await connection.execute(sql("retry_letters"), list(letters), list(letters.values()))


async def _given_up(
    connection: Connection, ended: list[Ended], letters: set[UUID], lines: list[Line], notes: Notes
) -> None:
    """Give pages up and order the recipients' next channels."""
    rows = [
        (
            page,
            attempts,
            Cause.ATTEMPTS_SPENT.value if outcome.result is Result.RETRY else outcome.cause.value,
        )
        for claimed, outcome in ended
        for page, attempts in claimed.pages
    ]
    pages, attempts, causes = (list(column) for column in zip(*rows, strict=True))
    for row in await connection.fetch(sql("pages_failed"), pages, attempts, causes):
        lines.append(await _fall_over(connection, row, Cause(row["outcome"])))
        notes.append(("incident", str(row["incident"]), row["place"]))
        if row["letter"] is not None:
            letters.add(row["letter"])


async def _fall_over(connection: Connection, row: Record, cause: Cause) -> Line:
    """Order the recipient's next channel for a page that was given up; the line for the record."""
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
    return Line(
        row["incident"],
        "page_failed",
        f"{words.channel_name(row['channel'])}未能通知{row['display']}，{following}",
        {"channel": row["channel"], "cause": cause.value, "next": fallbacks[0] if fallbacks else None},
    )


async def pass_on(connection: Connection, row: Record, cause: Cause) -> None:
    """Order the recipient's next channel for a page that was given up, tell the record, and end the transaction's work."""
    await add_lines(connection, [await _fall_over(connection, row, cause)])
    await flush(connection, [("incident", str(row["incident"]), row["place"])])


async def _channels_waiting(connection: Connection) -> set[str]:
    return {row["channel"] for row in await connection.fetch(sql("pages_waiting"))}
