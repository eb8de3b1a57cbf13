"""Logs of days and special reports: what stands in them, who may write and sign; what was signed or issued stays."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiohttp import ClientResponse
from command_world import begin_storm, set_clock
from console_world import COUNTY, QINGXI, RIVER, RULES, START, Console, Seat, case_of, running_console

from domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from responders.dispatch import act_on_timers
from responders.papers import SpecialText
from responders.views import Role, Viewer


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a county in a storm."""
    async with running_console(database) as running:
        await begin_storm(running)
        yield running


async def viewer_of(console: Console, login: str) -> Viewer:
    """Look as an account does."""
    user = next(user for user in await console.store.users() if user.login == login)
    return Viewer(user=user.id, login=user.login, display=user.display, role=user.role, area=user.area)


async def post(seat: Seat, path: str, **fields: str) -> ClientResponse:
    """Send a form of a page."""
    return await seat.client.post(
        path,
        data={"key": str(uuid4()), **fields},
        headers={"Origin": seat.origin, "Accept": "text/html"},
        allow_redirects=False,
    )


TODAY = (START + timedelta(hours=8)).date()


async def test_the_log_holds_the_day(console: Console) -> None:
    """Who was on duty, which cases, what was told, what was noted; a case of another area is not there."""
    await (await console.seat("qingxi")).act(case_of(RIVER), "acknowledge")
    town = await viewer_of(console, "qingxi")
    await console.store.papers.note(town, "", "县领导来电询问水质", uuid4())
    log = await console.store.papers.day(town)
    record = log.record
    assert (record.area, record.day, record.area_name) == (QINGXI, TODAY, "青溪镇")
    (shift,) = record.shifts
    assert (shift.display, shift.ends_at - shift.starts_at) == ("青溪镇值班室", timedelta(hours=24)), (
        "the day's part"
    )
    assert {one.title for one in record.cases} == {"水环境污染 · 青溪镇", "欠薪讨薪 · 青溪镇"}
    river = next(one for one in record.cases if one.id == case_of(RIVER))
    assert (river.is_new, river.acknowledged_by, river.ended_at) == (True, "青溪镇值班室", None)
    assert sum(one.count for one in record.pages) > 0
    assert [one.text for one in record.notes] == ["县领导来电询问水质"]
    before = await console.store.papers.day(town, day=TODAY - timedelta(days=1))
    assert before.record.cases == ()


async def test_a_signature_covers_what_stood_there(console: Console) -> None:
    """Signed once for one content; what is added later shows, and can be signed again."""
    county = await viewer_of(console, "county")
    key = uuid4()
    for _ in range(2):  # a form that is sent twice
        await console.store.papers.sign(county, COUNTY, TODAY, "无异常", key)
    log = await console.store.papers.day(county)
    assert [one.number for one in log.signatures] == [1]
    assert log.unchanged
    with pytest.raises(Conflict):
        await console.store.papers.sign(county, COUNTY, TODAY, "", uuid4())
    await console.store.papers.note(county, COUNTY, "补记", uuid4())
    assert not (await console.store.papers.day(county)).unchanged
    await console.store.papers.sign(county, COUNTY, TODAY, "", uuid4())
    assert [one.number for one in (await console.store.papers.day(county)).signatures] == [1, 2]
    with pytest.raises(Conflict):
        await console.store.papers.sign(county, COUNTY, TODAY + timedelta(days=1), "", uuid4())


async def test_foreign_areas_and_other_roles_are_refused(console: Console) -> None:
    """A township does not read the county's log; grid workers and displays write nothing."""
    town = await viewer_of(console, "qingxi")
    for area in (COUNTY, "990101102", "x"):
        with pytest.raises(NotFound):
            await console.store.papers.day(town, area)
    for login in ("wangge", "wall", "admin"):
        other = await viewer_of(console, login)
        assert other.role in (Role.GRID, Role.DISPLAY, Role.ADMIN)
        with pytest.raises(NotAllowed):
            await console.store.papers.note(other, "", "x", uuid4())
        with pytest.raises(NotAllowed):
            await console.store.papers.begin(other, case_of(RIVER), uuid4())
    with pytest.raises(InvalidInput):
        await console.store.papers.note(town, "", "  ", uuid4())


async def test_a_special_report_is_drafted_written_and_issued(console: Console) -> None:
    """From the record of a case to a number that stays."""
    seat = await console.seat("qingxi")
    await seat.act(case_of(RIVER), "acknowledge")
    await seat.act(case_of(RIVER), "disposition", {"verdict": "true"})
    await act_on_timers(console.store, RULES)
    town = await viewer_of(console, "qingxi")
    papers = console.store.papers
    key = uuid4()
    report = await papers.begin(town, case_of(RIVER), key)
    assert await papers.begin(town, case_of(RIVER), key) == report
    draft = await papers.special(town, report)
    assert draft.title == "关于青溪镇水环境污染的情况"
    assert RIVER.zh in draft.situation
    assert "青溪镇值班室" in draft.measures
    assert "报送" in draft.next
    text = SpecialText(title="关于青溪河水质异常的情况", situation="甲", measures="乙", next="丙")
    await papers.write(town, report, text, 1, uuid4())
    with pytest.raises(Conflict, match="其他人已修改"):
        await papers.write(town, report, text, 1, uuid4())
    await papers.issue(town, report, 2, uuid4())
    issued = await papers.special(town, report)
    assert (issued.year, issued.number, issued.version, issued.situation) == (2026, 1, 2, "甲")
    with pytest.raises(Conflict, match="不能更改"):
        await papers.write(town, report, text, 2, uuid4())
    assert [one.id for one in await papers.specials(await viewer_of(console, "county"))] == [report]
    with pytest.raises(NotFound):
        await papers.special(await viewer_of(console, "baishi"), report)


async def test_a_theme_needs_words_before_it_is_issued(console: Console) -> None:
    """Every fault at once, and numbers count within the area and year."""
    county = await viewer_of(console, "county")
    papers = console.store.papers
    first, second = [await papers.begin(county, None, uuid4()) for _ in range(2)]
    with pytest.raises(InvalidInput) as told:
        await papers.issue(county, first, 1, uuid4())
    assert {fault.field for fault in told.value.faults} == {"title", "situation"}
    for report in (first, second):
        await papers.write(
            county, report, SpecialText(title="防汛", situation="甲", measures="", next=""), 1, uuid4()
        )
        await papers.issue(county, report, 2, uuid4())
    assert [(await papers.special(county, one)).number for one in (first, second)] == [1, 2]


async def test_the_pages_work_without_a_script(console: Console) -> None:
    """Note, sign, begin, write and issue by forms; what people type is escaped."""
    seat = await console.seat("county")
    assert (await post(seat, "/day-log/notes", area=COUNTY, text="<b>记</b>")).status == 303
    assert (await post(seat, "/day-log/sign", area=COUNTY, day=str(TODAY), remark="")).status == 303
    text = await (await seat.page("/day-log")).text()
    assert "&lt;b&gt;记&lt;/b&gt;" in text
    assert "第 1 次：示例县应急指挥中心" in text
    begun = await post(seat, "/special-reports", incident=str(case_of(RIVER)))
    path = begun.headers["Location"]
    assert UUID(path.rpartition("/")[2])
    page = await (await seat.page(path)).text()
    assert "基本情况" in page and "未印发" in page
    fields = {"title": "情况", "situation": "甲\r\n乙", "measures": "", "next": "", "version": "1"}
    assert (await post(seat, path, **fields)).status == 303
    assert (await post(seat, path, **fields)).status == 409
    assert (await post(seat, f"{path}/issue", version="2")).status == 303
    page = await (await seat.page(path)).text()
    assert re.search(r"〔2026〕第 1 期", page)
    assert '<form method="post" action="/special-reports' not in page
    assert "情况" in await (await seat.page("/special-reports")).text()
    assert (await seat.page("/special-reports/none")).status == 404
    await set_clock(console, 60 * 24)
    assert "县领导" not in await (await seat.page("/day-log?lang=en")).text()
