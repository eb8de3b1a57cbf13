"""What comes back from persons and channels, in SQL: pages answered by link or SMS, and receipts of messages."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.errors import Conflict, NotAllowed, NotFound
from domain.identity import derived_id
from domain.incidents import IncidentState
from domain.levels import Grade, Level
from responders import words
from responders.cases import GIVES_WORK, Cause
from responders.replies import LINK_LIFE, MAY_ANSWER, Seen, Standing, Via, attempt, ends_at, judge
from responders.store import commands
from responders.store.console import find_actor
from responders.store.drills import refuse_silent
from responders.store.entries import add_entry, flush
from responders.store.pages import pass_on
from responders.store.pool import Connection, Database, Record
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.views import Role, Viewer

BEIJING = ZoneInfo("Asia/Shanghai")
ASKING = sorted(GIVES_WORK)


class Replies:
    """The store's methods for answers and receipts; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def see(self, page: UUID, until: datetime | None = None) -> tuple[Seen, Standing]:
        """Show a page as its link does, and what may be done; NotFound when there is none, or it is about a task.

        `until` is the end that the link names.
        """
        return await self._database.read(_see, page, until)

    async def answer(self, page: UUID, via: Via, until: datetime | None = None) -> tuple[Seen, Standing]:
        """Acknowledge the case as the page's recipient, once: the same command as the console's, `via` on record.

        A unit that was given a task, such as a party of a joint case, has seen it: that is put on record, its own pages
        about it end, and the case goes on asking those who answer for it.

        DONE or SEEN, or why not; nothing was changed then.
        """
        try:
            return await self._database.run(_answer, page, via, until)
        except Conflict:  # somebody was first while we looked
            return await self._database.read(_see, page, until)
        except NotAllowed:
            seen, _ = await self._database.read(_see, page, until)
            return seen, Standing.NOT_ALLOWED

    async def see_letter(self, page: UUID, until: datetime | None = None) -> list[tuple[Seen, Standing]]:
        """Show a page and all that was told with it, as the link of the letter does; NotFound as of `see`.

        The page that the link names comes first, and its end is that of all.
        """
        return await self._database.read(_see_letter, page, until)

    async def answer_letter(
        self, page: UUID, via: Via, until: datetime | None = None
    ) -> list[tuple[Seen, Standing]]:
        """Answer a page and all that was told with it, each as by itself, and tell what became of each.

        Each is a transaction of its own: what one of them meets keeps no other from its answer, and after a crash in the
        middle the same answer does the rest.
        """
        told = await self.see_letter(page, until)
        ends = until or ends_at(told[0][0].created_at)
        return [await self.answer(seen.page, via, ends) for seen, _ in told]

    async def pages_to(self, channel: str, digest: bytes) -> list[UUID]:
        """List pages that went over a channel to the number of that digest and may still be answered, newest first."""
        return await self._database.read(_pages_to, channel, digest)

    async def begin_attempt(self, channel: str, digest: bytes) -> bool:
        """Count a reply of a number before its code is looked at; False where the number has sent too many, and counts none.

        Counted in the database: whichever process the gateway calls, it is the same count.
        """
        return await self._database.run(_begin_attempt, channel, digest)

    async def forgive(self, channel: str, digest: bytes) -> None:
        """Forget the replies of a number that has sent a right code."""
        await self._database.run(_forgive, channel, digest)

    async def receive(self, page: UUID, channel: str, *, reached: bool) -> bool:
        """Note what the channel's own side says of a page or a letter: what reached nobody falls over to the next channel.

        False when it said so before; NotFound when no such page went over the channel.
        """
        return await self._database.run(_receive, page, channel, reached)


async def _row(connection: Connection, page: UUID) -> Record:
    row = await connection.fetchrow(sql("see_page"), page, ASKING)
    if row is None:
        raise NotFound("没有这条通知。 There is no such page.")
    return row


def _seen(row: Record) -> Seen:
    values: dict[str, Any] = {name: row[name] for name in Seen.__slots__}
    return Seen(
        **{
            **values,
            "level": Level(row["level"]),
            "grade": Grade(row["grade"]),
            "state": IncidentState(row["state"]),
        }
    )


async def _see(connection: Connection, page: UUID, until: datetime | None) -> tuple[Seen, Standing]:
    seen = _seen(await _row(connection, page))
    return seen, judge(seen, await county_now(connection), until)


async def _see_letter(
    connection: Connection, page: UUID, until: datetime | None
) -> list[tuple[Seen, Standing]]:
    first = _seen(await _row(connection, page))
    pages = [row["id"] for row in await connection.fetch(sql("pages_told_with"), page, ASKING)]
    others = [_seen(await _row(connection, other)) for other in pages if other != page]
    now, ends = await county_now(connection), until or ends_at(first.created_at)
    return [(seen, judge(seen, now, ends)) for seen in (first, *others)]


async def _answer(
    connection: Connection, page: UUID, via: Via, until: datetime | None
) -> tuple[Seen, Standing]:
    row = await _row(connection, page)
    seen = _seen(row)
    if (standing := judge(seen, await county_now(connection), until)) not in MAY_ANSWER:
        return seen, standing
    if await connection.fetchval(sql("add_answer"), page, via.value) is None:
        return seen, Standing.USED
    viewer = Viewer(
        user=row["user_id"],
        login=row["login"],
        display=row["recipient"],
        role=Role(row["role"]),
        area=row["area"],
    )
    if standing is Standing.TO_SEE:
        await _note_seen(connection, viewer, row, via)
        return seen, Standing.SEEN
    await _write(connection, row, via, "answered", "答复通知")
    await commands.acknowledge(connection, viewer, seen.incident, derived_id("answer", page), via=via.value)
    return seen, Standing.DONE


async def _note_seen(connection: Connection, viewer: Viewer, row: Record, via: Via) -> None:
    """Put on record that a unit has seen its task; NotAllowed where its area has no part in the case any more."""
    actor = await find_actor(connection, viewer)
    case = await connection.fetchrow(sql("lock_case"), row["incident"], actor.area)
    if case is None:
        raise NotAllowed
    if case["drill"]:
        await refuse_silent(connection, case["id"], actor.area)
    await connection.execute(sql("withdraw_seen"), case["id"], row["task"], actor.id, ASKING)
    await _write(connection, row, via, "seen", "确认收悉")
    await connection.execute(sql("touch_incident"), case["id"])
    await flush(connection, [("incident", str(case["id"]), case["place"])])


async def _write(connection: Connection, row: Record, via: Via, kind: str, done: str) -> None:
    await add_entry(
        connection,
        row["incident"],
        kind,
        f"{row['recipient']}通过{words.VIA[via]}{done}（{words.channel_name(row['channel'])}）",
        actor=row["recipient"],
        user=row["user_id"],
        detail={"via": via.value, "channel": row["channel"], "page": row["page"]},
    )


async def _pages_to(connection: Connection, channel: str, digest: bytes) -> list[UUID]:
    since = await county_now(connection) - LINK_LIFE
    return [
        row["id"] for row in await connection.fetch(sql("pages_to_number"), channel, digest, since, ASKING)
    ]


async def _begin_attempt(connection: Connection, channel: str, digest: bytes) -> bool:
    await connection.execute(sql("add_attempts"), channel, digest)
    row = await connection.fetchrow(sql("lock_attempts"), channel, digest)
    if row is None:
        return True  # forgiven this moment
    may, times = attempt(row["wall_times"], row["wall_now"])
    await connection.execute(sql("put_attempts"), channel, digest, list(times))
    return may


async def _forgive(connection: Connection, channel: str, digest: bytes) -> None:
    await connection.execute(sql("forget_attempts"), channel, digest)


async def _receive(connection: Connection, page: UUID, channel: str, reached: bool) -> bool:
    rows = await connection.fetch(sql("pages_sent_over"), page, channel)
    if not rows:
        raise NotFound("没有经此渠道发出的这条通知。 No such page went over this channel.")
    news = [row for row in rows if await connection.fetchval(sql("add_receipt"), row["id"], reached)]
    if not reached:
        for row in news:  # their cases are held already: nothing waits once live pages are being told
            given_up = await connection.fetchrow(sql("page_undelivered"), row["id"], Cause.NOT_RECEIVED.value)
            if given_up is not None:
                await pass_on(connection, given_up, Cause.NOT_RECEIVED)
        return bool(news)
    for row in news:
        await add_entry(
            connection,
            row["incident"],
            "received",
            f"{words.channel_name(channel)}回执：已送达{row['display']}",
            detail={"channel": channel, "page": row["id"], "step": row["step"]},
        )
    await flush(connection, [("incident", str(row["incident"]), row["place"]) for row in news])
    return bool(news)


def local_time(at: datetime) -> str:
    """Write a time as people in the county read it."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
