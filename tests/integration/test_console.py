"""The console over HTTP with a real PostgreSQL: sign-in, rights, commands, faults."""

import hashlib
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import console_world as world
import pytest
import pytest_asyncio
from console_world import FEVER, PASSWORD, RIVER, WAGES, Console, case_of, running_console
from msgspec import structs

from config.settings import ConsoleSettings
from dashboards.attempts import PER_LOGIN
from domain.identity import finding_id


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database."""
    async with running_console(database) as running:
        yield running


async def test_right_password_begins_a_session(console: Console) -> None:
    """Signing in leads to the goal and leaves a cookie that scripts cannot read; the store keeps only its hash."""
    seat = await console.seat()
    answer = await seat.sign_in("qingxi", goal="/?state=all")
    assert (answer.status, answer.headers["Location"]) == (303, "/?state=all")
    cookie = answer.cookies["fenghuo_session"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and not cookie["secure"]
    assert len(cookie.value) >= 43
    assert await console.store.session(cookie.value) is None
    viewer = await console.store.session(hashlib.sha256(cookie.value.encode()).hexdigest())
    assert viewer is not None and viewer.login == "qingxi"
    told = await (await seat.get("/api/v1/session")).json()
    assert told["viewer"]["display"] == "青溪镇值班室"


async def test_wrong_password_and_unknown_login_sound_alike(console: Console) -> None:
    """Nobody learns from the answer which accounts there are."""
    seat = await console.seat()
    answers = [await seat.sign_in("qingxi", "wrong"), await seat.sign_in("nobody", "wrong")]
    texts = [await answer.text() for answer in answers]
    assert [answer.status for answer in answers] == [401, 401]
    assert "账号或密码不正确" in texts[0]
    assert texts[0].replace("qingxi", "nobody") == texts[1]
    assert not any(answer.cookies for answer in answers)


async def test_too_many_attempts_are_told_in_words(console: Console) -> None:
    """After five wrong passwords even the right one waits; another login may still try."""
    seat = await console.seat(**{"Accept-Language": "en"})
    for _ in range(PER_LOGIN):
        assert (await seat.sign_in("qingxi", "wrong")).status == 401
    answer = await seat.sign_in("qingxi")
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert "Too many attempts" in await answer.text()
    assert (await seat.sign_in("baishi")).status == 303


async def test_signing_out_ends_the_session_for_good(console: Console) -> None:
    """A stolen cookie is worth nothing after the sign-out."""
    seat = await console.seat("qingxi")
    cookie = next(iter(seat.client.session.cookie_jar)).value
    answer = await seat.client.post("/sign-out", headers={"Origin": seat.origin}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/sign-in")
    thief = await console.seat(Cookie=f"fenghuo_session={cookie}")
    assert (await thief.get("/api/v1/session")).status == 401


async def test_secure_cookie(database: str) -> None:
    """Behind HTTPS the cookie is Secure and bound to the host."""
    async with running_console(database, ConsoleSettings(secure_cookie=True)) as console:
        answer = await (await console.seat()).sign_in("qingxi")
        cookie = answer.cookies["__Host-fenghuo_session"]
        assert cookie["secure"] and cookie["path"] == "/" and not cookie["domain"]
        assert "max-age" in answer.headers["Strict-Transport-Security"]


async def test_without_a_session(console: Console) -> None:
    """People are led to the sign-in and back, programs are told 401."""
    seat = await console.seat()
    page = await seat.page("/incidents/x?y=1")
    assert page.status == 303
    assert page.headers["Location"] == "/sign-in?next=/incidents/x?y%3D1"
    answer = await seat.get("/api/v1/incidents")
    assert answer.status == 401
    assert answer.content_type == "application/problem+json"
    assert (await answer.json())["code"] == "signed_out"


async def test_rights_end_at_the_area(console: Console) -> None:
    """A township sees its own cases, the county all; a neighbour's case does not exist for it."""
    await console.raise_alerts(RIVER, FEVER)
    qingxi, county = await console.seat("qingxi"), await console.seat("county")
    own = await (await qingxi.get("/api/v1/incidents")).json()
    assert [row["id"] for row in own["incidents"]] == [str(case_of(RIVER))]
    assert len((await (await county.get("/api/v1/incidents")).json())["incidents"]) >= 2
    foreign = f"/api/v1/incidents/{case_of(FEVER)}"
    assert (await qingxi.get(foreign)).status == 404
    assert (await qingxi.page(f"/incidents/{case_of(FEVER)}")).status == 404
    for action, body in (
        ("acknowledge", {}),
        ("take-over", {}),
        ("disposition", {"verdict": "false"}),
        ("move", {"state": "closed"}),
        ("close", {}),
    ):
        assert (await qingxi.act(case_of(FEVER), action, body)).status == 404, action
    curve = "/curve?since=2026-03-01T00:00:00Z&until=2026-03-02T00:00:00Z"
    assert (await qingxi.get(f"/api/v1/series/river-3-cod{curve}")).status == 404
    assert (await qingxi.get(f"/api/v1/series/river-1-cod{curve}")).status == 200


async def test_rights_end_at_the_role(console: Console) -> None:
    """A grid worker sees and does not decide; an administrator has no cases, is led to the stations, and can leave."""
    village = world.alert(
        "water-pollution",
        "990101101001",
        world.Level.YELLOW,
        (world.river_finding(2, "990101101001"),),
        "超限",
        "Over",
    )
    await console.raise_alerts(village)
    grid, admin = await console.seat("wangge"), await console.seat("admin")
    assert (await grid.get(f"/api/v1/incidents/{case_of(village)}")).status == 200
    answer = await grid.act(case_of(village), "acknowledge")
    assert (answer.status, (await answer.json())["code"]) == (403, "not_allowed")
    page = await admin.page("/")
    assert (page.status, page.headers["Location"]) == (303, "/registry")
    page = await admin.page(f"/incidents/{case_of(village)}")
    assert page.status == 403
    assert "/sign-out" in await page.text()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", None])
async def test_commands_come_from_our_own_pages(console: Console, origin: str | None) -> None:
    """A POST with a foreign origin, or none, is refused and does nothing."""
    await console.raise_alerts(RIVER)
    seat = await console.seat("qingxi")
    headers = {"Idempotency-Key": str(uuid4())} | ({} if origin is None else {"Origin": origin})
    for path in (f"/api/v1/incidents/{case_of(RIVER)}/acknowledge", "/sign-out", "/sign-in"):
        answer = await seat.client.post(path, headers=headers, allow_redirects=False)
        assert answer.status == 403, path
    view = await (await seat.get(f"/api/v1/incidents/{case_of(RIVER)}")).json()
    assert view["incident"]["row"]["acknowledged_at"] is None


async def test_two_officers_acknowledge(console: Console) -> None:
    """The second is told who was first and when; the first one's word stands."""
    await console.raise_alerts(RIVER)
    first, second = await console.seat("qingxi"), await console.seat("county")
    answer = await first.act(case_of(RIVER), "acknowledge")
    row = (await answer.json())["incident"]
    assert (answer.status, row["acknowledged_by"], row["holder"]) == (200, "青溪镇值班室", "青溪镇值班室")
    refused = await second.act(case_of(RIVER), "acknowledge")
    problem = await refused.json()
    assert refused.status == 409
    assert problem["acknowledged_by"] == "青溪镇值班室"
    assert problem["acknowledged_at"] == row["acknowledged_at"]
    assert "青溪镇值班室 已于" in problem["detail"]
    taken = await (await second.act(case_of(RIVER), "take-over")).json()
    assert taken["incident"]["holder"] == "示例县应急指挥中心"
    assert taken["incident"]["acknowledged_by"] == "青溪镇值班室"


async def test_the_same_command_twice_is_done_once(console: Console) -> None:
    """A command repeated with its key gets the same answer; one without a key is refused."""
    await console.raise_alerts(RIVER)
    seat, key = await console.seat("qingxi"), uuid4()
    answers = [await (await seat.act(case_of(RIVER), "acknowledge", key=key)).json() for _ in range(2)]
    assert answers[0] == answers[1]
    keyless = await seat.client.post(
        f"/api/v1/incidents/{case_of(RIVER)}/take-over", json={}, headers={"Origin": seat.origin}
    )
    assert keyless.status == 400
    assert (await keyless.json())["faults"][0]["field"] == "Idempotency-Key"


async def test_all_faults_of_a_command_are_told(console: Console) -> None:
    """A faulty body is refused with each fault by field, and nothing is done."""
    await console.raise_alerts(RIVER)
    seat = await console.seat("qingxi")
    answer = await seat.act(case_of(RIVER), "disposition", {"verdict": "maybe", "note": 5, "extra": 1})
    problem = await answer.json()
    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert {fault["field"] for fault in problem["faults"]} == {"verdict", "note", "extra"}
    assert (await seat.act(case_of(RIVER), "move", [])).status == 400
    assert (await seat.act(case_of(RIVER), "close", {"note": "长" * 2001})).status == 400
    assert (await seat.act(case_of(RIVER), "acknowledge", {"x": 1})).status == 400
    headers = {"Origin": seat.origin, "Idempotency-Key": str(uuid4())}
    path = f"/api/v1/incidents/{case_of(RIVER)}/close"
    for data, kind, status in (
        (b"{", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 70_000, "application/json", 413),
        (b'{"note": NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
    ):
        answer = await seat.client.post(path, data=data, headers=headers | {"Content-Type": kind})
        assert answer.status == status, data[:10]
        assert answer.content_type == "application/problem+json"
    view = await (await seat.get(f"/api/v1/incidents/{case_of(RIVER)}")).json()
    assert view["incident"]["row"]["state"] == "detected"


async def test_faulty_queries_and_addresses(console: Console) -> None:
    """Queries are decoded strictly, ids that are none are not found, methods that do not fit are told."""
    seat = await console.seat("qingxi")
    for path, status in (
        ("/api/v1/incidents?state=odd&limit=x&more=1", 400),
        ("/api/v1/incidents/no-uuid", 404),
        (f"/api/v1/incidents/{uuid4()}", 404),
        ("/api/v1/series/river-1-cod/curve", 400),
        ("/api/v1/series/river-1-cod/curve?since=2026-03-02T00:00:00&until=2026-03-03T00:00:00Z", 400),
        ("/api/v1/series/river-1-cod/curve?since=2026-03-03T00:00:00Z&until=2026-03-02T00:00:00Z", 400),
        ("/api/v1/series/river-1-cod/curve?since=2025-03-03T00:00:00Z&until=2026-03-02T00:00:00Z", 400),
        ("/api/v1/events?after=-1", 400),
        ("/api/v1/nothing", 404),
    ):
        answer = await seat.get(path)
        assert answer.status == status, path
        assert answer.content_type == "application/problem+json", path
        assert (await answer.json())["status"] == status
    faults = (await (await seat.get("/api/v1/incidents?state=odd&limit=x&more=1")).json())["faults"]
    assert {fault["field"] for fault in faults} == {"state", "limit", "more"}
    answer = await seat.client.post("/api/v1/session", headers={"Origin": seat.origin})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")


async def test_a_case_from_acknowledgement_to_closing(console: Console) -> None:
    """Acknowledge, verify as true, respond, close: each step stands on the timeline with who did it."""
    await console.raise_alerts(RIVER)
    seat, case = await console.seat("qingxi"), case_of(RIVER)
    await seat.act(case, "acknowledge")
    assert (await seat.act(case, "disposition", {"verdict": "true", "note": "已派员到场"})).status == 200
    view = (await (await seat.get(f"/api/v1/incidents/{case}")).json())["incident"]
    assert (view["row"]["state"], view["verdict"]) == ("confirmed", "true")
    version = view["row"]["version"]
    assert (await seat.act(case, "move", {"state": "responding", "version": version})).status == 200
    stale = await seat.act(case, "move", {"state": "controlled", "version": version})
    assert stale.status == 409
    assert "。" not in (await stale.json())["detail"].rstrip("。")
    row = (await (await seat.act(case, "close", {"note": "水质恢复正常"})).json())["incident"]
    assert (row["state"], row["next_at"]) == ("closed", None)
    view = (await (await seat.get(f"/api/v1/incidents/{case}")).json())["incident"]
    own = [entry for entry in view["timeline"] if entry["actor"] == "青溪镇值班室"]
    assert own[0]["kind"] == "acknowledged"
    assert any("已派员到场" in entry["text"] for entry in own)
    assert any("水质恢复正常" in entry["text"] for entry in own)
    assert [row["id"] for row in (await (await seat.get("/api/v1/incidents")).json())["incidents"]] == []
    every = await (await seat.get("/api/v1/incidents?state=all")).json()
    assert [row["id"] for row in every["incidents"]] == [str(case)]


async def test_evidence_has_names_and_a_curve(console: Console) -> None:
    """The page gets names for what its evidence mentions, and the curve has its limits."""
    await console.raise_alerts(RIVER)
    seat = await console.seat("qingxi")
    found = await (await seat.get(f"/api/v1/incidents/{case_of(RIVER)}")).json()
    assert found["names"]["river-1-cod"] == "青溪河上游断面 化学需氧量"
    assert found["names"]["990101101"] == "青溪镇"
    path = "/api/v1/series/river-1-cod/curve?since=2026-03-01T18:00:00Z&until=2026-03-02T00:20:00%2B00:00"
    curve = await (await seat.get(path)).json()
    assert curve["unit"] == "mg/L" and len(curve["at"]) == len(curve["mean"]) > 300
    assert {limit["value"] for limit in curve["limits"]} == {30, 40}


NASTY = "</script><script>alert('x')</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


async def test_text_from_outside_is_only_text(console: Console) -> None:
    """What a ticket or an alert says never becomes part of the page."""
    finding = world.count_finding("wage-dispute", world.QINGXI, 4, 1, phrase=NASTY)
    finding = structs.replace(finding, id=finding_id("x", 1, "nasty", world.START))
    one = world.alert("wage-dispute", world.QINGXI, world.Level.YELLOW, (finding,), NASTY, NASTY)
    await console.raise_alerts(one)
    seat = await console.seat("qingxi")
    await seat.act(case_of(one), "disposition", {"verdict": "true", "note": NASTY})
    for path in ("/", f"/incidents/{case_of(one)}"):
        text = await (await seat.page(path)).text()
        text = re.sub(r"[0-9a-f]{12}", "", text)  # digests of the served files hold any digits
        assert "alert(" in text
        assert (
            "<script>" not in text
            and "<img" not in text
            and "'x'" not in text
            and "49" not in text.split("main")[0]
        )


async def test_every_answer_has_the_security_headers(console: Console) -> None:
    """Pages, files, faults and the API alike forbid foreign and inline content."""
    seat = await console.seat("qingxi")
    home = await (await seat.page("/")).text()
    style = home.split('rel="stylesheet" href="')[1].split('"')[0]
    for path in ("/", "/sign-in", style, "/api/v1/incidents", "/nothing", "/healthz", "/metrics"):
        answer = await seat.page(path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"], path
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        cached = answer.headers["Cache-Control"]
        assert ("immutable" in cached) is path.startswith("/static/"), path


async def test_language_by_query_cookie_and_browser(console: Console) -> None:
    """The switch wins and is kept; then the browser's wish; Chinese otherwise."""
    seat = await console.seat("qingxi")
    assert 'lang="zh-CN"' in await (await seat.page("/")).text()
    wish = await seat.get("/", Accept="text/html", **{"Accept-Language": "en-GB"})
    assert 'lang="en-GB"' in await wish.text()
    assert "Incidents" in await (await seat.page("/?lang=en")).text()
    assert "Incidents" in await (await seat.page("/")).text()
    assert (await (await seat.get("/api/v1/incidents/x")).json())["title"] == "Not found"
    assert "事件队列" in await (await seat.page("/?lang=zh")).text()
    assert "事件队列" in await (await seat.get("/", Accept="text/html", **{"Accept-Language": "en"})).text()


async def test_health_and_metrics(console: Console) -> None:
    """Without signing in, the machine is told that all is well, and how many requests there were."""
    seat = await console.seat()
    assert (await (await seat.get("/healthz")).json()) == {"status": "ok"}
    text = await (await seat.get("/metrics")).text()
    assert 'fenghuo_http_requests_total{route="/healthz",status="200"}' in text
    assert PASSWORD not in text


async def test_wage_dispute_is_marked_internal(console: Console) -> None:
    """What may not be told to the public is known to the page."""
    await console.raise_alerts(WAGES)
    text = await (await (await console.seat("qingxi")).page("/")).text()
    assert "wage-dispute" in text.split("internal")[1]
