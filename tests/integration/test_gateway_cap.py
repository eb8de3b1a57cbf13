"""Official warnings into a real gateway on a real broker: pushed, from a feed that a test serves, and from a folder."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]  # ships no types
from cap_world import AREAS, COUNTY, EAST, WEST, info, message, place

from config.data import load_data
from config.settings import BrokerSettings, CapSettings, GatewaySettings, Secret, Settings
from domain.codec import decode, encode, headers_for
from domain.errors import InvalidConfiguration
from domain.inputs import Bulletin, BulletinStatus, Rejected
from domain.levels import Feed, Level
from domain.registry import Source
from domain.topics import BULLETINS, REGISTRY_AREAS, REGISTRY_SOURCES, REJECTED, Topic
from fenghuo.topics import ensure_topics
from streams.cap.bulletins import message_key
from streams.cap.metrics import CAP_MESSAGES
from streams.ends import ends_of
from streams.gateway import Gateway

KEY = Secret(base64.b64encode(bytes(range(32))).decode())
NOW = datetime.now(UTC).replace(microsecond=0)
LATER = NOW + timedelta(hours=6)
TOKEN = "weather-token"
CAP = {"Content-Type": "application/cap+xml", "Authorization": f"Bearer {TOKEN}"}


def fresh(name: str, **changes: Any) -> bytes:
    """Make a message that is in force now; `blocks` are its infos."""
    blocks = changes.pop("blocks", (info(expires=LATER),) if changes.get("kind") != "Cancel" else ())
    return message(*blocks, identifier=name, sent=changes.pop("sent", NOW), **changes)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, at most thirty seconds."""
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.02)


def settings_for(broker: str, **cap: Any) -> Settings:
    """Make settings that look often."""
    return Settings(
        broker=BrokerSettings(bootstrap=broker),
        gateway=GatewaySettings(port=0, send_timeout_seconds=5.0),
        cap=CapSettings(source="weather-cap", poll_seconds=0.1, timeout_seconds=5, **cap),
        personal_key=KEY,
    )


@dataclass
class Tap:
    """What comes onto a topic from now on."""

    topic: Topic
    consumer: AIOKafkaConsumer
    found: list[Any] = field(default_factory=list)

    async def have(self, count: int) -> list[Any]:
        """Wait until so many records have come in all."""
        async with asyncio.timeout(30):
            while len(self.found) < count:
                for messages in (await self.consumer.getmany(timeout_ms=100)).values():
                    self.found += [decode(self.topic, one.value, one.headers) for one in messages]
        return self.found


@asynccontextmanager
async def tapped(broker: str, topic: Topic) -> AsyncIterator[Tap]:
    """Open a tap."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, fetch_max_wait_ms=50)
    await consumer.start()
    try:
        places = [TopicPartition(topic.name, number) for number in range(BrokerSettings().partitions)]
        for place, end in (await ends_of(consumer, places)).items():
            consumer.seek(place, end)
        yield Tap(topic, consumer)
    finally:
        await consumer.stop()


@pytest.fixture
async def prepared(broker: str) -> str:
    """Put the county and its weather office into the registry."""
    await ensure_topics(Settings(broker=BrokerSettings(bootstrap=broker)))
    source = Source(
        slug="weather-cap",
        token_sha256=sha256(TOKEN.encode()).hexdigest(),
        feeds=(Feed.BULLETINS,),
        area=COUNTY,
    )
    async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
        for topic, key, record in [
            *((REGISTRY_AREAS, area.code, area) for area in AREAS.values()),
            (REGISTRY_SOURCES, source.slug, source),
        ]:
            await producer.send_and_wait(
                topic.name, encode(record), key=key.encode(), headers=headers_for(topic)
            )
    return broker


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[ClientSession]:
    """Run a gateway that is ready, and talk to it."""
    async with (
        Gateway(settings, load_data()) as gateway,
        ClientSession(f"http://127.0.0.1:{gateway.port}") as session,
    ):

        async def is_ready() -> bool:
            async with session.get("/healthz") as response:
                return response.status == 200

        await until(is_ready)
        yield session


async def push(session: ClientSession, data: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    """Push a message; the status and the answer."""
    async with session.post("/v1/bulletins", data=data, headers={**CAP, **headers}) as response:
        return response.status, json.loads(await response.read())


def counted(way: str, outcome: str) -> float:
    """Tell how many messages became that."""
    return CAP_MESSAGES.labels(way, outcome)._value.get()


async def test_a_pushed_message_is_a_bulletin_on_the_broker(prepared: str) -> None:
    """202, the ids and the notes; a Cancel names what it ends; both are keyed so that they stay in order."""
    async with running(settings_for(prepared)) as session, tapped(prepared, BULLETINS) as tap:
        status, answer = await push(session, fresh("push-1"))
        assert (status, answer["accepted"], answer["noted"]) == (202, 1, 0)
        again = await push(session, fresh("push-1"), **{"Content-Type": "application/xml; charset=utf-8"})
        assert again == (status, answer)
        cancel = fresh("push-2", kind="Cancel", references=[("push-1", NOW)], sent=NOW + timedelta(minutes=1))
        assert (await push(session, cancel))[0] == 202
        first, repeated, end = await tap.have(3)
        assert isinstance(first, Bulletin)
        assert (first.id, str(first.id), first.areas, first.level) == (
            repeated.id,
            answer["ids"][0],
            (WEST,),
            Level.ORANGE,
        )
        assert (end.status, end.supersedes) == (BulletinStatus.CANCELLED, (first.part_of,))
        assert end.supersedes == (message_key("weather@county.example", "push-1"),)


async def test_what_is_no_warning_for_anybody_is_answered_and_counted(prepared: str) -> None:
    """A test is ignored by name; an exercise is kept, marked and counted as such."""
    before = counted("http", "test"), counted("http", "exercise")
    async with running(settings_for(prepared)) as session, tapped(prepared, BULLETINS) as tap:
        assert await push(session, fresh("t-1", status="Test")) == (
            202,
            {"accepted": 0, "ids": [], "noted": 0, "ignored": "test"},
        )
        assert (await push(session, fresh("t-2", status="Exercise")))[1]["accepted"] == 1
        (exercise,) = await tap.have(1)
        assert exercise.exercise
    assert (counted("http", "test"), counted("http", "exercise")) == (before[0] + 1, before[1] + 1)


@pytest.mark.parametrize(
    ("data", "status", "slug", "field", "words"),
    [
        (
            b"<!DOCTYPE a [<!ENTITY b 'c'>]><alert/>",
            422,
            "not-cap",
            "document",
            "line 1, column 13: has a DTD",
        ),
        (fresh("b-1")[:300], 422, "not-cap", "document", "breaks off"),
        (fresh("b-2").replace(b"cap:1.2", b"cap:1.1"), 422, "not-cap", "document", "is CAP 1.1"),
        (
            fresh("b-3", blocks=(info(event="蝗灾", expires=LATER),)),
            422,
            "no-category",
            "info[0].event",
            "'蝗灾'",
        ),
        (
            fresh(
                "b-4",
                blocks=(info("<area><areaDesc>x</areaDesc><circle>50,80 3</circle></area>", expires=LATER),),
            ),
            403,
            "forbidden",
            "info.area",
            "is outside the area of this source",
        ),
        (fresh("b-5", kind="Cancel"), 422, "invalid", "references", "must name what it cancels"),
        (
            fresh("b-6", blocks=(info(expires=NOW + timedelta(days=900)),)),
            422,
            "invalid",
            "expires_at",
            "too far in the future",
        ),
    ],
)
async def test_a_refused_message_is_told_and_kept(
    prepared: str, data: bytes, status: int, slug: str, field: str, words: str
) -> None:
    """The answer names element, line and column; the message itself is on feed.rejected, sealed, with the reason."""
    async with running(settings_for(prepared)) as session, tapped(prepared, REJECTED) as tap:
        answered, problem = await push(session, data)
        assert (answered, problem["type"]) == (status, f"urn:fenghuo:problem:{slug}")
        assert problem["errors"][0]["field"] == field
        assert words in problem["errors"][0]["reason"]
        (kept,) = await tap.have(1)
        assert isinstance(kept, Rejected)
        assert (kept.reason, kept.feed, kept.source, kept.size) == (
            slug,
            "bulletins",
            "weather-cap",
            len(data),
        )


async def test_the_known_part_of_a_message_is_taken_and_the_rest_kept(prepared: str) -> None:
    """One warning is taken, the other is told in the notes and kept as having no category."""
    blocks = (info(expires=LATER), info(place(EAST), event="蝗灾", severity="Minor", expires=LATER))
    async with (
        running(settings_for(prepared)) as session,
        tapped(prepared, REJECTED) as rejected,
    ):
        status, answer = await push(session, fresh("part-1", blocks=blocks))
        assert (status, answer["accepted"]) == (202, 1)
        assert "'蝗灾' has no category" in answer["notes"][0]
        (kept,) = await rejected.have(1)
        assert kept.reason == "no-category"


async def test_unsigned_messages_are_refused_where_signatures_are_asked_for(prepared: str) -> None:
    """The setting turns a note into a refusal."""
    async with running(settings_for(prepared, require_signature=True)) as session:
        status, problem = await push(session, fresh("sig-1"))
    assert (status, problem["type"]) == (403, "urn:fenghuo:problem:untrusted")


@dataclass
class Office:
    """A weather office's web server: a feed, the messages in it, and who asked for what."""

    messages: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    broken: bool = False
    extra: str = ""

    @property
    def etag(self) -> str:
        """Name the feed's present content."""
        return f'"{sha256(repr((self.messages, self.extra)).encode()).hexdigest()[:16]}"'

    async def feed(self, request: web.Request) -> web.Response:
        """Serve the feed, newest first, or 304."""
        if self.broken:
            self.asked.append(("feed", 503))
            return web.Response(status=503)
        if request.headers.get("If-None-Match") == self.etag:
            self.asked.append(("feed", 304))
            return web.Response(status=304)
        self.asked.append(("feed", 200))
        entries = "".join(
            f"<entry><id>{name}</id><updated>{NOW.isoformat()}</updated>"
            f'<link rel="alternate" type="application/cap+xml" href="messages/{name}.xml"/></entry>'
            for name in reversed(self.messages)
        )
        text = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>预警</title>{entries}{self.extra}</feed>'
        return web.Response(text=text, content_type="application/atom+xml", headers={"ETag": self.etag})

    async def message(self, request: web.Request) -> web.Response:
        """Serve a message."""
        name = request.match_info["name"]
        found = self.messages.get(name)
        self.asked.append((name, 200 if found else 404))
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found, content_type="application/cap+xml")

    def count(self, what: str, status: int) -> int:
        """Tell how often something was answered so."""
        return self.asked.count((what, status))


@asynccontextmanager
async def open_office() -> AsyncIterator[tuple[Office, str]]:
    """Serve an office; its feed's address."""
    office = Office()
    application = web.Application()
    application.router.add_get("/feed.atom", office.feed)
    application.router.add_get("/messages/{name}.xml", office.message)
    async with TestServer(application) as server:
        yield office, str(server.make_url("/feed.atom"))


async def test_a_feed_is_read_once_and_its_cancel_ends_what_it_brought(prepared: str) -> None:
    """Newest first in the feed, oldest first to us; unchanged it costs 304s; what is added later is read alone."""
    async with open_office() as (office, address), tapped(prepared, BULLETINS) as tap:
        office.messages["f-1"] = fresh("f-1")
        office.messages["f-2"] = fresh(
            "f-2", kind="Update", references=[("f-1", NOW)], sent=NOW + timedelta(seconds=1)
        )
        async with running(settings_for(prepared, feeds=(address,))):
            first, second = await tap.have(2)
            assert first.part_of == message_key("weather@county.example", "f-1")
            assert second.supersedes == (first.part_of,)
            await until(lambda: _true(office.count("feed", 304) >= 2))
            office.messages["f-3"] = fresh(
                "f-3", kind="Cancel", references=[("f-2", NOW)], sent=NOW + timedelta(seconds=2)
            )
            third = (await tap.have(3))[2]
            assert (third.status, third.supersedes) == (BulletinStatus.CANCELLED, (second.part_of,))
        assert [office.count(name, 200) for name in office.messages] == [1, 1, 1]


async def _true(value: bool) -> bool:
    return value


async def test_a_restarted_gateway_brings_the_same_ids(prepared: str) -> None:
    """What a feed still lists after a restart is the same input again, with no second effect."""
    async with open_office() as (office, address), tapped(prepared, BULLETINS) as tap:
        office.messages["r-1"] = fresh("r-1")
        settings = settings_for(prepared, feeds=(address,))
        async with running(settings):
            await tap.have(1)
        async with running(settings):
            first, again = await tap.have(2)
        assert first.id == again.id


async def test_a_feed_that_fails_is_asked_again_and_comes_back(prepared: str) -> None:
    """A broken server, a missing message and a link to elsewhere neither stop the feed nor are they followed."""
    async with open_office() as (office, address), tapped(prepared, BULLETINS) as tap:
        office.broken = True
        async with running(settings_for(prepared, feeds=(f"weather-cap {address}",))):
            await until(lambda: _true(office.count("feed", 503) >= 2))
            office.messages["k-1"] = fresh("k-1")
            office.extra = (
                '<entry><id>lost</id><link href="messages/lost.xml"/></entry>'
                '<entry><id>else</id><link href="http://127.0.0.2:1/secret.xml"/></entry>'
            )
            office.broken = False
            (only,) = await tap.have(1)
            assert only.part_of == message_key("weather@county.example", "k-1")
            await until(lambda: _true(office.count("feed", 304) >= 1))
        assert office.count("lost", 404) == 3
        assert office.count("k-1", 200) == 1


async def test_foreign_warnings_of_a_feed_are_counted_and_not_kept(prepared: str) -> None:
    """A nation's feed is full of what lies elsewhere: it does not fill feed.rejected; faulty messages do get there."""
    before = counted("feed", "forbidden")
    elsewhere = info("<area><areaDesc>x</areaDesc><circle>50,80 3</circle></area>", expires=LATER)
    async with open_office() as (office, address), tapped(prepared, REJECTED) as tap:
        office.messages["e-1"] = fresh("e-1", blocks=(elsewhere,))
        office.messages["e-2"] = fresh("e-2").replace(b"Severe", b"Grave")
        async with running(settings_for(prepared, feeds=(address,))):
            (kept,) = await tap.have(1)
            await until(lambda: _true(counted("feed", "forbidden") == before + 1))
        assert kept.reason == "not-cap"
        assert "'Grave'" in kept.faults[0]


async def test_files_are_taken_once_and_moved_aside(prepared: str, tmp_path: Path) -> None:
    """A good file ends in `taken`, a faulty one in `refused` with the reasons beside it; others stay."""
    async with tapped(prepared, BULLETINS) as tap:
        async with running(settings_for(prepared, folder=tmp_path)):
            (tmp_path / "good.xml").write_bytes(fresh("file-1"))
            (tmp_path / "bad.xml").write_bytes(fresh("file-2")[:200])
            (tmp_path / "notes.txt").write_text("no warning")
            (only,) = await tap.have(1)
            await until(lambda: _true((tmp_path / "refused" / "bad.xml").exists()))
            await until(lambda: _true((tmp_path / "taken" / "good.xml").exists()))
            (tmp_path / "good.xml").write_bytes(fresh("file-1"))
            await until(lambda: _true((tmp_path / "taken" / "good-1.xml").exists()))
        assert only.part_of == message_key("weather@county.example", "file-1")
        assert "breaks off" in (tmp_path / "refused" / "bad.xml.faults.txt").read_text(encoding="utf-8")
        assert (tmp_path / "notes.txt").exists()
        assert len(tap.found) == 1


def test_wrong_addresses_and_folders_end_the_start(tmp_path: Path) -> None:
    """An operator hears of every wrong address before anything runs."""
    with pytest.raises(InvalidConfiguration) as caught:
        Gateway(
            settings_for("127.0.0.1:1", feeds=("ftp://a/b", "x y http://c", "http://fine/feed")), load_data()
        )
    assert [fault.field for fault in caught.value.faults] == ["cap.feeds[0]", "cap.feeds[1]"]
    with pytest.raises(InvalidConfiguration):
        Gateway(settings_for("127.0.0.1:1", folder=tmp_path / "none"), load_data())


async def test_our_plain_form_can_cancel_too(prepared: str) -> None:
    """JSON needs no more than an id, what ends, and words; what is missing is told by its field."""
    plain = {"Content-Type": "application/json"}
    end = {
        "id": "plain-2",
        "status": "cancelled",
        "supersedes": ["plain-1"],
        "effective_at": NOW.isoformat(),
        "expires_at": NOW.isoformat(),
        "headline": "解除暴雨预警",
    }
    async with running(settings_for(prepared)) as session, tapped(prepared, BULLETINS) as tap:
        assert (await push(session, json.dumps(end).encode(), **plain))[0] == 202
        (record,) = await tap.have(1)
        assert (record.status, record.supersedes) == (BulletinStatus.CANCELLED, ("plain-1",))
        _, nothing = await push(session, json.dumps({**end, "supersedes": []}).encode(), **plain)
        later = {**end, "status": "in_force", "expires_at": LATER.isoformat()}
        _, bare = await push(session, json.dumps(later).encode(), **plain)
    assert [error["field"] for error in nothing["errors"]] == ["supersedes"]
    assert [error["field"] for error in bare["errors"]] == ["category", "level", "areas"]
