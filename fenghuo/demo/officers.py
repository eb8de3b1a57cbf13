"""Simulated officers: they sign in to the console and work through its HTTP API, as people's browsers do.

They acknowledge most cases after some minutes of the county, the first one late, and leave the rest, so that these climb;
the graver a case, the sooner somebody high up acts after all. A case that is raised is acknowledged anew.
What they find on the spot is what the script says happened there. Which case gets whom is settled by its id, not by chance.
"""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import aiohttp
import structlog
from msgspec import Struct, json

from domain.clock import Clock
from domain.incidents import OPEN_STATES, IncidentState, Verdict
from domain.levels import Grade
from fenghuo.demo.accounts import login_for, logins_by_display
from fenghuo.demo.county import START, County
from fenghuo.demo.errands import Errands
from fenghuo.demo.fieldwork import Fieldwork
from fenghuo.demo.judging import FoundAlert, touches
from fenghuo.demo.reporting import Reporting
from responders.views import IncidentRow

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.7
LEFT_ALONE = 30
"""Percent of the cases that nobody acknowledges by himself."""
LATE_MINUTES = {Grade.I: 45, Grade.II: 75, Grade.III: 120, Grade.IV: 150}
"""Then somebody does after all, when all towers have heard of it."""
FIRST_MINUTES = 40
"""The very first case is acknowledged so late, when the county has heard of it."""
DECIDE_MINUTES = 40
CLOSE_MINUTES = 150
FAILURES = (aiohttp.ClientError, OSError, TimeoutError)


class _Queue(Struct):
    incidents: list[IncidentRow]


class Officers:
    """Everybody who works at the console; one session per account, signed in when first needed."""

    def __init__(self, console: str, password: str, county: County, clock: Clock) -> None:
        """Take the console's address, the accounts' password, and the clock that tells when to act."""
        self._console = console
        self._password = password
        self._county = county
        self._clock = clock
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self.commands = 0
        self._first: UUID | None = None
        self._raised: dict[UUID, datetime] = {}
        self._errands = Errands(self._read, self._send, logins_by_display(county.places))
        self._fieldwork = Fieldwork(self._read, self._send)
        self._reporting = Reporting(self._read, self._send)

    async def work(self) -> None:
        """Look at the queue and act, until cancelled; the console may be away for a while."""
        try:
            while True:
                try:
                    for row in reversed(await self._queue()):  # oldest first
                        self._first = self._first or row.id
                        await self._act(row)
                        await self._errands.go_on(row, self._clock.now())
                        if not self._errands.waits(row.id):
                            await self._fieldwork.go_on(row, self._clock.now())
                        await self._reporting.go_on(row, self._clock.now())
                    await self._errands.sign_hand_overs(self._clock.now())
                except FAILURES as error:
                    log.info("officers_wait", error=type(error).__name__)
                await asyncio.sleep(POLL_SECONDS)
        finally:
            for session in self._sessions.values():
                await session.close()

    async def _queue(self) -> list[IncidentRow]:
        return json.decode(
            await self._read("c00", "incidents", {"limit": "500", "state": "all"}), type=_Queue
        ).incidents

    async def _read(self, login: str, path: str, query: dict[str, str]) -> bytes:
        """Read an address of the API as somebody."""
        session = await self._session(login)
        async with session.get(f"{self._console}/api/v1/{path}", params=query) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def _act(self, row: IncidentRow) -> None:
        now = self._clock.now()
        age = (now - row.opened_at).total_seconds() / 60
        lot = row.id.int % 100
        left_alone = lot < LEFT_ALONE and row.id != self._first
        soon = 3 + lot % 9
        patience = FIRST_MINUTES if row.id == self._first else LATE_MINUTES[row.grade] if left_alone else soon
        login = login_for(row.place)
        true = self._is_true(row)
        match row.state:
            case IncidentState.DETECTED if age < patience:
                pass
            case IncidentState.DETECTED:
                await self._command("c00" if left_alone else login, row.id, "acknowledge", {})
            case state if state in OPEN_STATES and row.acknowledged_at is None:
                raised = uuid5(row.id, f"grade {row.grade}")
                if now >= self._raised.setdefault(raised, now) + timedelta(minutes=soon):
                    await self._command(login, row.id, "acknowledge", {}, raised)
            case IncidentState.VERIFYING if age >= patience + DECIDE_MINUTES:
                verdict = Verdict.TRUE if true else Verdict.FALSE
                note = "现场核实，情况属实。" if true else "现场核实，未见异常。"
                await self._command(login, row.id, "disposition", {"verdict": verdict, "note": note})
            case IncidentState.CONFIRMED if lot % 2:
                await self._command(login, row.id, "move", {"state": "responding", "note": "已组织处置。"})
            case IncidentState.RESPONDING if age >= patience + CLOSE_MINUTES and not row.alert_open:
                await self._command(login, row.id, "close", {"note": "处置完毕，预警已解除。"})
            case _:
                pass

    def _is_true(self, row: IncidentRow) -> bool:
        alert = FoundAlert(
            id=row.id,
            category=row.category,
            place=row.place,
            level=row.level,
            opened_at=row.opened_at,
            changed_at=row.changed_at,
        )
        slack = timedelta(minutes=30)  # cases open later than their alerts
        return any(
            touches(alert, one, START) or touches(_earlier(alert, slack), one, START)
            for one in self._county.happenings
            if one.kind == "event"
        )

    async def _command(
        self,
        login: str,
        incident: UUID,
        what: str,
        body: dict[str, object],
        cause: UUID | None = None,
    ) -> None:
        """Send a command; a conflict means that somebody was faster, or that the case moved on."""
        status = await self._send(login, f"incidents/{incident}/{what}", cause or incident, body)
        if status >= 400 and status != 409:
            log.info("command_refused", command=what, status=status)

    async def _send(self, login: str, path: str, cause: UUID, body: dict[str, object]) -> int:
        """Send a command as somebody, under a key that is the same when it is sent again; answers the status."""
        session = await self._session(login)
        headers = {
            "Idempotency-Key": str(uuid5(cause, f"{login}/{path}")),
            "Content-Type": "application/json",
        }
        address = f"{self._console}/api/v1/{path}"
        async with session.post(address, data=json.encode(body), headers=headers) as answer:
            self.commands += answer.status < 400
            return answer.status

    async def _session(self, login: str) -> aiohttp.ClientSession:
        known = self._sessions.get(login)
        if known is not None:
            return known
        session = aiohttp.ClientSession(
            headers={"Origin": self._console},
            cookie_jar=aiohttp.CookieJar(unsafe=True),  # the console has an address, not a name
            timeout=aiohttp.ClientTimeout(total=30),
        )
        form = {"login": login, "password": self._password, "next": "/"}
        try:
            async with session.post(f"{self._console}/sign-in", data=form, allow_redirects=False) as answer:
                if answer.status != 303:
                    raise aiohttp.ClientError(f"sign-in answered {answer.status}")
        except FAILURES:
            await session.close()
            raise
        self._sessions[login] = session
        return session


def _earlier(alert: FoundAlert, slack: timedelta) -> FoundAlert:
    opened: datetime = alert.opened_at - slack
    return FoundAlert(
        id=alert.id,
        category=alert.category,
        place=alert.place,
        level=alert.level,
        opened_at=opened,
        changed_at=alert.changed_at,
    )
