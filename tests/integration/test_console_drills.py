"""Drills and reviews on the console: pages without a script, forms, the API, and the file for the archive."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from console_world import COUNTY, NOISE, QINGXI, RULES, START, USERS, Console, Seat, case_of, running_console
from drill_world import hear
from typer.testing import CliRunner

from dashboards.review import standalone
from domain.clock import EPOCH, Clock
from domain.incidents import TaskState
from fenghuo.cli import create_cli
from responders.dispatch import act_on_timers
from responders.store import Store
from responders.views import Role, Viewer

FORM = {"Accept": "text/html"}


class Played:
    """A console whose county clock the test moves."""

    def __init__(self, console: Console) -> None:
        """Stand still at the start."""
        self.console, self.store, self.rules, self.now = console, console.store, RULES, START

    async def go(self, minutes: float = 0) -> None:
        """Let time pass, and what it brings come in."""
        self.now += timedelta(minutes=minutes)
        await self.store.set_clock(Clock(wall_anchor=EPOCH, county_anchor=self.now, factor=0.0))
        await act_on_timers(self.store, self.rules)
        await hear(self)


@pytest_asyncio.fixture
async def played(database: str) -> AsyncIterator[Played]:
    """Serve a console over a filled database with one real case."""
    async with running_console(database) as running:
        await running.raise_alerts(NOISE)
        world = Played(running)
        await world.go()
        yield world


async def send_form(seat: Seat, path: str, **fields: str) -> Any:
    """Send a form as a browser does."""
    return await seat.client.post(
        path, data=fields, headers={"Origin": seat.origin, **FORM}, allow_redirects=False
    )


async def begin(played: Played, seat: Seat) -> UUID:
    """Begin the shipped scenario of the river by the page's form."""
    page = await (await seat.page("/drills")).text()
    key = re.search(r'name="key" value="([0-9a-f-]{36})"', page)
    assert key is not None
    answer = await send_form(seat, "/drills", key=key[1], scenario="river-leak", county=COUNTY)
    assert answer.status == 303
    again = await send_form(seat, "/drills", key=key[1], scenario="river-leak", county=COUNTY)
    assert again.headers["Location"] == answer.headers["Location"]  # sent twice, begun once
    await played.go()
    return UUID(answer.headers["Location"].rpartition("/")[2])


async def test_a_drill_from_the_form_to_the_printed_review(played: Played) -> None:
    """Begun by a commander, seen by the township, reviewed with a point to mend, and told as reviewed."""
    county, qingxi = await played.console.seat("county"), await played.console.seat("qingxi")
    drill = await begin(played, county)
    page = await (await qingxi.page(f"/drills/{drill}")).text()
    assert "演 练" in page and "河流上游危化品泄漏" in page and "终止演练" not in page
    assert "<script" not in page and "style=" not in page
    review = (await (await county.get(f"/api/v1/drills/{drill}")).json())["review"]
    incident = UUID(review["cases"][0]["row"]["id"])
    await played.go(10)
    assert (await county.act(incident, "acknowledge")).status == 200
    assert (await county.act(incident, "close")).status == 200
    path = f"/incidents/{incident}/review"
    assert "复盘完成" in await (await county.page(path)).text()
    due = date(2026, 3, 9).isoformat()
    point = {"kind": "point", "text": "补装<b>卫星</b>电话", "area": QINGXI, "post": "", "due": due}
    key = str(uuid4())
    for _ in range(2):
        assert (await send_form(county, f"{path}/notes", key=key, **point)).status == 303
    told = await (await county.page(path)).text()
    assert (
        told.count("补装&lt;b&gt;卫星&lt;/b&gt;电话") == 2
    )  # the point, and the choice of what is mended; no line
    assert "责任单位：青溪镇值班室，期限 2026-03-09" in told
    assert (await send_form(county, f"{path}/finish", key=str(uuid4()), note="及时")).status == 303
    assert "已复盘" in await (await county.page(path)).text()
    english = await (await county.page(f"{path}?lang=en")).text()
    assert "After-action review" in english and "Moved to: Reviewed" in english


async def test_what_a_form_gets_wrong_is_told_in_words(played: Played) -> None:
    """Every fault at once; a grid worker may look and not write, a township may not begin a drill."""
    county, wangge, qingxi = [await played.console.seat(login) for login in ("county", "wangge", "qingxi")]
    path = f"/incidents/{case_of(NOISE)}/review/notes"
    faulty = await send_form(county, path, key=str(uuid4()), kind="point", text="")
    assert faulty.status == 400
    told = await faulty.text()
    assert all(word in told for word in ("请填写内容", "整改须指明责任单位", "整改须有期限"))
    assert (await send_form(county, path, kind="good", text="好")).status == 400
    assert (
        await send_form(county, "/drills", key=str(uuid4()), scenario="none", county=COUNTY)
    ).status == 400
    wrong = await county.send(
        "drills", {"scenario": "river-leak", "county": COUNTY, "places": {"Z": "1", "A": "2"}}
    )
    assert wrong.status == 400
    assert [fault["field"] for fault in (await wrong.json())["faults"]] == ["place Z", "place A"]
    assert (await qingxi.send("drills", {"scenario": "river-leak", "county": COUNTY})).status == 404
    drill = await begin(played, county)
    mine = (await (await wangge.get(f"/api/v1/drills/{drill}")).json())["review"]["cases"]
    assert mine == []
    assert "开始演练" not in await (await wangge.page("/drills")).text()
    assert (await county.page(f"/drills/{uuid4()}")).status == 404
    assert (await county.page("/drills/nothing")).status == 404


async def test_the_api_starts_stops_and_reviews(played: Played) -> None:
    """The same key again is the same drill; notes are taken on real cases too."""
    county, key = await played.console.seat("county"), uuid4()
    wish = {"scenario": "river-leak", "county": COUNTY, "places": {"A": "990101102"}}
    started = [(await (await county.send("drills", wish, key)).json())["drill"] for _ in range(2)]
    assert started[0] == started[1]
    await played.go()
    listed = await (await county.get("/api/v1/drills")).json()
    assert [(row["scenario"], row["taken"], row["cases"]) for row in listed["drills"]] == [
        ("river-leak", 1, 1)
    ]
    assert {one["slug"] for one in listed["scenarios"]} >= {"river-leak"}
    assert await (await county.send(f"drills/{started[0]}/stop")).json() == {"closed": 1}
    real = case_of(NOISE)
    note = {"kind": "good", "text": "到场快"}
    assert (await county.send(f"incidents/{real}/review/notes", note)).status == 200
    review = (await (await county.get(f"/api/v1/incidents/{real}/review")).json())["review"]
    assert [point["text"] for point in review["points"]] == ["到场快"]
    assert (await county.page(f"/incidents/{real}/review")).status == 200


async def test_the_command_line_begins_stops_and_writes_the_file(
    played: Played, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file that needs nothing beside it; wrong wishes are told with exit status and field."""
    monkeypatch.setenv("FENGHUO_DATABASE_DSN", database)

    async def run(*words: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, create_cli(), ["drill", *words])

    begun = await run("start", "river-leak", "--county", COUNTY, "--place", f"A={QINGXI}", "--json")
    assert begun.exit_code == 0, begun.output
    drill = json.loads(begun.output)["drill"]
    await played.go()
    incident = json.loads((await run("review", drill, "--json")).output)["cases"][0]["row"]["id"]
    task = (await played.store.incident(viewer_of(), UUID(incident))).tasks[0]
    await played.store.move_task(viewer_of(), task.id, TaskState.ACCEPTED, "", uuid4())
    told = await run("review", drill)
    assert "确认" not in told.output and "acknowledged" in told.output
    listed = (await run("list")).output
    assert (listed.count("runs"), str(drill) in listed) == (1, True)
    file = tmp_path / "review.html"
    assert (await run("review", drill, "--html", str(file))).exit_code == 0
    text = file.read_text(encoding="utf-8")
    assert (
        text.startswith("<!doctype html>") and "@page" in text and "href=" not in text and "src=" not in text
    )
    assert (await run("review", incident, "--html", str(file), "--english")).exit_code == 0
    assert "Task accepted" in file.read_text(encoding="utf-8")
    assert json.loads((await run("stop", drill, "--json")).output)["closed"] == 1
    assert "river-leak" in (await run("scenarios")).output
    wrong = await run("start", "flood", "--county", COUNTY, "--place", "A", "--at", "tomorrow")
    assert {fault.field for fault in wrong.exception.faults} == {"scenario", "place", "at"}


def viewer_of() -> Viewer:
    """Sign the county in."""
    (user,) = (one for one in USERS if one.login == "county")
    return Viewer(user=user.id, login=user.login, display=user.display, role=Role.COMMANDER, area=user.area)


async def test_a_review_says_nothing_of_who_somebody_is(played: Played, database: str) -> None:
    """Posts are named; no login and no account appears in the file."""
    county = await played.console.seat("county")
    drill = await begin(played, county)
    async with Store.open(database, 2) as store:
        text = standalone(await store.reviews.drill(drill))
    assert "青溪镇值班室" in text
    assert not re.search(r"\bqingxi\b|\bwangge\b|username|login", text)
