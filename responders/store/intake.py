"""What comes from the topics, in SQL: tickets, reports, bulletins, roll-ups, rejected items, heartbeats."""

from collections import Counter
from collections.abc import Iterator, Sequence
from uuid import UUID

from domain.errors import Fault, InvalidInput
from domain.findings import Heartbeat, RollUps
from domain.hotline import Handling
from domain.inputs import Bulletin, Rejected, Report, Ticket
from responders.store.pool import Connection
from responders.store.queries import sql

TICKET_FIELDS = (
    *("id", "source", "order_number", "area", "category", "text", "title", "address", "sealed"),
    *("observed_at", "received_at"),
    *Handling.__struct_fields__,
)
"""In the order of the statement's parameters."""
WORDS = ("text", "title", "address", "sealed")
ROLLUP_COLUMNS = ("series", "minute", "count", "good", "total", "low", "high", "last")


def _inserted(status: str) -> int:
    return int(status.rpartition(" ")[2])


async def record_tickets(connection: Connection, tickets: Sequence[Ticket]) -> int:
    """Store tickets and what newer pushes of known orders bring; answers how many were new."""
    new = 0
    for batch in _rounds(tickets):
        await connection.execute(sql("keep_words"), *_columns(batch, "id", "received_at", *WORDS))
        stored = await connection.fetch(sql("put_ticket"), *_columns(batch, *TICKET_FIELDS))
        new += sum(row["is_new"] for row in stored)
    return new


def _rounds(tickets: Sequence[Ticket]) -> list[list[Ticket]]:
    """Part tickets so that no id is twice in one statement, which SQL does not allow; the order of each id's is kept."""
    rounds: list[list[Ticket]] = []
    seen: Counter[UUID] = Counter()
    for ticket in tickets:
        if seen[ticket.id] == len(rounds):
            rounds.append([])
        rounds[seen[ticket.id]].append(ticket)
        seen[ticket.id] += 1
    return rounds


def _columns(records: Sequence[Ticket | Report], *names: str) -> list[list[object]]:
    return [[_clean(getattr(record, name)) for record in records] for name in names]


async def record_reports(connection: Connection, reports: Sequence[Report]) -> int:
    """Store reports; answers how many were new."""
    fields = ("id", "source", "client_id", "area", "category", "text", "sealed", "observed_at", "received_at")
    return _inserted(await connection.execute(sql("put_report"), *_columns(reports, *fields)))


async def record_bulletins(connection: Connection, bulletins: Sequence[Bulletin]) -> int:
    """Store bulletins; answers how many were new."""
    new = [
        await connection.fetchval(
            sql("put_bulletin"),
            bulletin.id,
            _clean(bulletin.source),
            _clean(bulletin.own_id),
            _clean(bulletin.category),
            None if bulletin.level is None else bulletin.level.value,
            list(bulletin.areas),
            _clean(bulletin.headline),
            _clean(bulletin.text),
            bulletin.effective_at,
            bulletin.expires_at,
            bulletin.received_at,
            bulletin.status.value,
            [_clean(name) for name in bulletin.supersedes],
            _clean(bulletin.part_of),
            bulletin.exercise,
            bulletin.restricted,
        )
        for bulletin in bulletins
    ]
    for bulletin in bulletins:  # in either order: a feed may bring the end before the beginning
        await connection.execute(sql("end_bulletins"), bulletin.id)
    return sum(one is not None for one in new)


async def record_rejected(connection: Connection, rejected: Sequence[Rejected]) -> int:
    """Store what was turned away; answers how many were new."""
    new = [
        await connection.fetchval(
            sql("put_rejected"),
            one.id,
            _clean(one.stage),
            _clean(one.feed),
            _clean(one.source),
            one.rejected_at,
            _clean(one.reason),
            [_clean(fault) for fault in one.faults],
            _clean(one.item),
            _clean(one.encoding),
            one.size,
            _clean(one.sha256),
            list(one.ids),
        )
        for one in rejected
    ]
    return sum(one is not None for one in new)


async def record_rollups(connection: Connection, batches: Sequence[RollUps]) -> int:
    """Store roll-ups and late readings; answers how many rows the batches held, InvalidInput for misshapen ones."""
    faults = [fault for batch in batches for fault in _faults(batch)]
    if faults:
        raise InvalidInput(faults)
    rows = [row for batch in batches for row in _rows(batch)]
    if rows:
        await connection.execute(sql("stage_rollups"))
        await connection.copy_records_to_table("rollup_stage", records=rows, columns=ROLLUP_COLUMNS)
        await connection.execute(sql("number_series"))
        await connection.execute(sql("merge_rollups"))
    late = [reading for batch in batches for reading in batch.late]
    if late:
        await connection.execute(
            sql("put_late"),
            [_clean(reading.series) for reading in late],
            [reading.observed_at for reading in late],
            [reading.value for reading in late],
            [reading.quality for reading in late],
        )
    return len(rows) + len(late)


def _faults(batch: RollUps) -> Iterator[Fault]:
    """Find columns of different length and numbers beyond their columns, which COPY would not tell apart from bugs."""
    columns = {name: getattr(batch, name) for name in ROLLUP_COLUMNS}
    yield from (
        Fault(name, f"has {len(column)} rows, series has {len(batch.series)}")
        for name, column in columns.items()
        if len(column) != len(batch.series)
    )
    yield from (
        Fault(name, "is beyond its range")
        for name in ("minute", "count", "good")
        if columns[name] and not (min(columns[name]) >= -(2**31) and max(columns[name]) < 2**31)
    )


def _rows(batch: RollUps) -> Iterator[tuple[str | None, int, int, int, float, float, float, float]]:
    return zip(
        [_clean(name) for name in batch.series],
        batch.minute,
        batch.count,
        batch.good,
        batch.total,
        batch.low,
        batch.high,
        batch.last,
        strict=True,
    )


async def record_heartbeats(connection: Connection, heartbeats: Sequence[Heartbeat]) -> None:
    """Keep the newest sign of life of each instance."""
    newest = {(beat.component, beat.instance): beat for beat in sorted(heartbeats, key=lambda beat: beat.at)}
    await connection.executemany(
        sql("put_heartbeat"),
        [
            (_clean(beat.component), _clean(beat.instance), beat.at, _clean(beat.detail))
            for _, beat in sorted(newest.items())
        ],
    )


def _clean(value: object) -> object:
    """Make a text fit for PostgreSQL, which knows every character but NUL."""
    return value.replace("\x00", "�") if isinstance(value, str) else value
