"""Simulated units carry tasks out step by step, slow ones later; what the county took over the county does."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from msgspec import structs

from domain.incidents import IncidentState, TaskState
from domain.levels import Domain, Grade, Level
from fenghuo.demo.fieldwork import CALL_BACK_MINUTES, NOT_FOUND, STEPS, Fieldwork, call_back, slowness
from responders.views import IncidentRow

NOW = datetime(2026, 6, 19, 1, tzinfo=UTC)
CASE = IncidentRow(
    id=UUID(int=7), version=1, alert=None, category="flood", domain=Domain.ENVIRONMENT, place="990101101", place_name="",
    level=Level.BLUE, grade=Grade.IV, state=IncidentState.VERIFYING, title="", opened_at=NOW, changed_at=NOW,
    acknowledged_at=NOW, acknowledged_by="", holder="", next_at=None, step=0, alert_open=True,
)  # fmt: skip
QUICK, SLOW = UUID(int=5), UUID(int=8)


class FakeConsole:
    """Shows one task, moves it as it is told, and does not know it to those who may not see it."""

    def __init__(self, task: UUID) -> None:
        """Begin with a dispatched task."""
        self.task, self.state = task, "dispatched"
        self.hidden_from = ""
        self.sent: list[tuple[str, str]] = []
        self.causes: set[UUID] = set()

    async def get(self, login: str, path: str, query: dict[str, str]) -> bytes:
        """Show the case."""
        return msgspec.json.encode(
            {"incident": {"tasks": [{"id": self.task, "state": self.state, "dispatched_at": NOW}]}}
        )

    async def post(self, login: str, path: str, cause: UUID, body: dict[str, object]) -> int:
        """Take a command; a key that was used for another one would be refused."""
        if login == self.hidden_from:
            return NOT_FOUND
        assert cause not in self.causes
        self.causes.add(cause)
        self.state = str(body.get("state", "rated"))
        self.sent.append((login, self.state))
        return 200


async def play(console: FakeConsole, hours: float) -> None:
    """Let the officers look at the case every minute."""
    fieldwork = Fieldwork(console.get, console.post)
    for minute in range(int(hours * 60)):
        await fieldwork.go_on(CASE, NOW + timedelta(minutes=minute))


async def test_a_task_goes_its_whole_way() -> None:
    """The unit signs, arrives and is done; the county verifies, closes and calls back; nothing is sent twice."""
    console = FakeConsole(QUICK)
    await play(console, 6)
    assert console.sent == [
        ("t101", "accepted"),
        ("t101", "on_site"),
        ("t101", "done"),
        ("c00", "verified"),
        ("c00", "closed"),
        ("c00", "rated"),
    ]


async def test_a_slow_unit_is_late() -> None:
    """It is not done when others are called back."""
    console = FakeConsole(SLOW)
    await play(console, CALL_BACK_MINUTES / 60)
    assert (slowness(SLOW), console.state) == (3.0, "on_site")


async def test_the_county_does_what_it_took_over() -> None:
    """A task that the township does not see any more is moved by the county."""
    console = FakeConsole(QUICK)
    console.hidden_from = "t101"
    await play(console, 6)
    assert {login for login, _ in console.sent} == {"c00"}
    assert console.state == "rated"


@pytest.mark.parametrize(
    ("state", "place"),
    [
        (IncidentState.DETECTED, CASE.place),
        (IncidentState.FALSE_ALARM, CASE.place),
        (IncidentState.VERIFYING, "990101"),
    ],
)
async def test_cases_without_work_are_left_alone(state: IncidentState, place: str) -> None:
    """Nobody goes out for what nobody has acknowledged, for a false alarm, or for a county's own case."""
    console = FakeConsole(QUICK)
    fieldwork = Fieldwork(console.get, console.post)
    await fieldwork.go_on(structs.replace(CASE, state=state, place=place), NOW + timedelta(hours=2))
    assert console.sent == []


def test_call_backs_are_of_both_kinds() -> None:
    """Of many tasks one in eight is not to people's satisfaction."""
    answers = [call_back(UUID(int=number))["satisfied"] for number in range(320)]
    assert (answers.count("no"), answers.count("yes")) == (40, 280)
    assert set(STEPS) == {
        TaskState.DISPATCHED,
        TaskState.ACCEPTED,
        TaskState.ON_SITE,
        TaskState.DONE,
        TaskState.VERIFIED,
    }
