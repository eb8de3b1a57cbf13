"""Simulated officers make reports of the law: each level its own, in time but for one township in four."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from msgspec import structs

from domain.incidents import IncidentState
from domain.levels import Domain, Grade, Level
from fenghuo.demo.reporting import LATE_BY, NEVER, Reporting, writing_time
from responders.views import ClockRow, IncidentRow, Kept

NOW = datetime(2026, 6, 19, 1, tzinfo=UTC)


def minutes(number: float) -> datetime:
    """Tell a time some minutes later."""
    return NOW + timedelta(minutes=number)


def case(number: int) -> IncidentRow:
    """Make a case in a township."""
    return IncidentRow(
        id=UUID(int=number), version=1, alert=None, category="flood", domain=Domain.ENVIRONMENT, place="990101101",
        place_name="", level=Level.RED, grade=Grade.I, state=IncidentState.VERIFYING, title="", opened_at=NOW,
        changed_at=NOW, acknowledged_at=NOW, acknowledged_by="", holder="", next_at=None, step=0, alert_open=True,
    )  # fmt: skip


def report(
    by: str, to: str, form: str = "written", due: float | None = 40, kept: Kept = Kept.RUNNING
) -> ClockRow:
    """Make a report that is owed since NOW, due so many minutes later."""
    return ClockRow(
        clock="general", zh="", en="", source="", kind="first", number=0, form=form, by=by, to=to, desk="", addressee="",
        since=NOW, due_at=None if due is None else minutes(due), at=None, kept=kept,
    )  # fmt: skip


class FakeConsole:
    """Shows what a case owes with a draft for each way, and keeps what is sent; refuses while it is told to."""

    def __init__(self, *owed: ClockRow) -> None:
        """Begin with what is owed."""
        self.owed = list(owed)
        self.looks: list[str] = []
        self.sent: list[tuple[str, str, str]] = []
        self.refuses = False

    async def get(self, login: str, path: str, query: dict[str, str]) -> bytes:
        """Show the reports of a case."""
        self.looks.append(login)
        drafts = [{"kind": one.kind, "to": one.to, "text": f"{one.by} to {one.to}"} for one in self.owed]
        return msgspec.json.encode({"reports": {"owed": self.owed, "drafts": drafts}})

    async def post(self, login: str, path: str, cause: UUID, body: dict[str, object]) -> int:
        """Take a report."""
        if self.refuses:
            return 409
        self.sent.append((login, str(body["form"]), str(body["text"])))
        return 201


@pytest.mark.parametrize(
    ("owed", "late", "expected"),
    [
        (report("township", "county"), False, minutes(16)),
        (report("township", "county"), True, minutes(40) + LATE_BY),
        (report("township", "county", kept=Kept.MISSED), True, minutes(40) + LATE_BY),
        (report("township", "county", kept=Kept.MET), False, NEVER),
        (report("township", "county", kept=Kept.ENDED), True, NEVER),
        (report("county", "city", due=None, kept=Kept.WAITING), False, NEVER),
    ],
)
def test_reports_are_made_within_their_time_or_on_purpose_later(
    owed: ClockRow, late: bool, expected: datetime
) -> None:
    """Before anybody is reminded; what is made, ended or still waits is not made."""
    assert writing_time(owed, late=late) == expected


async def test_each_level_makes_its_own_reports_when_their_time_comes() -> None:
    """The township calls first and writes later, the county's own are last; nobody looks at a case in between."""
    console = FakeConsole(
        report("unit", "county", due=100),
        report("township", "county", form="phone", due=20),
        report("county", "city", due=120),
    )
    reporting = Reporting(console.get, console.post)
    for after in (0, 4, 8):
        await reporting.go_on(case(1), minutes(after))
    assert console.sent == [("t101", "phone", "township to county")]
    assert console.looks == ["c00", "c00", "t101"]
    console.owed[1] = structs.replace(console.owed[1], kept=Kept.MET)
    await reporting.go_on(structs.replace(case(1), version=2), minutes(48))
    assert [login for login, _, _ in console.sent] == ["t101", "t101", "c00"]


async def test_one_township_in_four_is_late() -> None:
    """Its report comes after the limit; the county above it is in time all the same."""
    console = FakeConsole(report("township", "county"), report("county", "city"))
    reporting = Reporting(console.get, console.post)
    await reporting.go_on(case(4), minutes(16))
    assert [login for login, _, _ in console.sent] == ["c00"]
    await reporting.go_on(structs.replace(case(4), version=2), minutes(56))
    assert ("t101", "written", "township to county") in console.sent


async def test_what_was_refused_is_tried_again() -> None:
    """A conflict is not the end: the report is sent some minutes later, though the case did not change."""
    console = FakeConsole(report("city", "province"))
    console.refuses = True
    reporting = Reporting(console.get, console.post)
    await reporting.go_on(case(1), minutes(20))
    console.refuses = False
    await reporting.go_on(case(1), minutes(22))
    assert console.sent == []
    await reporting.go_on(case(1), minutes(25))
    assert console.sent == [("s00", "written", "city to province")]
