"""What simulated officers do beside working cases off: refuse a task, ask for more time, decide about both, sign hand-overs.

The first case of a township that is acknowledged in time gets a refusal, the next one a plea for more time; after that some
do by their id. What is refused by the platform is not tried again at that case, but at the next one.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct, json

from domain.areas import AreaLevel, county_of
from domain.incidents import IncidentState, PleaKind, TaskState
from domain.inputs import AwareTime
from fenghuo.demo.accounts import login_for
from responders.views import IncidentRow

COUNTY_LOGIN = "c00"
ANSWER_AFTER = timedelta(minutes=10)
SIGN_AFTER, SIGN_LATE_AFTER = timedelta(minutes=4), timedelta(minutes=22)
"""One hand-over in four is signed only after both sides were paged."""
REFUSE_SHARE, EXTEND_SHARE = 10, 20
"""Percent of cases with a refusal, and with a refusal or a plea for more time, after the first of each."""
ITEM = "乡镇履行职责事项清单 配合事项 第12项"
REASON = {
    PleaKind.REFUSE: "该事项在清单中为配合事项，应由县级部门牵头。",
    PleaKind.EXTEND: "现场采样送检，需待结果。",
}
ANSWERS = {
    (PleaKind.REFUSE, True): "同意退单，由县级值班室承办。",
    (PleaKind.REFUSE, False): "属地事项，由原单位承办。",
    (PleaKind.EXTEND, True): "同意延期。",
}

Get = Callable[[str, str, dict[str, str]], Awaitable[bytes]]
"""Read an address of the API: (login, path, query)."""
Post = Callable[[str, str, UUID, dict[str, object]], Awaitable[int]]
"""Send a command: (login, path, what its key is derived from, body); answers the status."""


class Stage(StrEnum):
    """How far an errand is."""

    WANTED = "wanted"
    ASKED = "asked"
    OVER = "over"


class Errand:
    """What is asked about the task of one case."""

    def __init__(self, kind: PleaKind, *, granted: bool) -> None:
        """Begin; `granted` is what the county will say."""
        self.kind = kind
        self.granted = granted
        self.stage = Stage.WANTED
        self.asked_at: datetime | None = None


class _Task(Struct):
    id: UUID
    state: TaskState
    dispatched_at: AwareTime
    due_at: AwareTime


class _View(Struct):
    tasks: list[_Task]


class _Page(Struct):
    incident: _View


class _HandOver(Struct):
    id: UUID
    at: AwareTime
    incoming: list[str]
    signed_at: AwareTime | None
    replaced: bool


class _Roster(Struct):
    hand_overs: list[_HandOver]


class _RosterPage(Struct):
    roster: _Roster


class Errands:
    """All errands of a demo, by case; `logins` leads from a post's name to its account."""

    def __init__(self, get: Get, post: Post, logins: dict[str, str]) -> None:
        """Take the ways to the API."""
        self._get = get
        self._post = post
        self._logins = logins
        self._by_case: dict[UUID, Errand | None] = {}

    async def go_on(self, row: IncidentRow, now: datetime) -> None:
        """Take the errand of a case one stage further, where it has one."""
        if len(row.place) < AreaLevel.TOWNSHIP or row.state is not IncidentState.VERIFYING:
            return
        if row.id not in self._by_case:
            self._by_case[row.id] = self._choose(row.id)
        errand = self._by_case[row.id]
        if errand is None or errand.stage is Stage.OVER:
            return
        if errand.stage is Stage.WANTED:
            await self._ask(row, errand, now)
        elif errand.asked_at is not None and now >= errand.asked_at + ANSWER_AFTER:
            await self._answer(row, errand)

    def waits(self, case: UUID) -> bool:
        """Say whether something was asked about a case's task and is not decided yet."""
        errand = self._by_case.get(case)
        return errand is not None and errand.stage is not Stage.OVER

    def _choose(self, case: UUID) -> Errand | None:
        lot = case.int % 100
        chosen = [errand.kind for errand in self._by_case.values() if errand is not None]
        refused, extended = chosen.count(PleaKind.REFUSE), chosen.count(PleaKind.EXTEND)
        if not refused or (extended and lot < REFUSE_SHARE):
            return Errand(PleaKind.REFUSE, granted=refused % 2 == 1)
        if not extended or lot < EXTEND_SHARE:
            return Errand(PleaKind.EXTEND, granted=True)
        return None

    async def _task(self, case: UUID) -> _Task | None:
        page = json.decode(await self._get(COUNTY_LOGIN, f"incidents/{case}", {}), type=_Page)
        return next(iter(page.incident.tasks), None)

    async def _ask(self, row: IncidentRow, errand: Errand, now: datetime) -> None:
        """Ask as the township; another unit's task, or one that has moved on, is left alone."""
        unit, task = login_for(row.place), await self._task(row.id)
        if task is None or task.state is not TaskState.DISPATCHED:
            self._by_case[row.id] = None
            return
        body: dict[str, object] = {"reason": REASON[errand.kind]}
        if errand.kind is PleaKind.REFUSE:
            body["item"] = ITEM
        else:
            body["until"] = task.due_at + (task.due_at - task.dispatched_at) / 2
            await self._post(unit, f"tasks/{task.id}/move", task.id, {"state": "accepted"})
        status = await self._post(unit, f"tasks/{task.id}/pleas/{errand.kind}", row.id, body)
        if status >= 400:
            self._by_case[row.id] = None  # the next case gets it
            return
        errand.stage, errand.asked_at = Stage.ASKED, now

    async def _answer(self, row: IncidentRow, errand: Errand) -> None:
        """Decide as the county: it takes over what it lets a township refuse."""
        task = await self._task(row.id)
        errand.stage = Stage.OVER
        if task is None:
            return
        body: dict[str, object] = {"granted": errand.granted, "note": ANSWERS[errand.kind, errand.granted]}
        if errand.kind is PleaKind.REFUSE and errand.granted:
            body["area"] = county_of(row.place)
        await self._post(COUNTY_LOGIN, f"tasks/{task.id}/pleas/{errand.kind}/answer", row.id, body)

    async def sign_hand_overs(self, now: datetime) -> None:
        """Sign for what was handed over, as the people who came; some only when they were paged."""
        span = {"since": now.isoformat(), "until": (now + timedelta(minutes=1)).isoformat()}
        page = json.decode(await self._get(COUNTY_LOGIN, "roster", span), type=_RosterPage)
        for one in page.roster.hand_overs:
            patience = SIGN_LATE_AFTER if one.id.int % 4 == 0 else SIGN_AFTER
            signer = next((self._logins[name] for name in one.incoming if name in self._logins), None)
            if one.signed_at is None and not one.replaced and signer and now >= one.at + patience:
                path = f"roster/hand-overs/{one.id}/sign"
                await self._post(signer, path, one.id, {"remark": "已接班，情况清楚。"})
