"""`fenghuo import tickets` as an operator runs it, against a real gateway."""

import asyncio
import csv
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from aiohttp import web
from hotline_world import COUNTY, TOKEN, Hotline, open_hotline

from domain.hotline import Status
from fenghuo.tickets.sending import ORDERS_PER_BODY, state_path

HEAD = "工单编号,来电时间,乡镇,事发地址,诉求内容,来电人,联系电话,工单状态"
START = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
async def hotline(broker: str) -> AsyncIterator[Hotline]:
    """A running gateway."""
    async with open_hotline(broker) as opened:
        yield opened


async def start(file: Path, gateway: str, *more: str) -> asyncio.subprocess.Process:
    """Start the command."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fenghuo", "import", "tickets", str(file), "--gateway", gateway, *more),
        env={**os.environ, "FENGHUO_IMPORT_TOKEN": TOKEN},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(file: Path, gateway: str, *more: str) -> tuple[int | None, str, str]:
    """Run the command to its end."""
    process = await start(file, gateway, *more)
    async with asyncio.timeout(120):
        out, errors = await process.communicate()
    return process.returncode, out.decode(), errors.decode()


async def answer(file: Path, gateway: str) -> tuple[int | None, dict[str, Any]]:
    """Run the command and read its JSON."""
    status, out, errors = await run(file, gateway, "--json")
    assert "13800" not in out + errors
    return status, json.loads(out)


def row(number: int, *, address: str = "河口村桥头", state: str = "办理中") -> str:
    """Write a row of an export."""
    at = START + timedelta(minutes=number)
    return (
        f"GD{number:05},{at.year}年{at.month}月{at.day}日 {at:%H:%M},青石镇,{address},"
        f"水渠发黑请回电13800000001,测试来电人{number},13800000001,{state}"
    )


def write(path: Path, rows: list[str], encoding: str) -> Path:
    """Write an export."""
    path.write_bytes("\r\n".join([HEAD, *rows]).encode(encoding))
    return path


async def test_an_export_in_gbk_with_good_and_bad_rows(hotline: Hotline, tmp_path: Path) -> None:
    """Good rows go to the gateway, those of the others that only it can judge too; each is told, none with its value."""
    rows = [row(3), row(1), row(2, address="不知道哪儿").replace("青石镇", "某处"), row(1, state="已办结")]
    file = write(tmp_path / "导出.csv", [*rows, row(9).replace("办理中", "13800000001")], "gb18030")
    status, done = await answer(file, hotline.url)
    assert (status, done["rows"], done["accepted"], done["refused"], done["repeated"]) == (1, 5, 3, 2, 1)
    tickets = await hotline.written()
    assert [ticket.order_number for ticket in tickets] == ["GD00001", "GD00001", "GD00003"]
    assert [ticket.status for ticket in tickets] == [Status.HANDLING, Status.DONE, Status.HANDLING]
    assert {ticket.area for ticket in tickets} == {f"{COUNTY}101001"}
    assert all(ticket.sealed and "〔电话〕" in ticket.text for ticket in tickets)
    report = file.with_name(done["report"]).read_text(encoding="utf-8-sig")
    assert "13800000001" not in report
    faults = [(line["row"], line["column"], line["field"]) for line in csv.DictReader(report.splitlines())]
    assert faults == [("4", "D", "address"), ("6", "H", "status")]
    assert not state_path(file).exists()


async def test_a_file_with_a_mark_sent_twice(hotline: Hotline, tmp_path: Path) -> None:
    """UTF-8 with a BOM; the second time the same ids come out, and nothing of the first is in the way."""
    file = write(tmp_path / "a.csv", [row(number) for number in range(700)], "utf-8-sig")
    for _ in range(2):
        status, done = await answer(file, hotline.url)
        assert (status, done["accepted"], done["resumed"], done["report"]) == (0, 700, 0, None)
    ids = Counter(ticket.id for ticket in await hotline.written())
    assert (len(ids), set(ids.values())) == (700, {2})


async def test_a_workbook_with_merged_cells(hotline: Hotline, tmp_path: Path) -> None:
    """The township of several rows is written once; a dry run sends nothing."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["热线工单"])
    sheet.append(HEAD.split(","))
    for number in range(3):
        sheet.append(row(number).split(","))
    sheet.merge_cells("A1:H1")
    sheet.merge_cells("C3:C5")
    file = tmp_path / "a.xlsx"
    book.save(file)
    assert (await run(file, hotline.url, "--dry-run"))[0] == 0
    assert await hotline.written() == []
    status, done = await answer(file, hotline.url)
    assert (status, done["accepted"]) == (0, 3)
    assert {ticket.address for ticket in await hotline.written()} == {"青石镇河口村桥头"}


class Gate:
    """Stands before a gateway and lets a number of bodies pass; the next ones wait."""

    def __init__(self, hotline: Hotline, passes: int) -> None:
        self._hotline = hotline
        self._passes = passes
        self.held = asyncio.Event()
        self.opened = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        """Pass a body on, or hold it."""
        if self._passes == 0:
            self.held.set()
            await self.opened.wait()
            return web.Response(status=503)
        self._passes -= 1
        async with self._hotline.session.post(
            f"{self._hotline.url}/v1/tickets",
            data=await request.read(),
            headers={"Authorization": request.headers["Authorization"], "Content-Type": "application/json"},
        ) as passed:
            return web.Response(body=await passed.read(), status=passed.status)


async def test_an_import_that_is_killed_goes_on_where_it_was(
    hotline: Hotline, tmp_path: Path, free_port: int
) -> None:
    """What was accepted before the kill is not sent again, and nothing is missing in the end."""
    count = 3 * ORDERS_PER_BODY + 10
    rows = [row(number) for number in range(count)]
    rows[7] = row(7, address="不知道哪儿").replace("青石镇", "某处")
    file = write(tmp_path / "a.csv", rows, "utf-8")
    gate = Gate(hotline, passes=3)  # the first body is sent twice: one of its orders is refused
    application = web.Application()
    application.router.add_post("/v1/tickets", gate.take)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", free_port).start()
        address = f"http://127.0.0.1:{free_port}"
        process = await start(file, address)
        async with asyncio.timeout(120):
            await gate.held.wait()
            process.send_signal(signal.SIGKILL)
            await process.wait()
        state = state_path(file).read_text()
        assert "13800" not in state and "测试来电人" not in state
        gate._passes = 100
        status, done = await answer(file, address)
    finally:
        gate.opened.set()
        await runner.cleanup()
    assert (status, done["resumed"]) == (1, 2 * ORDERS_PER_BODY)
    assert (done["accepted"], done["refused"]) == (count - 1, 1)
    numbers = [ticket.order_number for ticket in await hotline.written()]
    assert len(numbers) == len(set(numbers)) == count - 1
    assert "row" in file.with_name(done["report"]).read_text(encoding="utf-8-sig")


async def test_what_stops_an_import_is_one_sentence(hotline: Hotline, tmp_path: Path) -> None:
    """A wrong token, no gateway, no file: status 1 and a reason."""
    file = write(tmp_path / "a.csv", [row(1)], "utf-8")
    for arguments, told in (
        ((file, hotline.url, "--token", "wrong"), "401"),
        ((file, "ftp://somewhere"), "--gateway: must be an address"),
        ((tmp_path / "none.csv", hotline.url), "cannot be read"),
    ):
        status, _, errors = await run(*arguments)
        assert status == 1
        assert told in errors and "Traceback" not in errors
