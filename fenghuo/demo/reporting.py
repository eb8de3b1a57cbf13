"""Simulated officers make the reports that the law asks for (信息报告), each level its own, from the platform's drafts.

Most are made in time. Townships make those of one case in four late, so that the demo shows what a missed limit leads to.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from msgspec import Struct, json

from domain.inputs import AwareTime
from fenghuo.demo.accounts import login_for
from fenghuo.demo.errands import COUNTY_LOGIN, Get, Post
from responders.views import ClockRow, IncidentRow, Kept

LOGINS = {"county": COUNTY_LOGIN, "city": "s00", "province": "p00"}
"""Who makes the reports of a level; below these it is the township's desk."""
WRITTEN_AT = 0.4
"""The part of its time after which a report is made: before anybody is reminded of it."""
LATE_BY = timedelta(minutes=15)
ONE_IN_LATE = 4
OWED = frozenset({Kept.RUNNING, Kept.MISSED})
TRY_AGAIN = timedelta(minutes=5)
NEVER = datetime.max.replace(tzinfo=UTC)


class _Draft(Struct):
    kind: str
    to: str
    text: str


class _Reports(Struct):
    owed: list[ClockRow]
    drafts: list[_Draft]


class _Answer(Struct):
    reports: _Reports


class _Look(Struct):
    """What a case looked like when its reports were last looked at, and when to look again though nothing changes."""

    version: int
    again_at: AwareTime


class Reporting:
    """The reports of all cases; a case is looked at when it changed, and when one of its reports is to be made."""

    def __init__(self, get: Get, post: Post) -> None:
        """Take the ways to the API."""
        self._get = get
        self._post = post
        self._looks: dict[UUID, _Look] = {}

    async def go_on(self, row: IncidentRow, now: datetime) -> None:
        """Make what is to be made of a case by now."""
        look = self._looks.get(row.id)
        if look is not None and look.version == row.version and now < look.again_at:
            return
        owed = (await self._show(COUNTY_LOGIN, row.id)).owed
        times = [(one, writing_time(one, late=_is_late(row, one))) for one in owed]
        ready = [one for one, at in times if at <= now]
        done = True
        for login in dict.fromkeys(_login(row, one) for one in ready):
            done &= await self._make(row, login, [one for one in ready if _login(row, one) == login])
        later = min((at for _, at in times if at > now), default=NEVER)
        self._looks[row.id] = _Look(row.version, later if done else min(later, now + TRY_AGAIN))

    async def _show(self, login: str, case: UUID) -> _Reports:
        return json.decode(await self._get(login, f"incidents/{case}/reports", {}), type=_Answer).reports

    async def _make(self, row: IncidentRow, login: str, ready: list[ClockRow]) -> bool:
        """Send drafts off as they are; False where the platform refused one, which is tried again."""
        texts = {(one.kind, one.to): one.text for one in (await self._show(login, row.id)).drafts}
        done = True
        for one in ready:
            text = texts.get((one.kind, one.to))
            if text is None:
                continue  # another report has answered it meanwhile
            cause = uuid5(row.id, f"{one.clock}/{one.by}/{one.to}/{one.kind}/{one.number}/{one.form}")
            body: dict[str, object] = {"kind": one.kind, "to": one.to, "form": one.form, "text": text}
            done &= await self._post(login, f"incidents/{row.id}/reports", cause, body) < 400
        return done


def writing_time(report: ClockRow, *, late: bool) -> datetime:
    """Tell when officers make a report: well within its time, or some minutes after it; NEVER what is not owed (yet)."""
    if report.due_at is None or report.kept not in OWED:
        return NEVER
    if late:
        return report.due_at + LATE_BY
    return report.since + (report.due_at - report.since) * WRITTEN_AT


def _login(row: IncidentRow, report: ClockRow) -> str:
    return LOGINS.get(report.by) or login_for(row.place)


def _is_late(row: IncidentRow, report: ClockRow) -> bool:
    return report.by not in LOGINS and row.id.int % ONE_IN_LATE == 0
