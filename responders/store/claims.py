"""Claiming pages in SQL: what may go out now is leased, what may not waits, what nobody needs any more is withdrawn."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from config.pacing import Pacing, Quiet, pacing_of
from domain.levels import Grade, Level
from responders import pacing, words
from responders.cases import Also, Cause, Claimed, Message
from responders.pacing import Hold, Letter, Waiting
from responders.store.entries import Line, add_lines
from responders.store.pool import Connection, Record
from responders.store.queries import sql
from responders.store.registry import county_now

MOST_RELEASED = 50
"""People whose waiting pages one claim looks at."""
ALARMS = sorted(pacing.ALARMS)


@dataclass
class Claim:
    """What one claim decided, until it is written."""

    leased: list[tuple[Letter, bool]] = field(default_factory=list)
    """Letters to be sent; the mark says whether their number is bounded (grades III and IV, outside channels)."""
    held: list[pacing.Held] = field(default_factory=list)
    withdrawn: list[tuple[UUID, str]] = field(default_factory=list)
    again: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    """Letters that are sent again, with what is left of them."""
    rows: dict[UUID, Record] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)


async def claim_pages(
    connection: Connection,
    channel: str,
    limit: int,
    lease_seconds: float,
    rules: Sequence[Pacing] | None,
    urgent: bool,
) -> list[Claimed]:
    """Claim in one transaction; without rules every page goes by itself. Gravest first."""
    rows, letters = await _ready(connection, channel, limit, urgent)
    if not rows and not letters:
        return []
    now = await county_now(connection)
    claim = Claim()
    ready = [row for row in rows if not _withdraw(claim, row, rules, now)]
    bounded = [] if rules is None else [row for row in ready if row["grade"] > Grade.II and not row["lapsed"]]
    paced = {row["id"] for row in bounded}
    claim.leased += [(Letter((row["id"],)), False) for row in ready if row["id"] not in paced]
    if rules is not None and bounded:
        await _pace(connection, claim, channel, bounded, rules, now)
    for letter, members in letters.items():
        left = tuple(row["id"] for row in members if not _withdraw(claim, row, rules, now))
        claim.again[letter] = left
    await _write(connection, claim, channel, lease_seconds)
    return _claimed(claim)


async def _ready(
    connection: Connection, channel: str, limit: int, urgent: bool
) -> tuple[list[Record], dict[UUID, list[Record]]]:
    """Take hold of pages that could go out, and of letters that must be sent again with what is left of them."""
    held = await connection.fetch(sql("ready_pages"), channel, limit, urgent, MOST_RELEASED)
    pages = [(row["id"], row["lapsed"]) for row in held if not row["is_letter"]]
    rows: list[Record] = []
    if pages:
        ids, lapsed = (list(column) for column in zip(*pages, strict=True))
        rows = await connection.fetch(sql("pages_to_send"), ids, lapsed, ALARMS)
    return rows, await _letters_again(connection, [row["id"] for row in held if row["is_letter"]])


async def _letters_again(connection: Connection, due: list[UUID]) -> dict[UUID, list[Record]]:
    letters: dict[UUID, list[Record]] = {letter: [] for letter in due}
    if due:
        for row in await connection.fetch(sql("pages_of_letters"), due):
            letters[row["letter"]].append(row)
    return letters


def _withdraw(claim: Claim, row: Record, rules: Sequence[Pacing] | None, now: datetime) -> bool:
    """Withdraw a page that nobody needs any more; says whether it was."""
    claim.rows[row["id"]] = row
    climbed = row["climbed_at"]
    if climbed is not None:
        patience = timedelta(minutes=pacing_of(rules, row["place"]).stale_minutes) if rules else timedelta.max
        climbed = now - climbed >= patience
    why = pacing.withdraw(
        row["reason"],
        Grade(row["grade"]),
        ended=row["ended"],
        acknowledged=row["acknowledged"] and row["task"] is None,
        superseded=row["superseded"],
        climbed=bool(climbed),
    )
    if why is None:
        return False
    claim.withdrawn.append((row["id"], Cause.OUTCOME_UNKNOWN if row["lapsed"] else why))
    claim.lines.append(
        Line(
            row["incident"],
            "page_withdrawn",
            f"不再通知{row['display']}：{words.WITHDRAWAL[why]}",
            {"page": row["id"], "reason": why, "step": row["step"]},
        )
    )
    return True


async def _pace(
    connection: Connection,
    claim: Claim,
    channel: str,
    rows: list[Record],
    rules: Sequence[Pacing],
    now: datetime,
) -> None:
    """Decide person by person; people whom another worker decides about now are left to it."""
    by_person: dict[UUID, list[Record]] = defaultdict(list)
    for row in rows:
        by_person[row["recipient"]].append(row)
    own = [
        row["recipient"] for row in await connection.fetch(sql("lock_recipients"), channel, list(by_person))
    ]
    longest = max(max(one.rate(channel).minutes, one.digest_minutes) for one in rules)
    recent: dict[UUID, list[datetime]] = defaultdict(list)
    for row in await connection.fetch(sql("recent_letters"), channel, own, longest):
        recent[row["recipient"]].append(row["at"])
    storms = {row["county"] for row in await connection.fetch(sql("storms"))}
    quiet = {
        row["user_id"]: Quiet(starts=row["starts"], ends=row["ends"])
        for row in await connection.fetch(sql("quiet_hours_of"), own)
    }
    for person in own:
        waiting = [_waiting(row, rules, quiet.get(person)) for row in by_person[person]]
        area = by_person[person][0]["area"]
        decided = pacing.plan(waiting, recent[person], storms, pacing_of(rules, area), channel, now)
        claim.leased += [(letter, True) for letter in decided.letters]
        claim.held += decided.held


def _waiting(row: Record, rules: Sequence[Pacing], own: Quiet | None) -> Waiting:
    spans = [span for span in pacing_of(rules, row["place"]).quiet if span.policy == row["policy"]]
    return Waiting(
        page=row["id"],
        grade=Grade(row["grade"]),
        place=row["place"],
        ordered_at=row["created_at"],
        held=None if row["hold"] is None else Hold(row["hold"]),
        held_until=row["hold_until"],
        quiet=(*spans, *([own] if own else [])),
    )


async def _write(connection: Connection, claim: Claim, channel: str, lease_seconds: float) -> None:
    pages: list[UUID] = []
    letters: list[UUID | None] = []
    new: list[tuple[UUID, UUID, int]] = []
    for letter, counted in claim.leased:
        pages += letter.pages
        letters += [letter.key if counted else None] * len(letter.pages)
        if counted:
            new.append((letter.key, claim.rows[letter.pages[0]]["recipient"], len(letter.pages)))
    for key, left in claim.again.items():
        pages += left
        letters += [key] * len(left)
        if left:
            new.append((key, claim.rows[left[0]]["recipient"], len(left)))
    if new:
        keys, people, counts = (list(column) for column in zip(*new, strict=True))
        await connection.execute(sql("lease_letters"), keys, people, channel, counts, lease_seconds)
    if pages:
        await connection.execute(sql("lease_pages"), pages, letters, lease_seconds)
    if done := [key for key, left in claim.again.items() if not left]:
        await connection.execute(sql("end_letters"), done)
    if claim.held:
        await connection.execute(
            sql("hold_pages"),
            [one.page for one in claim.held],
            [one.until for one in claim.held],
            [one.why.value for one in claim.held],
        )
        claim.lines += [_held_line(claim.rows[one.page], one) for one in claim.held if one.new]
    if claim.withdrawn:
        await connection.execute(
            sql("withdraw_stale"),
            [page for page, _ in claim.withdrawn],
            [str(why) for _, why in claim.withdrawn],
        )
    await add_lines(connection, claim.lines)


def _held_line(row: Record, held: pacing.Held) -> Line:
    until = held.until.astimezone(pacing.SHANGHAI)
    return Line(
        row["incident"],
        "page_held",
        f"通知{row['display']}暂缓至{until:%H:%M}：{words.HOLD[held.why]}",
        {"page": row["id"], "reason": held.why, "until": held.until},
    )


def _claimed(claim: Claim) -> list[Claimed]:
    found = [
        _message([claim.rows[page] for page in letter.pages], letter.key if len(letter.pages) > 1 else None)
        for letter, _ in claim.leased
    ]
    found += [
        _message([claim.rows[page] for page in left], None if key in left else key)
        for key, left in claim.again.items()
        if left
    ]
    return sorted(found, key=lambda one: one.message.grade)


def _message(rows: Sequence[Record], letter: UUID | None) -> Claimed:
    """Make one message of pages, gravest first: the first is told in full, the others in a line each."""
    row, *others = rows
    return Claimed(
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
            also=tuple(
                Also(one["id"], one["incident"], one["title"], Level(one["level"]), Grade(one["grade"]))
                for one in others
            ),
            letter=letter,
        ),
        attempts=row["attempts"] + 1,
        received_at=row["received_at"],
        lapsed=any(one["lapsed"] for one in rows),
        others=tuple((one["id"], one["attempts"] + 1) for one in others),
    )
