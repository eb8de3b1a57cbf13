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
from domain.devices import Sighting
from domain.findings import Alert, Heartbeat, RollUps
from domain.incidents import IncidentState, TaskState, Verdict
from domain.inputs import Bulletin, Rejected, Report, Ticket
from domain.registry import Area, Device, Series, Source
from responders.cases import Recorded, Rules
from responders.store import account, alerts, commands, console, intake, messages, registry, stations
from responders.store.administration import Administration
from responders.store.audit import Audit
from responders.store.casework import Casework
from responders.store.clocks import Clocks
from responders.store.command import Command
from responders.store.contacts import Contacts
from responders.store.detection import Detection
from responders.store.drills import Drills
from responders.store.field import Field
from responders.store.figures import Figures
from responders.store.grades import Grades
from responders.store.holds import Holds
from responders.store.listening import listen
from responders.store.live import Live
from responders.store.pacing import Pacings
from responders.store.pages import Pages
from responders.store.papers import Papers
from responders.store.passkeys import Passkeys
from responders.store.personal import Personal
from responders.store.pleas import Pleas
from responders.store.pool import Database, open_pool
from responders.store.register import Register
from responders.store.replies import Replies
from responders.store.reports import Reports
from responders.store.reviews import Reviews
from responders.store.roster import Rosters
from responders.store.seats import Seats
from responders.store.sign_ins import SignIns
from responders.store.tokens import Tokens
from responders.store.workers import Workers
from responders.views import (
    Account,
    CapVersion,
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
    """All that the platform keeps and all that may be asked of it.

    `workers` is for the responder's own loops, `pages` for sending, `register` for whoever changes devices and series or
    looks at them, `audit` for the record of cases as evidence, `detection` for what officers see of held-back alerts and
    calibration.
    """

    def __init__(self, database: Database) -> None:
        """Share an open pool; use `open`."""
        self._database = database
        self.workers = Workers(database)
        self.register = Register(database)
        self.audit = Audit(database)
        self.administration = Administration(database)
        self.sign_ins = SignIns(database)
        self.passkeys = Passkeys(database)
        self.personal = Personal(database)
        self.casework = Casework(database)
        self.pages = Pages(database)
        self.pacing = Pacings(database)
        self.contacts = Contacts(database)
        self.replies = Replies(database)
        self.pleas = Pleas(database)
        self.clocks = Clocks(database)
        self.reports = Reports(database)
        self.holds = Holds(database)
        self.grades = Grades(database)
        self.drills = Drills(database)
        self.reviews = Reviews(database)
        self.roster = Rosters(database)
        self.detection = Detection(database)
        self.tokens = Tokens(database)
        self.live = Live(database)
        self.figures = Figures(database)
        self.command = Command(database)
        self.papers = Papers(database)
        self.field = Field(database)
        self.seats = Seats(database)

    @classmethod
    @asynccontextmanager
    async def open(
        cls, dsn: str, pool_size: int = 8, *, give_up_seconds: float | None = None
    ) -> AsyncIterator[Self]:
        """Connect, waiting with back-off until the database answers; close on leaving.

        Waits without end by default (one log line when lost, one when back); with `give_up_seconds` it raises
        DatabaseUnavailable. The schema is the business of `responders.migrate.migrate`.
        """
        async with open_pool(dsn, pool_size, give_up_seconds) as database:
            yield cls(database)

    async def ping(self) -> None:
        """Ask the database for a sign of life; DatabaseUnavailable when there is none."""
        await self.clock()

    # Clock and registry: what responders own and publish -----------------------------------------------------------

    async def set_clock(self, clock: Clock) -> None:
        """Set the county clock and publish it."""
        await self._database.run(registry.set_clock, clock)

    async def clock(self) -> Clock:
        """Read the county clock; `(await store.clock()).now()` is county time."""
        return await self._database.read(registry.get_clock)

    async def put_areas(self, areas: Iterable[Area]) -> None:
        """Add or replace areas, and publish them."""
        await self._database.run(registry.put_areas, areas)

    async def put_series(self, series: Iterable[Series]) -> None:
        """Add or replace series, and publish them, unchecked: `register.change` is for what people write."""
        await self._database.run(registry.put_series, series)

    async def put_devices(self, devices: Iterable[Device]) -> None:
        """Add or replace devices, and publish them, unchecked as series are."""
        await self._database.run(stations.put_devices, devices)

    async def put_sources(self, sources: Iterable[Source]) -> None:
        """Add or replace sources, and publish them (token hashes only)."""
        await self._database.run(registry.put_sources, sources)

    async def put_users(self, users: Iterable[User]) -> None:
        """Add or replace accounts by login; an empty `password_hash` keeps the present one."""
        await self._database.run(registry.put_users, users)

    async def put_shifts(self, shifts: Iterable[Shift]) -> None:
        """Add shifts to the roster; the same (area, post, user, start) again moves the end."""
        await self._database.run(registry.put_shifts, shifts)

    async def areas(self) -> list[Area]:
        """List all areas by code."""
        return await self._database.read(registry.list_areas)

    async def series(self) -> list[Series]:
        """List all series by id."""
        return await self._database.read(registry.list_series)

    async def devices(self) -> list[Device]:
        """List all devices by id."""
        return await self._database.read(stations.list_devices)

    async def sources(self) -> list[Source]:
        """List all sources by slug, with the digests of their tokens."""
        return await self._database.read(stations.list_sources)

    async def users(self) -> list[User]:
        """List all accounts by login, without their password hashes."""
        return await self._database.read(registry.list_users)

    # Intake: idempotent by id, called before the Kafka offset is committed -------------------------------------------

    async def record_tickets(self, tickets: Sequence[Ticket]) -> int:
        """Store tickets; answers how many were new."""
        return await self._database.run(intake.record_tickets, tickets)

    async def record_reports(self, reports: Sequence[Report]) -> int:
        """Store reports; answers how many were new."""
        return await self._database.run(intake.record_reports, reports)

    async def record_bulletins(self, bulletins: Sequence[Bulletin]) -> int:
        """Store bulletins; answers how many were new."""
        return await self._database.run(intake.record_bulletins, bulletins)

    async def record_rollups(self, batches: Sequence[RollUps]) -> int:
        """Store roll-ups and late readings; a row with a smaller or equal count changes nothing."""
        return await self._database.run(intake.record_rollups, batches)

    async def record_alert(self, alert: Alert, rules: Rules) -> Recorded:
        """Store a version of an alert and open, raise or change its case; InvalidInput for an unknown category.

        A new alert opens a case with its first task and pages in the same transaction. A graver level raises the grade and
        pages anew; a cleared one asks for the case to be closed and closes nothing.
        """
        return (await self.record_alerts([alert], rules))[0]

    async def record_alerts(self, versions: Sequence[Alert], rules: Rules) -> list[Recorded]:
        """Store versions of alerts in their order, in one transaction: all of them, or with InvalidInput none."""
        return await self._database.run(alerts.record_alerts, versions, rules)

    async def record_rejected(self, rejected: Sequence[Rejected]) -> int:
        """Store what was turned away; answers how many were new."""
        return await self._database.run(intake.record_rejected, rejected)

    async def record_heartbeats(self, heartbeats: Sequence[Heartbeat]) -> None:
        """Keep the newest sign of life of each instance."""
        await self._database.run(intake.record_heartbeats, heartbeats)

    async def record_sightings(self, sightings: Sequence[Sighting]) -> None:
        """Keep the newest word of each gateway on each device."""
        await self._database.run(stations.record_sightings, sightings)

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
        return await self._database.read(console.queue, viewer, states, limit, before)

    async def incident(self, viewer: Viewer, incident: UUID) -> IncidentView:
        """Show an incident; NotFound outside the viewer's area."""
        return await self._database.read(console.incident, viewer, incident)

    async def curve(self, viewer: Viewer, series: str, since: datetime, until: datetime) -> Curve:
        """Show a series' roll-ups with since ≤ minute < until (at most 20,000, the newest); NotFound outside the area."""
        return await self._database.read(console.curve, viewer, series, since, until)

    async def cap_versions(
        self, viewer: Viewer | None, public: Iterable[str], limit: int = 200
    ) -> list[CapVersion]:
        """List versions of alerts, newest first: those of a viewer's area, or for a machine (None) what is public.

        That is: of the `public` categories, no drills, and nothing that rests on restricted warnings alone.
        """
        return await self._database.read(messages.cap_versions, viewer, public, limit)

    async def cap_version(
        self, viewer: Viewer | None, public: Iterable[str], alert: UUID, version: int
    ) -> CapVersion:
        """Show one version of an alert; NotFound for what the viewer or the machine may not see."""
        return await self._database.read(messages.cap_version, viewer, public, alert, version)

    async def acknowledge(self, viewer: Viewer, incident: UUID, request_id: UUID) -> IncidentRow:
        """Take note of an incident: paging stops, task deadlines go on; `detected` becomes `verifying`.

        Conflict, naming post and time, when somebody else was first. The viewer becomes the holder. This and every
        command below: NotFound outside the area, NotAllowed for a role that may not, Conflict when the state does not
        permit it; the same `request_id` again changes nothing and gives the same answer.
        """
        return await self._database.run(commands.acknowledge, viewer, incident, request_id)

    async def take_over(self, viewer: Viewer, incident: UUID, request_id: UUID) -> IncidentRow:
        """Become the holder instead of somebody else; acknowledges it too where nobody has."""
        return await self._database.run(commands.take_over, viewer, incident, request_id)

    async def decide(
        self, viewer: Viewer, incident: UUID, verdict: Verdict, note: str, request_id: UUID
    ) -> IncidentRow:
        """Say what it was; goes to `feed.dispositions`.

        `false` ends the case as false alarm, `duplicate` as merged, `true` confirms one that was being verified, `drill`
        only labels. Each acknowledges it too. The last word on an alert counts.
        """
        return await self._database.run(commands.decide, viewer, incident, verdict, note, request_id)

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
        return await self._database.run(
            commands.move, viewer, incident, state, note, request_id, expected_version
        )

    async def close(
        self, viewer: Viewer, incident: UUID, note: str, request_id: UUID, expected_version: int | None = None
    ) -> IncidentRow:
        """Close a case: `move` to `closed`."""
        return await self.move(viewer, incident, IncidentState.CLOSED, note, request_id, expected_version)

    async def accept_task(self, viewer: Viewer, task: UUID, request_id: UUID) -> TaskRow:
        """Sign for a task (签收)."""
        return await self.move_task(viewer, task, TaskState.ACCEPTED, "", request_id)

    async def move_task(
        self, viewer: Viewer, task: UUID, state: TaskState, note: str, request_id: UUID
    ) -> TaskRow:
        """Move a task along TASK_MOVES; grid workers may go as far as `done`."""
        return await self._database.run(commands.move_task, viewer, task, state, note, request_id)

    async def credentials(self, login: str) -> User | None:
        """Find the account of a login, with its password hash; None when there is none or it is disabled."""
        return await self._database.read(registry.credentials, login)

    async def create_session(self, user: UUID, token_sha256: str, seconds: float) -> None:
        """Begin a session that ends after so many seconds of wall time."""
        await self._database.run(registry.create_session, user, token_sha256, seconds)

    async def session(self, token_sha256: str) -> Viewer | None:
        """Find who a session belongs to; None when it ended, or the account was disabled."""
        return await self._database.read(registry.find_session, token_sha256)

    async def end_session(self, token_sha256: str) -> None:
        """End a session; ending it twice is fine."""
        await self._database.run(registry.end_session, token_sha256)

    async def changes_since(self, viewer: Viewer, change: int, limit: int = 500) -> list[Change]:
        """List what changed in the viewer's area after a change id, oldest first. Ids appear in order of commit."""
        return await self._database.read(console.changes_since, viewer, change, limit)

    async def newest_change(self) -> int:
        """Tell the id of the newest change, 0 when there is none: where a page without Last-Event-ID begins."""
        return await self._database.read(console.newest_change)

    async def oldest_change(self) -> int:
        """Tell the id of the oldest change kept: who asks from before it must read everything anew."""
        return await self._database.read(console.oldest_change)

    def listen(self) -> AsyncIterator[int]:
        """Yield the ids of new changes as they are committed, reconnecting by itself.

        After a reconnect it yields the newest id at once, so that a reader who calls `changes_since` misses nothing.
        """
        return listen(self._database.dsn)

    async def heartbeats(self) -> list[HeartbeatAge]:
        """Tell how long ago each component was heard of."""
        return await self._database.read(console.heartbeats)

    # Accounting -----------------------------------------------------------------------------------------------------

    async def account(self) -> Account:
        """Count what is stored."""
        return await self._database.read(account.account)

    async def stored_readings(self) -> dict[tuple[str, int], int]:
        """Count the readings in effect by (series, Unix minute of observation), late ones included."""
        return await self._database.read(account.stored_readings)

    async def stored_ids(self) -> set[UUID]:
        """Collect the ids of all tickets, reports and bulletins in effect, and of accepted inputs rejected later."""
        return await self._database.read(account.stored_ids)
