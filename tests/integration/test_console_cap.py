"""The console's CAP feed over HTTP with a real PostgreSQL: who sees which messages, as what, and what is new."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import console_world as world
import pytest_asyncio
from console_world import FEVER, RIVER, WAGES, Console, running_console
from lxml import etree
from msgspec import structs

from config.settings import ConsoleSettings, Secret
from domain.cap import CapAlert, MessageType, Scope, Status
from domain.findings import Alert, AlertChange, HeldBack
from domain.levels import Level
from responders.cap import identifier_of
from streams.cap.entries import read_entries
from streams.cap.reading import read_cap

TOKEN = "token-of-the-provincial-centre"
SETTINGS = ConsoleSettings(cap_token=Secret(TOKEN), cap_sender="county.example")
ATOM = "{http://www.w3.org/2005/Atom}"
MACHINE = {"Authorization": f"Bearer {TOKEN}"}


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console with a token, over a filled database with three alerts."""
    async with running_console(database, SETTINGS) as running:
        await running.raise_alerts(RIVER, FEVER, WAGES)
        yield running


def later(alert: Alert, number: int, change: AlertChange, **changes: Any) -> Alert:
    """Make a later version."""
    at = alert.opened_at + timedelta(minutes=number)
    return structs.replace(alert, version=number, change=change, changed_at=at, **changes)


async def feed(seat: Any, **headers: str) -> list[str]:
    """Read the feed; the identifiers in it, as they stand."""
    answer = await seat.get("/cap/feed.atom", **headers)
    assert answer.status == 200, await answer.text()
    assert answer.content_type == "application/atom+xml"
    root = etree.fromstring(await answer.read())
    return [
        name.removeprefix("urn:fenghuo:cap:")
        for name in root.xpath("//*[local-name()='entry']/*[local-name()='id']/text()")
    ]


async def read(seat: Any, identifier: str, **headers: str) -> CapAlert:
    """Read a message."""
    answer = await seat.get(f"/cap/{identifier}.xml", **headers)
    assert answer.status == 200, await answer.text()
    assert answer.content_type == "application/cap+xml"
    reading = read_cap(await answer.read())
    assert reading.notes == ()
    return reading.alert


async def test_people_see_their_area_and_machines_what_is_public(console: Console) -> None:
    """A township sees its own alerts, internal ones as Restricted; a machine sees public ones of all areas."""
    river, fever, wages = (identifier_of(one.id, 1) for one in (RIVER, FEVER, WAGES))
    assert set(await feed(await console.seat("qingxi"))) == {river, wages}
    assert set(await feed(await console.seat("baishi"))) == {fever}
    assert set(await feed(await console.seat("county"))) == {river, fever, wages}
    assert set(await feed(await console.seat(), **MACHINE)) == {river, fever}
    qingxi = await console.seat("qingxi")
    assert (await read(qingxi, wages)).scope is Scope.RESTRICTED
    assert (await read(qingxi, river)).scope is Scope.PUBLIC
    assert (await qingxi.get(f"/cap/{fever}.xml")).status == 404
    machine = await console.seat()
    assert (await machine.get(f"/cap/{wages}.xml", **MACHINE)).status == 404
    assert (await read(machine, fever, **MACHINE)).sender == "county.example"


async def test_who_has_neither_session_nor_token_gets_nothing(console: Console) -> None:
    """No header, a wrong token, another scheme, a session of an administrator: none of them sees a case."""
    seat = await console.seat()
    assert (await seat.get("/cap/feed.atom")).status == 401
    for value in ("Bearer wrong", f"Basic {TOKEN}", "Bearer ", TOKEN):
        answer = await seat.get("/cap/feed.atom", Authorization=value)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="fenghuo-cap"')
    assert (await (await console.seat("admin")).get("/cap/feed.atom")).status == 403
    assert (await seat.get("/api/v1/incidents", **MACHINE)).status == 401
    assert (await seat.get("/", **MACHINE)).status == 401


async def test_without_a_token_machines_have_no_access(database: str) -> None:
    """An empty setting is no password."""
    async with running_console(database) as console:
        seat = await console.seat()
        for value in ("Bearer ", "Bearer", "Bearer x"):
            assert (await seat.get("/cap/feed.atom", Authorization=value)).status == 401


async def test_versions_follow_one_another_newest_first(console: Console) -> None:
    """Alert, Update, Cancel with references to each before; the feed is new when one is added, and else unchanged."""
    seat = await console.seat()
    first = await seat.get("/cap/feed.atom", **MACHINE)
    etag = first.headers["ETag"]
    same = await seat.get("/cap/feed.atom", **MACHINE, **{"If-None-Match": f'"other", {etag}'})
    assert (same.status, await same.read(), same.headers["ETag"]) == (304, b"", etag)
    await console.raise_alerts(
        later(RIVER, 2, AlertChange.CHANGED, level=Level.RED, zh="青溪镇两处断面超标加重", en="Worse."),
        later(RIVER, 3, AlertChange.CLEARED, zh="青溪镇两处断面恢复正常", en="Back to normal."),
    )
    changed = await seat.get("/cap/feed.atom", **MACHINE, **{"If-None-Match": etag})
    assert changed.status == 200
    names = [identifier_of(RIVER.id, number) for number in (3, 2, 1)]
    assert [name for name in await feed(seat, **MACHINE) if name in names] == names
    cancel, update, alert = [await read(seat, name, **MACHINE) for name in names]
    assert [one.type for one in (alert, update, cancel)] == [
        MessageType.ALERT,
        MessageType.UPDATE,
        MessageType.CANCEL,
    ]
    assert cancel.references == (alert.reference, update.reference)
    assert (alert.infos[0].description, update.infos[0].description) == (RIVER.zh, "青溪镇两处断面超标加重")


async def test_our_own_gateway_can_read_the_feed(console: Console) -> None:
    """What one county writes another can follow: each entry leads to a message."""
    seat = await console.seat()
    answer = await seat.get("/cap/feed.atom", **MACHINE)
    entries = read_entries(await answer.read(), str(answer.url))
    assert len(entries) == 2
    for entry in entries:
        path = entry.link.removeprefix(seat.origin)
        assert (await seat.get(path, **MACHINE)).status == 200


async def test_a_drill_is_an_exercise_and_stays_inside(console: Console) -> None:
    """People see it marked; machines outside never hear of it."""
    drill = structs.replace(RIVER, id=uuid4(), drill=True)
    await console.raise_alerts(drill)
    name = identifier_of(drill.id, 1)
    seat = await console.seat("qingxi")
    assert (await read(seat, name)).status is Status.EXERCISE
    assert name not in await feed(seat, **MACHINE)
    assert (await seat.get(f"/cap/{name}.xml", **MACHINE)).status == 404


async def test_what_rests_on_restricted_warnings_alone_is_not_public(console: Console) -> None:
    """It becomes public with the first evidence of another kind, and its end is told to those who heard of it."""
    secret = structs.replace(world.river_finding(3), restricted=True)
    hidden = world.alert("water-pollution", world.BAISHI, Level.YELLOW, (secret,), "白石镇水环境", "Baishi")
    await console.raise_alerts(hidden)
    seat = await console.seat()
    assert identifier_of(hidden.id, 1) not in await feed(seat, **MACHINE)
    assert identifier_of(hidden.id, 1) in await feed(await console.seat("county"))
    open_too = (secret, world.river_finding(2, "990101102003"))
    await console.raise_alerts(
        later(hidden, 2, AlertChange.CHANGED, evidence=open_too),
        later(hidden, 3, AlertChange.CLEARED, evidence=(secret,)),
    )
    names = await feed(seat, **MACHINE)
    assert [identifier_of(hidden.id, number) in names for number in (1, 2, 3)] == [False, True, True]


async def test_versions_that_are_not_known_in_words_are_left_out(console: Console, database: str) -> None:
    """What was stored before this release has no words for its older versions, and no message."""
    connection = await asyncpg.connect(database)
    await connection.execute("update alert_version set zh = null, en = null where alert = $1", RIVER.id)
    await connection.close()
    seat = await console.seat()
    name = identifier_of(RIVER.id, 1)
    assert name not in await feed(seat, **MACHINE)
    assert (await seat.get(f"/cap/{name}.xml", **MACHINE)).status == 404
    assert (await seat.get("/cap/nonsense.xml", **MACHINE)).status == 404


async def test_what_is_held_back_is_no_message_until_somebody_is_told(console: Console) -> None:
    """The first version that is not held back is an Alert that refers to nothing, whatever its number."""
    held = world.alert(
        "water-pollution", world.BAISHI, Level.BLUE, (world.river_finding(3),), "白石镇水环境", "Baishi"
    )
    await console.raise_alerts(structs.replace(held, held_back=HeldBack.CHANCE))
    seat = await console.seat()
    assert identifier_of(held.id, 1) not in await feed(seat, **MACHINE)
    await console.raise_alerts(later(held, 2, AlertChange.CHANGED, level=Level.YELLOW))
    assert [identifier_of(held.id, number) in await feed(seat, **MACHINE) for number in (1, 2)] == [
        False,
        True,
    ]
    message = await read(seat, identifier_of(held.id, 2), **MACHINE)
    assert (message.type, message.references) == (MessageType.ALERT, ())
    assert (await seat.get(f"/cap/{identifier_of(held.id, 1)}.xml", **MACHINE)).status == 404


async def test_a_finding_on_trial_makes_nothing_public(console: Console) -> None:
    """What rests on a restricted warning stays inside, although an open finding in shadow stands beside it."""
    secret = structs.replace(world.river_finding(3), restricted=True)
    beside = structs.replace(world.river_finding(2), shadow=True)
    hidden = world.alert(
        "water-pollution", world.BAISHI, Level.YELLOW, (secret, beside), "白石镇水环境", "Baishi"
    )
    await console.raise_alerts(hidden)
    assert identifier_of(hidden.id, 1) not in await feed(await console.seat(), **MACHINE)
