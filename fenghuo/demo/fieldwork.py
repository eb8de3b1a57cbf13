"""Simulated units carry out their tasks, the county verifies and closes them, and somebody is called back (回访).

One unit in four is slow, so that reminders and climbs about tasks show. Answers of call-backs go by the task's id; one in
eight is not satisfied, which gives its unit a new task.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import Struct, json

from domain.areas import AreaLevel
from domain.incidents import OPEN_STATES, IncidentState, TaskState
from domain.inputs import AwareTime
from fenghuo.demo.accounts import login_for
from fenghuo.demo.errands import COUNTY_LOGIN, Get, Post
from responders.views import IncidentRow

SLOW_ONE_IN, SLOWNESS = 4, 3.0
DISSATISFIED_ONE_IN = 8
LOOK_EVERY = timedelta(minutes=10)
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a task so many minutes after its dispatch; the county does what the unit may not."""

    minutes: float
    state: TaskState
    note: str
    by_county: bool = False


STEPS = {
    TaskState.DISPATCHED: Step(12, TaskState.ACCEPTED, "已签收。"),
    TaskState.ACCEPTED: Step(28, TaskState.ON_SITE, "已到场。"),
    TaskState.ON_SITE: Step(70, TaskState.DONE, "处置完毕，现场恢复正常。"),
    TaskState.DONE: Step(95, TaskState.VERIFIED, "现场核查属实。", by_county=True),
    TaskState.VERIFIED: Step(105, TaskState.CLOSED, "同意结案。", by_county=True),
}
CALL_BACK_MINUTES = 180


class _Task(Struct):
    id: UUID
    state: TaskState
    dispatched_at: AwareTime


class _View(Struct):
    tasks: list[_Task]


class _Page(Struct):
    incident: _View


class Fieldwork:
    """The tasks of all cases of townships."""

    def __init__(self, get: Get, post: Post) -> None:
        """Take the ways to the API."""
        self._get = get
        self._post = post
        self._again_at: dict[UUID, datetime] = {}

    async def go_on(self, row: IncidentRow, now: datetime) -> None:
        """Take each task of a case one step further when its time has come; looks every few minutes of the county."""
        waits = now < self._again_at.get(row.id, datetime.min.replace(tzinfo=UTC))
        if waits or len(row.place) < AreaLevel.TOWNSHIP or not _has_work(row.state):
            return
        self._again_at[row.id] = now + LOOK_EVERY
        page = json.decode(await self._get(COUNTY_LOGIN, f"incidents/{row.id}", {}), type=_Page)
        for task in page.incident.tasks:
            await self._work(row, task, (now - task.dispatched_at).total_seconds() / 60)

    async def _work(self, row: IncidentRow, task: _Task, minutes: float) -> None:
        if task.state is TaskState.CLOSED:
            if minutes >= CALL_BACK_MINUTES * slowness(task.id):
                await self._post(COUNTY_LOGIN, f"tasks/{task.id}/rating", task.id, call_back(task.id))
            return
        step = STEPS.get(task.state)
        if step is None or minutes < step.minutes * slowness(task.id):
            return
        path = f"tasks/{task.id}/move"
        body: dict[str, object] = {"state": step.state.value, "note": step.note}
        cause = UUID(int=task.id.int ^ int(step.minutes))  # each step has a key of its own
        unit = COUNTY_LOGIN if step.by_county else login_for(row.place)
        status = await self._post(unit, path, cause, body)
        if status == NOT_FOUND and unit != COUNTY_LOGIN:  # the county took the task over
            await self._post(COUNTY_LOGIN, path, cause, body)


def slowness(task: UUID) -> float:
    """Tell how many times as long as others a unit takes."""
    return SLOWNESS if task.int % SLOW_ONE_IN == 0 else 1.0


def call_back(task: UUID) -> dict[str, object]:
    """Say what was answered when somebody was called back."""
    content = bool(task.int // SLOW_ONE_IN % DISSATISFIED_ONE_IN)
    return {
        "reached": True,
        "responded": True,
        "resolved": content,
        "satisfied": "yes" if content else "no",
        "note": "电话回访。" if content else "电话回访，反映问题未彻底解决。",
    }


def _has_work(state: IncidentState) -> bool:
    return state is IncidentState.CLOSED or (state in OPEN_STATES and state is not IncidentState.DETECTED)
