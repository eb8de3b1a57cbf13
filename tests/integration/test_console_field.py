"""The field app over HTTP: its files, reports with their rules, photos with their bounds."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest_asyncio
from aiohttp import ClientError
from console_world import RIVER, Console, Seat, case_of, running_console

from dashboards.photos import MAX_PHOTO_BYTES

VILLAGE = "990101101001"


def segment(marker: int, content: bytes) -> bytes:
    """Write a segment of a JPEG."""
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


def jpeg(*extra: bytes) -> bytes:
    """Write a small JPEG with some segments beside the picture."""
    frame = segment(0xC0, bytes((8, 0, 30, 0, 40, 1, 1, 0x11, 0)))
    scan = segment(0xDA, bytes((1, 1, 0, 0, 63, 0))) + b"\x12\x34"
    return b"\xff\xd8" + b"".join(extra) + frame + scan + b"\xff\xd9"


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console with a case in the grid worker's township."""
    async with running_console(database) as running:
        await running.raise_alerts(RIVER)
        yield running


def body(**changed: Any) -> dict[str, Any]:
    """Write a report as a phone sends it."""
    fields = {
        "id": str(uuid4()),
        "area": VILLAGE,
        "category": "water-pollution",
        "level": 3,
        "text": "河水发黑",
    }
    return fields | changed


async def send_photo(seat: Seat, report: str, data: bytes, kind: str = "image/jpeg") -> Any:
    """Send a photo as a phone does."""
    return await seat.client.post(
        f"/field/photos/{report}", data=data, headers={"Origin": seat.origin, "Content-Type": kind}
    )


async def test_a_grid_worker_lands_in_the_field(console: Console) -> None:
    """Signing in leads there; the page names its manifest, and administrators are led elsewhere."""
    grid, admin = await console.seat("wangge"), await console.seat("admin")
    assert (await grid.page("/")).headers["Location"] == "/field"
    assert (await grid.page("/?state=open")).status == 200
    page = await grid.page("/field")
    assert (page.status, page.headers["Cache-Control"]) == (200, "no-cache")
    assert "manifest-zh.webmanifest" in await page.text()
    assert (await admin.page("/field")).headers["Location"] == "/registry"
    nobody = await console.seat()
    assert (await nobody.page("/field")).headers["Location"].startswith("/sign-in")


async def test_everything_that_the_worker_keeps_is_there(console: Console) -> None:
    """The worker may be had by anybody, is asked for anew each time, serves /field, and names files that are all served."""
    nobody = await console.seat()
    answer = await nobody.get("/field/app/worker.js")
    text = await answer.text()
    assert (answer.headers["Service-Worker-Allowed"], answer.headers["Cache-Control"]) == (
        "/field",
        "no-cache",
    )
    assert "worker-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "manifest-src 'self'" in answer.headers["Content-Security-Policy"]
    found = re.search(r"const RELEASE = (\{.*\});", text)
    assert found is not None
    release = json.loads(found[1])
    for path in [
        *release["files"],
        *release["shells"].values(),
        *re.findall(r'from "(/static/[^"]+)"', text),
    ]:
        assert (await nobody.get(path)).status == 200, path
    shell = await (await nobody.get(release["shells"]["en"])).text()
    for path in re.findall(r'(?:href|src|data-texts)="(/(?:static|field/app)/[^"]+)"', shell):
        assert path in release["files"] or "manifest" in path, path
    manifest = await (await nobody.get("/field/app/manifest-zh.webmanifest")).json(content_type=None)
    assert (manifest["start_url"], manifest["scope"]) == ("/field", "/field")
    for icon in manifest["icons"]:
        assert (await nobody.get(icon["src"])).status == 200
    assert (await nobody.get("/field/app/shell-de.html")).status == 404


async def test_a_report_comes_once(console: Console) -> None:
    """Fifty times the same: one report, the same answer in the same bytes; numbers in its words are hidden."""
    seat, sent = await console.seat("wangge"), body(text="请回电 13800138000", age_seconds=60)
    answers = await asyncio.gather(*(seat.send("field/reports", sent) for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert len({await answer.read() for answer in answers}) == 1
    assert (await answers[0].json())["report"]["masked"] is True
    day = (await (await seat.get("/api/v1/field")).json())["day"]
    assert [report["text"] for report in day["reports"]] == ["请回电 〔电话〕"]
    officer = await console.seat("qingxi")
    listed = await (await officer.get(f"/api/v1/incidents/{case_of(RIVER)}/field-reports")).json()
    assert [report["level"] for report in listed["reports"]] == [3]
    foreign = await console.seat("baishi")
    assert (await foreign.get(f"/api/v1/incidents/{case_of(RIVER)}/field-reports")).status == 404


async def test_faults_are_told_in_the_language_of_the_phone(console: Console) -> None:
    """Every field at once, in Chinese or in English."""
    seat = await console.seat("wangge")
    faulty = body(area="990101102003", text=" ", category="platform-fault")
    answer = await seat.send("field/reports", faulty)
    faults = {fault["field"]: fault["reason"] for fault in (await answer.json())["faults"]}
    assert answer.status == 400
    assert faults == {
        "category": "没有这个类别。",
        "area": "不在您的辖区。",
        "text": "请写明看到的情况。",
    }
    seat.headers["Accept-Language"] = "en"
    answer = await seat.send("field/reports", faulty)
    assert "This place is outside your area." in (await answer.json())["detail"]
    assert (await seat.send("field/reports", body(level=5))).status == 400
    assert (await (await console.seat("admin")).send("field/reports", body())).status == 403


async def test_a_photo_loses_what_is_beside_the_picture(console: Console) -> None:
    """Where and by what it was taken is left out, whatever the phone did; officers of the area see it, others do not."""
    seat, sent = await console.seat("wangge"), body()
    taken = (await (await seat.send("field/reports", sent)).json())["report"]
    dirty = jpeg(segment(0xE1, b"Exif\x00\x00 26.1234N 119.3E"), segment(0xFE, b"a phone"))
    for _ in range(2):
        answer = await send_photo(seat, sent["id"], dirty)
        assert (answer.status, await answer.json()) == (200, {"report": taken["id"]})
    officer, foreign = await console.seat("qingxi"), await console.seat("baishi")
    shown = await officer.get(f"/field/photos/{taken['id']}")
    assert (shown.status, shown.content_type, await shown.read()) == (200, "image/jpeg", jpeg())
    assert (await foreign.get(f"/field/photos/{taken['id']}")).status == 404
    assert (await send_photo(seat, str(uuid4()), dirty)).status == 404
    assert (await send_photo(seat, "nothing", dirty)).status == 404


async def test_what_is_no_photo_is_refused(console: Console) -> None:
    """Another type, another content, half a photo: each in a sentence."""
    seat, sent = await console.seat("wangge"), body()
    await seat.send("field/reports", sent)
    assert (await send_photo(seat, sent["id"], jpeg(), "image/png")).status == 415
    for data in (b"GIF89a", jpeg()[:-2], b"\xff\xd8\xff\xd9", jpeg()[:9] + b"\xff\xd9"):
        answer = await send_photo(seat, sent["id"], data)
        assert (answer.status, (await answer.json())["faults"][0]["reason"]) == (
            400,
            "不是完整的 JPEG 照片。",
        ), data


async def test_a_photo_of_100_mb_is_refused(console: Console) -> None:
    """By its stated length before it is read, and where no length is stated as soon as it is over the bound."""
    seat, sent = await console.seat("wangge"), body()
    await seat.send("field/reports", sent)
    reader, writer = await asyncio.open_connection(console.server.host, console.server.port)
    cookies = "; ".join(f"{one.key}={one.value}" for one in seat.client.session.cookie_jar)
    head = (
        f"POST /field/photos/{sent['id']} HTTP/1.1\r\nHost: {console.server.host}:{console.server.port}\r\n"
        f"Origin: {seat.origin}\r\nCookie: {cookies}\r\nContent-Type: image/jpeg\r\n"
        f"Content-Length: {100 * 1024 * 1024}\r\n\r\n"
    )
    writer.write(head.encode())
    await writer.drain()
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    size = int(re.findall(r"Content-Length: (\d+)", answer)[0])
    told = msgspec.json.decode(await reader.readexactly(size))
    writer.close()
    assert answer.startswith("HTTP/1.1 413")
    assert told["detail"] == "photo: 照片过大（100 MB），最多 1 MB；请用本应用拍摄或选取，会自动压缩。"

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"\xff" * 65_536

    try:
        refused = await send_photo(seat, sent["id"], endless())  # type: ignore[arg-type]  # chunked
        assert refused.status == 413
    except ClientError:
        pass  # the server closed while the client was still sending
    assert MAX_PHOTO_BYTES < 200 * 65_536
