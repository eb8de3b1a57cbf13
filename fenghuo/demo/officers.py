"""Simulated officers: they sign in to the console and work through its HTTP API, as people's browsers do.

They acknowledge most cases after some minutes of the county and leave the rest, so that these climb. What they find on the
spot is what the script says happened there. Which case gets whom is settled by its id, not by chance.
"""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import aiohttp
import structlog
from msgspec import Struct, json

from domain.clock import Clock
from domain.incidents import IncidentState, Verdict
from fenghuo.demo.accounts import login_for
from fenghuo.demo.county import START, County
from fenghuo.demo.judging import FoundAlert, touches
from responders.views import IncidentRow

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.7
LEFT_ALONE = 30
"""Percent of the cases that nobody acknowledges by himself."""
LATE_MINUTES = 150
"""Then somebody does after all, high up the towers."""
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

    async def work(self) -> None:
        """Look at the queue and act, until cancelled; the console may be away for a while."""
        try:
            while True:
                try:
                    for row in await self._queue():
                        await self._act(row)
                except FAILURES as error:
                    log.info("officers_wait", error=type(error).__name__)
                await asyncio.sleep(POLL_SECONDS)
        finally:
            for session in self._sessions.values():
                await session.close()

    async def _queue(self) -> list[IncidentRow]:
        session = await self._session("c00")
        async with session.get(f"{self._console}/api/v1/incidents", params={"limit": "500"}) as answer:
            answer.raise_for_status()
            return json.decode(await answer.read(), type=_Queue).incidents

    async def _act(self, row: IncidentRow) -> None:
        now = self._clock.now()
        age = (now - row.opened_at).total_seconds() / 60
        lot = row.id.int % 100
        patience = LATE_MINUTES if lot < LEFT_ALONE else 3 + lot % 9
        login = login_for(row.place)
        true = self._is_true(row)
        match row.state:
            case IncidentState.DETECTED if age >= patience:
                await self._command("c00" if lot < LEFT_ALONE else login, row.id, "acknowledge", {})
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

    async def _command(self, login: str, incident: UUID, what: str, body: dict[str, object]) -> None:
        """Send a command; a conflict means that somebody was faster, or that the case moved on."""
        session = await self._session(login)
        headers = {"Idempotency-Key": str(uuid5(incident, f"{login}/{what}"))}
        address = f"{self._console}/api/v1/incidents/{incident}/{what}"
        async with session.post(address, json=body, headers=headers) as answer:
            if answer.status >= 400 and answer.status != 409:
                log.info("command_refused", command=what, status=answer.status)
            self.commands += answer.status < 400

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
