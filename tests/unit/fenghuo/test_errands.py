"""Errands of simulated officers: each kind is done at least once, decided after some minutes, tried again elsewhere."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import structs

from domain.incidents import IncidentState, PleaKind
from domain.levels import Domain, Grade, Level
from fenghuo.demo.errands import Errands
from responders.views import IncidentRow

NOW = datetime(2026, 6, 19, 1, tzinfo=UTC)
PLACE = "990101101"


def row(number: int, state: IncidentState = IncidentState.VERIFYING) -> IncidentRow:
    """Make a case; its number is its id, far from the shares that do errands by chance."""
    return IncidentRow(
        id=UUID(int=number * 100 + 99), version=1, alert=None, category="flood", domain=Domain.ENVIRONMENT, place=PLACE,
        place_name="", level=Level.BLUE, grade=Grade.IV, state=state, title="", opened_at=NOW, changed_at=NOW,
        acknowledged_at=NOW, acknowledged_by="", holder="", next_at=None, step=0, alert_open=True,
    )  # fmt: skip


class FakeConsole:
    """Answers every case with one dispatched task, and keeps the commands; refuses the ones it is told to."""

    def __init__(self) -> None:
        """Begin with nothing to refuse and no hand-overs."""
        self.sent: list[tuple[str, str, dict[str, object]]] = []
        self.refused: set[str] = set()
        self.hand_overs: list[dict[str, Any]] = []

    async def get(self, login: str, path: str, query: dict[str, str]) -> bytes:
        """Show a case or the roster."""
        if path == "roster":
            return msgspec.json.encode({"roster": {"hand_overs": self.hand_overs}})
        case = UUID(path.partition("/")[2])
        task = {"id": case, "state": "dispatched", "dispatched_at": NOW, "due_at": NOW + timedelta(hours=1)}
        return msgspec.json.encode({"incident": {"tasks": [task]}})

    async def post(self, login: str, path: str, cause: UUID, body: dict[str, object]) -> int:
        """Take a command."""
        if path in self.refused:
            return 409
        self.sent.append((login, path, body))
        return 200

    def words(self) -> list[str]:
        """Name the commands without ids."""
        return [f"{login} {path.partition('/')[2].partition('/')[2]}" for login, path, _ in self.sent]


async def test_the_first_case_is_refused_and_the_next_one_wants_more_time() -> None:
    """The township asks, citing an item; ten minutes later the county decides; a third case has no errand."""
    console = FakeConsole()
    errands = Errands(console.get, console.post, {})
    for minutes in (0, 5, 10, 20):
        for number in (1, 2, 3):
            await errands.go_on(row(number), NOW + timedelta(minutes=minutes))
    assert console.words() == [
        "t101 pleas/refuse",
        "t101 move",
        "t101 pleas/extend",
        "c00 pleas/refuse/answer",
        "c00 pleas/extend/answer",
    ]
    assert str(console.sent[0][2]["item"]).startswith("乡镇履行职责事项清单")
    assert [body["granted"] for _, path, body in console.sent if path.endswith("answer")] == [False, True]


async def test_what_the_platform_refuses_is_tried_at_the_next_case() -> None:
    """The first case cannot be refused: the second one is."""
    console = FakeConsole()
    console.refused = {f"tasks/{row(1).id}/pleas/{PleaKind.REFUSE}"}
    errands = Errands(console.get, console.post, {})
    await errands.go_on(row(1), NOW)
    await errands.go_on(row(2), NOW)
    assert console.sent[0][1] == f"tasks/{row(2).id}/pleas/refuse"


async def test_only_a_townships_acknowledged_cases_have_errands() -> None:
    """A county's own case, or one that nobody has acknowledged, is left alone."""
    console = FakeConsole()
    errands = Errands(console.get, console.post, {})
    await errands.go_on(row(1, IncidentState.DETECTED), NOW)
    await errands.go_on(structs.replace(row(2), place="990101"), NOW)
    assert console.sent == []


async def test_whoever_came_signs() -> None:
    """After some minutes, once, as one of the people who came; a replaced hand-over is past signing."""
    console = FakeConsole()
    base = {"at": NOW, "incoming": ["县防汛值班"], "signed_at": None, "replaced": False}
    console.hand_overs = [
        base | {"id": UUID(int=1)},
        base | {"id": UUID(int=2), "signed_at": NOW},
        base | {"id": UUID(int=3), "replaced": True},
        base | {"id": UUID(int=4)},
    ]
    errands = Errands(console.get, console.post, {"县防汛值班": "c03"})
    await errands.sign_hand_overs(NOW + timedelta(minutes=3))
    assert console.sent == []
    await errands.sign_hand_overs(NOW + timedelta(minutes=5))
    assert [(login, path) for login, path, _ in console.sent] == [
        ("c03", f"roster/hand-overs/{UUID(int=1)}/sign")
    ]
