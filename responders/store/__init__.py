"""The store: the one door to PostgreSQL. Methods are grouped by who calls them; SQL is in `responders/queries/`.

Every method raises DatabaseUnavailable when the database does not answer; nothing was done then, or all of it was, and
doing it again is safe: writes are idempotent by id or by `request_id`. Times are aware UTC on the county clock
(`clock_now()`), except what is named wall.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Self
from uuid import UUID

from domain.clock import Clock
from domain.findings import Heartbeat, RollUps
from domain.incidents import IncidentState, TaskState, Verdict
from domain.inputs import Bulletin, Rejected, Report, Ticket
from domain.registry import Area, Series, Source
from responders.views import (
    Account,
    Change,
    Curve,
    HeartbeatAge,
    IncidentRow,
    IncidentView,
    Shift,
    TaskRow,
    User,
    Viewer,
)


class Store:
    """All that the platform keeps and all that may be asked of it."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls, dsn: str, pool_size: int = 8, *, give_up_seconds: float | None = None
    ) -> AsyncIterator[Self]:
        """Connect, waiting with back-off until the database answers; close on leaving.

        Waits without end by default (one log line when lost, one when back); with `give_up_seconds` it raises
        DatabaseUnavailable. The schema is the business of `responders.migrate.migrate`.
        """
        raise NotImplementedError
        yield

    async def ping(self) -> None:
        """Ask the database for a sign of life; DatabaseUnavailable when there is none."""
        raise NotImplementedError

    # Clock and registry: what responders own and publish -----------------------------------------------------------

    async def set_clock(self, clock: Clock) -> None:
        """Set the county clock and publish it."""
        raise NotImplementedError

    async def clock(self) -> Clock:
        """Read the county clock; `(await store.clock()).now()` is county time."""
        raise NotImplementedError

    async def put_areas(self, areas: Iterable[Area]) -> None:
        """Add or replace areas, and publish them."""
        raise NotImplementedError

    async def put_series(self, series: Iterable[Series]) -> None:
        """Add or replace series, and publish them."""
        raise NotImplementedError

    async def put_sources(self, sources: Iterable[Source]) -> None:
        """Add or replace sources, and publish them (token hashes only)."""
        raise NotImplementedError

    async def put_users(self, users: Iterable[User]) -> None:
        """Add or replace accounts by login; an empty `password_hash` keeps the present one."""
        raise NotImplementedError

    async def put_shifts(self, shifts: Iterable[Shift]) -> None:
        """Add shifts to the roster; the same (area, post, user, start) again moves the end."""
        raise NotImplementedError

    async def areas(self) -> list[Area]:
        """List all areas by code."""
        raise NotImplementedError

    async def series(self) -> list[Series]:
        """List all series by id."""
        raise NotImplementedError

    async def users(self) -> list[User]:
        """List all accounts by login, without their password hashes."""
        raise NotImplementedError

    # Intake: idempotent by id, called before the Kafka offset is committed -------------------------------------------

    async def record_tickets(self, tickets: Sequence[Ticket]) -> int:
        """Store tickets; answers how many were new."""
        raise NotImplementedError

    async def record_reports(self, reports: Sequence[Report]) -> int:
        """Store reports; answers how many were new."""
        raise NotImplementedError

    async def record_bulletins(self, bulletins: Sequence[Bulletin]) -> int:
        """Store bulletins; answers how many were new."""
        raise NotImplementedError

    async def record_rollups(self, batches: Sequence[RollUps]) -> int:
        """Store roll-ups and late readings; a row with a smaller or equal count changes nothing."""
        raise NotImplementedError

    async def record_rejected(self, rejected: Sequence[Rejected]) -> int:
        """Store what was turned away; answers how many were new."""
        raise NotImplementedError

    async def record_heartbeats(self, heartbeats: Sequence[Heartbeat]) -> None:
        """Keep the newest sign of life of each instance."""
        raise NotImplementedError

    # Console: every call names its viewer; area and role are checked in SQL against the account as it is now ----------

    async def queue(
        self,
        viewer: Viewer,
        states: Iterable[IncidentState] | None = None,
        limit: int = 200,
        before: datetime | None = None,
    ) -> list[IncidentRow]:
        """List incidents of the viewer's area, newest `opened_at` first; None means all open states.

        `before` continues a list: only incidents opened earlier. NotAllowed for administrators, who have no cases.
        """
        raise NotImplementedError

    async def incident(self, viewer: Viewer, incident: UUID) -> IncidentView:
        """Show an incident; NotFound outside the viewer's area."""
        raise NotImplementedError

    async def curve(self, viewer: Viewer, series: str, since: datetime, until: datetime) -> Curve:
        """Show a series' roll-ups with since ≤ minute < until (at most 20,000, the newest); NotFound outside the area."""
        raise NotImplementedError

    async def acknowledge(self, viewer: Viewer, incident: UUID, request_id: UUID) -> IncidentRow:
        """Take note of an incident: paging stops, task deadlines go on; `detected` becomes `verifying`.

        Conflict, naming post and time, when somebody else was first. The viewer becomes the holder. This and every
        command below: NotFound outside the area, NotAllowed for a role that may not, Conflict when the state does not
        permit it; the same `request_id` again changes nothing and gives the same answer.
        """
        raise NotImplementedError

    async def take_over(self, viewer: Viewer, incident: UUID, request_id: UUID) -> IncidentRow:
        """Become the holder instead of somebody else; acknowledges it too where nobody has."""
        raise NotImplementedError

    async def decide(
        self, viewer: Viewer, incident: UUID, verdict: Verdict, note: str, request_id: UUID
    ) -> IncidentRow:
        """Say what it was; goes to `feed.dispositions`. `false` ends the case as false alarm, `duplicate` as merged,
        `true` confirms one that was being verified. `drill` only labels."""
        raise NotImplementedError

    async def move(
        self,
        viewer: Viewer,
        incident: UUID,
        state: IncidentState,
        note: str,
        request_id: UUID,
        expected_version: int | None = None,
    ) -> IncidentRow:
        """Move a case along INCIDENT_MOVES; Conflict when `expected_version` is no longer the present one.

        An end state stops paging, withdraws pages not yet sent and ends its tasks.
        """
        raise NotImplementedError

    async def close(
        self, viewer: Viewer, incident: UUID, note: str, request_id: UUID, expected_version: int | None = None
    ) -> IncidentRow:
        """Close a case: `move` to `closed`."""
        raise NotImplementedError

    async def accept_task(self, viewer: Viewer, task: UUID, request_id: UUID) -> TaskRow:
        """Sign for a task (签收)."""
        raise NotImplementedError

    async def move_task(
        self, viewer: Viewer, task: UUID, state: TaskState, note: str, request_id: UUID
    ) -> TaskRow:
        """Move a task along TASK_MOVES; grid workers may go as far as `done`."""
        raise NotImplementedError

    async def credentials(self, login: str) -> User | None:
        """Find the account of a login, with its password hash; None when there is none or it is disabled."""
        raise NotImplementedError

    async def create_session(self, user: UUID, token_sha256: str, seconds: float) -> None:
        """Begin a session that ends after so many seconds of wall time."""
        raise NotImplementedError

    async def session(self, token_sha256: str) -> Viewer | None:
        """Find who a session belongs to; None when it ended, or the account was disabled."""
        raise NotImplementedError

    async def end_session(self, token_sha256: str) -> None:
        """End a session; ending it twice is fine."""
        raise NotImplementedError

    async def changes_since(self, viewer: Viewer, change: int, limit: int = 500) -> list[Change]:
        """List what changed in the viewer's area after a change id, oldest first. Ids appear in order of commit."""
        raise NotImplementedError

    async def newest_change(self) -> int:
        """Tell the id of the newest change, 0 when there is none: where a page without Last-Event-ID begins."""
        raise NotImplementedError

    async def oldest_change(self) -> int:
        """Tell the id of the oldest change kept: who asks from before it must read everything anew."""
        raise NotImplementedError

    def listen(self) -> AsyncIterator[int]:
        """Yield the ids of new changes as they are committed, reconnecting by itself.

        After a reconnect it yields the newest id at once, so that a reader who calls `changes_since` misses nothing.
        """
        raise NotImplementedError

    async def heartbeats(self) -> list[HeartbeatAge]:
        """Tell how long ago each component was heard of."""
        raise NotImplementedError

    # Accounting -----------------------------------------------------------------------------------------------------

    async def account(self) -> Account:
        """Count what is stored."""
        raise NotImplementedError

    async def stored_readings(self) -> dict[tuple[str, int], int]:
        """Count the readings in effect by (series, Unix minute of observation), late ones included."""
        raise NotImplementedError

    async def stored_ids(self) -> set[UUID]:
        """Collect the ids of all tickets, reports and bulletins in effect, and of accepted inputs rejected later."""
        raise NotImplementedError
