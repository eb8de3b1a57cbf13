"""Reports that the law asks for over the console's API and as pages: drafted, made once, printed, refused with reasons."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from console_world import RIVER, RULES, Console, Seat, case_of, running_console

from dashboards.reports import laid_out

CASE = f"incidents/{case_of(RIVER)}"
EVIL = "《青溪镇<script>alert(1)</script>报告》\n一、伤亡：<b>待核实</b> & “不明”"


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database with one major case, whose clocks run."""
    async with running_console(database) as running:
        await running.raise_alerts(RIVER)
        while await running.store.clocks.plan_next(RULES):
            pass
        yield running


async def reports(seat: Seat) -> dict[str, Any]:
    """Read the case's reports as somebody sees them."""
    answer = await seat.get(f"/api/v1/{CASE}/reports")
    assert answer.status == 200, await answer.text()
    found: dict[str, Any] = (await answer.json())["reports"]
    return found


async def make(seat: Seat, *, status: int = 201, key: Any = None, **body: str) -> dict[str, Any]:
    """Make a report; what is answered."""
    wish = {"kind": "first", "to": "city", "text": "青溪河断面超标"} | body
    answer = await seat.send(f"{CASE}/reports", wish, key)
    assert answer.status == status, await answer.text()
    found: dict[str, Any] = await answer.json()
    return found


async def test_what_is_owed_with_drafts_of_ones_own(console: Console) -> None:
    """Everybody who sees the case sees its clocks; drafts are of the viewer's own level."""
    county, qingxi, grid = [await console.seat(login) for login in ("county", "qingxi", "wangge")]
    owed = (await reports(county))["owed"]
    assert {(one["clock"], one["to"], one["form"]) for one in owed} == {
        ("general", "city", "written"),
        ("general", "province", "written"),
        ("township-practice", "county", "phone"),
        ("township-practice", "county", "written"),
    }
    assert {one["kept"] for one in owed} == {"running"}
    page = (await (await county.get(f"/api/v1/{CASE}")).json())["incident"]
    assert page["clocks"] == owed
    (draft,) = (await reports(county))["drafts"]
    assert (draft["by"], draft["to"], draft["issue"]) == ("county", "city", 1)
    assert draft["text"].startswith("《青溪镇水环境污染事件信息报告》\n（首报第1期）")
    assert [(one["by"], one["to"]) for one in (await reports(qingxi))["drafts"]] == [("township", "county")]
    assert (await grid.get(f"/api/v1/{CASE}/reports")).status == 404  # the case lies above the village


async def test_a_report_is_made_once_and_printed_as_it_was_made(console: Console) -> None:
    """The same key again is the same report; the page escapes every character, and says who made it."""
    county, key = await console.seat("county"), uuid4()
    made = [(await make(county, key=key, text=EVIL))["report"] for _ in range(2)]
    assert made[0] == made[1]
    shown = await reports(county)
    assert [one["digest"] for one in shown["versions"]] == [made[0]["digest"]]
    assert [one["kept"] for one in shown["owed"] if one["to"] == "city" and one["kind"] == "first"] == ["met"]
    answer = await county.page(f"/{CASE}/reports/first/1")
    page = await answer.text()
    assert (answer.status, "alert(1)" in page, "<script>alert" in page) == (200, True, False)
    assert "<p>一、伤亡：&lt;b&gt;待核实&lt;/b&gt; &amp; “不明”</p>" in page
    assert made[0]["digest"] in page and "示例县应急指挥中心" in page and "report.css" in page
    assert "草稿" not in page


def test_a_letter_is_laid_out_by_its_parts() -> None:
    """Heading, number, title and signature where they are; any other text as it stands."""
    text = "《某镇事件信息报告》\n（首报第1期）\n\n【演练】关于某镇事件的首报\n\n一、时间：…\n某县值班室\n2026年5月1日"
    parts = [part for part, _ in laid_out(text)]
    assert parts == ["heading", "centre", "", "title", "", "", "sign", "sign"]
    assert laid_out("一句话") == [("heading", "一句话")]
    assert [part for part, _ in laid_out("甲\n2026年5月1日")] == ["heading", ""]
    assert laid_out("") == [("heading", "")]


async def test_a_draft_is_a_page_too(console: Console) -> None:
    """Marked as one, in the language that the reader chose, while the letter itself is Chinese."""
    county = await console.seat("county")
    page = await (await county.page(f"/{CASE}/reports/first/draft?to=city&lang=en")).text()
    assert "Draft" in page and "示例市人民政府：" in page and 'lang="zh-CN"' in page


async def test_a_report_is_made_by_the_pages_form(console: Console) -> None:
    """Sent twice it is one; the page leads to what was made; a form without its key, or with a fault, is refused."""
    county = await console.seat("county")

    async def post(**form: str) -> Any:
        return await county.client.post(
            f"/{CASE}/reports",
            data=form,
            headers={"Origin": county.origin, "Accept": "text/html", **county.headers},
            allow_redirects=False,
        )

    form = {"key": str(uuid4()), "kind": "first", "to": "city", "form": "written", "text": "一\r\n二"}
    for _ in range(2):
        answer = await post(**form)
        assert (answer.status, answer.headers["Location"]) == (303, f"/{CASE}/reports/first/1")
    assert [one["text"] for one in (await reports(county))["versions"]] == ["一\n二"]
    assert (await post(**(form | {"key": "x"}))).status == 400
    assert (await post(**(form | {"key": str(uuid4()), "text": ""}))).status == 400
    assert (await post(**(form | {"key": str(uuid4()), "more": "x"}))).status == 400


@pytest.mark.parametrize(
    "path",
    [
        "reports/first/1",
        "reports/first/0",
        "reports/first/x",
        "reports/first/1234567",
        "reports/second/1",
        "reports/final/draft",
        "reports/first/draft?to=moon",
        "reports/first/draft?to=county",
        "reports/first/draft?to=city&more=1",
    ],
)
async def test_pages_that_there_are_not(console: Console, path: str) -> None:
    """A kind, a number or a level that does not exist is told in words."""
    answer = await (await console.seat("county")).page(f"/{CASE}/{path}")
    assert answer.status in (400, 404)
    assert "Traceback" not in await answer.text()


async def test_bad_input_is_told_by_field(console: Console) -> None:
    """Each fault with its field; nothing is kept."""
    county = await console.seat("county")
    for body, fields in (
        ({"to": "moon"}, {"to"}),
        ({"kind": "second"}, {"kind"}),
        ({"form": "fax"}, {"form"}),
        ({"text": " "}, {"text"}),
        ({"text": "长" * 10_001}, {"text"}),
        ({"to": "county", "text": ""}, {"to", "text"}),
        ({"more": "x"}, {"more"}),
    ):
        told = await make(county, status=400, **body)
        assert {fault["field"] for fault in told["faults"]} == fields, told
    await make(county, status=409, kind="final")
    answer = await county.client.post(
        f"/api/v1/{CASE}/reports", json={}, headers={"Origin": county.origin, **county.headers}
    )
    assert answer.status == 400
    assert (await reports(county))["versions"] == []


async def test_who_may_not_report(console: Console) -> None:
    """Another level, another place, a grid worker, a stranger."""
    await make(await console.seat("qingxi"), status=403)
    await make(await console.seat("baishi"), status=404)
    await make(await console.seat("wangge"), status=404)
    await make(await console.seat("admin"), status=403)
    answer = await (await console.seat()).send(
        f"{CASE}/reports", {"kind": "first", "to": "city", "text": "x"}
    )
    assert answer.status == 401


async def test_closing_asks_for_reports_or_a_reason(console: Console) -> None:
    """Refused with the names of what is missing; with a reason it is closed, and the record has it."""
    county = await console.seat("county")
    refused = await county.act(case_of(RIVER), "close")
    assert refused.status == 409
    assert "向示例市人民政府首报" in (await refused.json())["detail"]
    closed = await county.act(case_of(RIVER), "close", {"note": "误接采样管，未造成影响"})
    assert closed.status == 200
    view = (await (await county.get(f"/api/v1/{CASE}")).json())["incident"]
    assert "report_waived" in {entry["kind"] for entry in view["timeline"]}
    assert {one["end_reason"] for one in view["clocks"] if one["by"] == "county"} == {"waived"}
