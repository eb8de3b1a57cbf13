"""A real gateway on a real broker: what is accepted is on the broker, what is not is told, kept and harmless."""

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import ClientSession
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition  # type: ignore[import-untyped]  # ships no types
from structlog.testing import capture_logs

from config.data import load_data
from config.personal import read_key, reveal
from config.settings import BrokerSettings, GatewaySettings, Secret, Settings
from domain.codec import decode, encode, headers_for
from domain.errors import InvalidConfiguration
from domain.identity import input_id
from domain.inputs import Quality
from domain.levels import Feed
from domain.registry import Area, Series, Source
from domain.topics import (
    BULLETINS,
    HEARTBEATS,
    READINGS,
    REGISTRY_AREAS,
    REGISTRY_SERIES,
    REGISTRY_SOURCES,
    REJECTED,
    REPORTS,
    TICKETS,
    Topic,
)
from fenghuo.embedded import embedded_broker
from fenghuo.topics import ensure_topics
from streams.ends import ends_of
from streams.gateway import Gateway, run_gateway
from streams.packing import unpack

KEY = Secret(base64.b64encode(bytes(range(32))).decode())
COUNTY = "990177"
TOWNSHIPS = (f"{COUNTY}001", f"{COUNTY}002")
GRID = f"{COUNTY}001001001"
NOW = datetime.now(UTC).replace(microsecond=0)
AT = NOW.isoformat()
JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}
PHONE = "13812345678"
ID_NUMBER = "11010519491231002X"
NAME = "某来电人"


def series(name: str, area: str, source: str = "station") -> Series:
    """Make a series of water quality."""
    return Series(
        id=name,
        name="氨氮",
        quantity="ammonia",
        unit="mg/L",
        area=area,
        category="water-pollution",
        source=source,
        interval_seconds=60,
    )


def source(slug: str, *feeds: Feed, area: str = COUNTY, **limits: float) -> Source:
    """Make a source whose token is its slug with a tail."""
    digest = sha256(f"{slug}-token".encode()).hexdigest()
    return Source(slug=slug, token_sha256=digest, feeds=feeds or tuple(Feed), area=area, **limits)


REGISTRY: list[tuple[Topic, str, Any]] = [
    *((REGISTRY_AREAS, code, Area(code=code, name="示例")) for code in (COUNTY, *TOWNSHIPS, GRID)),
    *(
        (REGISTRY_SERIES, one.id, one)
        for one in (
            series("gw-1", TOWNSHIPS[0]),
            series("gw-2", f"{TOWNSHIPS[1]}003"),
            series("gw-other", TOWNSHIPS[0], "somebody"),
            series("gw-outside", "990178001"),
        )
    ),
    *(
        (REGISTRY_SOURCES, one.slug, one)
        for one in (
            source("station"),
            source("hotline", Feed.TICKETS, area=TOWNSHIPS[0]),
            source("slow", items_per_second=0.01, burst=3),
        )
    ),
]


def settings_for(broker: str, **gateway: Any) -> Settings:
    """Make settings with a short patience."""
    return Settings(
        broker=BrokerSettings(bootstrap=broker),
        gateway=GatewaySettings(port=0, **{"send_timeout_seconds": 5.0, **gateway}),
        personal_key=KEY,
    )


async def publish_registry(settings: Settings) -> None:
    """Publish the registry as responders do."""
    await ensure_topics(settings)
    async with AIOKafkaProducer(bootstrap_servers=settings.broker.bootstrap, acks="all") as producer:
        for topic, key, record in REGISTRY:
            await producer.send_and_wait(
                topic.name, encode(record), key=key.encode(), headers=headers_for(topic)
            )


class Client:
    """A source that talks to a gateway."""

    def __init__(self, session: ClientSession) -> None:
        self.session = session

    async def post(
        self, path: str, body: Any, headers: dict[str, str] | None = None, token: str | None = "station-token"
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Send a body, bytes as they are and anything else as JSON; tell status, document and headers."""
        data = (
            body
            if isinstance(body, bytes | BytesIO) or hasattr(body, "__aiter__")
            else json.dumps(body).encode()
        )
        all_headers = {**JSON, **(headers or {})}
        if token is not None:
            all_headers["Authorization"] = f"Bearer {token}"
        async with self.session.post(path, data=data, headers=all_headers) as response:
            return response.status, json.loads(await response.read()), dict(response.headers)

    async def health(self) -> int:
        """Ask for health."""
        async with self.session.get("/healthz") as response:
            return response.status


async def until(condition: Callable[[], Any]) -> None:
    """Wait for a condition, at most thirty seconds."""
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(settings: Settings, *, wait: bool = True) -> AsyncIterator[Client]:
    """Run a gateway and talk to it."""
    async with (
        Gateway(settings, load_data()) as gateway,
        ClientSession(f"http://127.0.0.1:{gateway.port}") as session,
    ):
        client = Client(session)
        if wait:
            await until(lambda: is_status(client, 200))
        yield client


async def is_status(client: Client, status: int) -> bool:
    """Say whether the gateway's health has a status."""
    return await client.health() == status


@dataclass
class Tap:
    """What comes onto a topic from now on."""

    topic: Topic
    consumer: AIOKafkaConsumer

    async def take(self, count: int) -> list[ConsumerRecord]:
        """Wait for so many messages."""
        found: list[ConsumerRecord] = []
        async with asyncio.timeout(20):
            while len(found) < count:
                for messages in (await self.consumer.getmany(timeout_ms=200)).values():
                    found += messages
        assert len(found) == count
        return found

    async def records(self, count: int) -> list[Any]:
        """Wait for so many records."""
        return [decode(self.topic, one.value, one.headers) for one in await self.take(count)]

    async def nothing(self) -> bool:
        """Say whether no message has come since the last one taken."""
        ends = await self.consumer.end_offsets(self.consumer.assignment())
        return all([await self.consumer.position(place) == end for place, end in ends.items()])


@pytest.fixture
async def settings(broker: str) -> Settings:
    """Prepare topics and registry on the broker that the tests share."""
    settings = settings_for(broker)
    await publish_registry(settings)
    return settings


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Client]:
    """Talk to a running gateway."""
    async with running(settings) as client:
        yield client


@pytest.fixture
async def tap(settings: Settings) -> AsyncIterator[Callable[[Topic], Any]]:
    """Open taps on topics."""
    open_ones: list[AIOKafkaConsumer] = []

    async def make(topic: Topic) -> Tap:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.broker.bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        await consumer.start()
        open_ones.append(consumer)
        count = settings.broker.partitions if topic.partitioned else 1
        places = [TopicPartition(topic.name, number) for number in range(count)]
        for place, end in (await ends_of(consumer, places)).items():
            consumer.seek(place, end)
        return Tap(topic, consumer)

    yield make
    for consumer in open_ones:
        await consumer.stop()


def reading(name: Any = "gw-1", value: Any = 1.5, at: Any = AT, **more: Any) -> dict[str, Any]:
    """Make a reading."""
    return {"series": name, "observed_at": at, "value": value, **more}


def ticket(number: str, **changes: Any) -> dict[str, Any]:
    """Make a ticket."""
    return {"order_number": number, "observed_at": AT, "area": GRID, "text": "河水发黑", **changes}


def bulletin(name: str, **changes: Any) -> dict[str, Any]:
    """Make a bulletin."""
    until_later = (NOW + timedelta(hours=6)).isoformat()
    fields = {"id": name, "category": "flood", "level": 2, "areas": list(TOWNSHIPS), "effective_at": AT}
    return {**fields, "expires_at": until_later, "headline": "暴雨黄色预警", **changes}


async def test_readings_are_packed_by_partition_and_on_the_broker(client: Client, tap: Any) -> None:
    """When 202 comes, townships of different partitions have a message each, whose key is a township's code."""
    readings = await tap(READINGS)
    body = [reading("gw-1", number, quality="NM"[number % 2]) for number in range(4)]
    body += [reading("gw-2", 9.25)]
    status, answer, _ = await client.post("/v1/readings", body)
    assert (status, answer) == (202, {"accepted": 5, "noted": 0})
    first, second = sorted(await readings.take(2), key=lambda message: message.key)
    assert [first.key, second.key] == [code.encode() for code in TOWNSHIPS]
    pack = unpack(first.value, first.headers)
    assert (pack.names, pack.values.tolist()) == (["gw-1"], [0.0, 1.0, 2.0, 3.0])
    assert pack.quality.tolist() == [Quality.GOOD, Quality.MAINTENANCE] * 2
    assert set(pack.observed.tolist()) == {int(NOW.timestamp()) * 1_000_000}
    assert unpack(second.value, second.headers).values.tolist() == [9.25]


async def test_many_requests_share_a_message(broker: str, tap: Any) -> None:
    """Readings that come at once from many requests leave in few messages."""
    readings = await tap(READINGS)
    async with running(settings_for(broker, linger_milliseconds=300.0)) as client:
        answers = await asyncio.gather(
            *(client.post("/v1/readings", reading("gw-1", number)) for number in range(20))
        )
    assert [status for status, _, _ in answers] == [202] * 20
    (message,) = await readings.take(1)
    assert sorted(unpack(message.value, message.headers).values.tolist()) == list(range(20))


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_every_form_of_body_is_read(client: Client, tap: Any, encoding: str) -> None:
    """One object, a list and lines, compressed or not, are the same readings."""
    readings = await tap(READINGS)
    one = json.dumps(reading()).encode()
    press = gzip.compress if encoding == "gzip" else bytes
    for body, kind in ((one, JSON), (b" [" + one + b"]", JSON), (one + b"\n\n", LINES)):
        headers = {**kind, "Content-Encoding": encoding}
        status, answer, _ = await client.post("/v1/readings", press(body), headers)
        assert (status, answer["accepted"]) == (202, 1)
    assert [unpack(one.value, one.headers).names for one in await readings.take(3)] == [["gw-1"]] * 3


async def test_tickets_lose_their_personal_fields_here(client: Client, tap: Any) -> None:
    """A ticket is masked, what it hid opens with the key alone, and the log is silent about it."""
    tickets = await tap(TICKETS)
    body = ticket(
        "T-1",
        text=f"我是{NAME}，电话{PHONE}，证件{ID_NUMBER}，河水发黑",
        caller={"name": NAME, "phone": PHONE, "id_number": ID_NUMBER},
        category="water-pollution",
    )
    with capture_logs() as logs:
        status, answer, _ = await client.post("/v1/tickets", [body, ticket("T-2")])
    ids = [str(input_id("tickets", "station", number)) for number in ("T-1", "T-2")]
    assert (status, answer) == (202, {"accepted": 2, "ids": ids, "noted": 0})
    messages = await tickets.take(2)
    assert {message.key for message in messages} == {TOWNSHIPS[0].encode()}
    found = {str(one.id): one for one in (decode(TICKETS, m.value, m.headers) for m in messages)}
    first, second = (found[identity] for identity in ids)
    assert first.text == "我是〔姓名〕，电话〔电话〕，证件〔证件号〕，河水发黑"
    assert second.sealed is None
    for secret in (PHONE, NAME, ID_NUMBER, "station-token"):
        assert not any(secret.encode() in message.value for message in messages)
        assert secret not in str(logs)
    clear = reveal(read_key(KEY), first.sealed, str(first.id))
    assert clear.person is not None
    assert (clear.person.phone, clear.text) == (PHONE, body["text"])


async def test_a_report_sent_twice_is_one(client: Client, tap: Any) -> None:
    """The phone's own UUID makes the id: sending again, as with a poor network, gives the same one."""
    reports = await tap(REPORTS)
    identity = uuid4()
    body = {"id": str(identity), "observed_at": AT, "area": GRID, "text": "有人聚集"}
    answers = [await client.post("/v1/reports", body) for _ in range(2)]
    assert [status for status, _, _ in answers] == [202, 202]
    assert answers[0][1] == answers[1][1]
    first, second = await reports.records(2)
    assert first.id == second.id == input_id("reports", "station", str(identity))


async def test_bulletins_pass(client: Client, tap: Any) -> None:
    """An official warning goes onto its topic with its areas."""
    bulletins = await tap(BULLETINS)
    status, answer, _ = await client.post("/v1/bulletins", bulletin("B-1"))
    assert (status, answer["accepted"]) == (202, 1)
    (record,) = await bulletins.records(1)
    assert (record.own_id, record.areas, record.id) == ("B-1", TOWNSHIPS, UUID(answer["ids"][0]))


READING_FAULTS: list[tuple[str, Any, int, set[str]]] = [
    ("not json", b"[1, 2", 400, {""}),
    ("empty", b"", 400, {""}),
    ("binary", b"\xff\xfe\x00", 400, {""}),
    ("deep", b"[" * 100_000, 400, {""}),
    ("NaN", b'{"series":"gw-1","observed_at":"%s","value":NaN}' % AT.encode(), 400, {""}),
    ("Infinity", b'[{"series":"gw-1","observed_at":"%s","value":-Infinity}]' % AT.encode(), 400, {""}),
    ("NaN as text", [reading(value="NaN")], 422, {"/0/value"}),
    ("too great", b'[{"series":"gw-1","observed_at":"%s","value":1e999}]' % AT.encode(), 400, {""}),
    (
        "wrong types",
        [reading(5, "x", 7, quality=1)],
        422,
        {"/0/series", "/0/value", "/0/observed_at", "/0/quality"},
    ),
    ("null", [reading(value=None)], 422, {"/0/value"}),
    ("a number", b"7", 422, {""}),
    ("list in list", [[reading()]], 422, {"/0"}),
    ("missing fields", [{}], 422, {"/0/series", "/0/value", "/0/observed_at"}),
    ("more fields", [reading(unit="mg")], 422, {"/0/unit"}),
    ("naive time", [reading(at="2026-03-01T08:00:00")], 422, {"/0/observed_at"}),
    ("no time", [reading(at="yesterday")], 422, {"/0/observed_at"}),
    ("1999", [reading(at="1999-12-31T23:59:59Z")], 422, {"/0/observed_at"}),
    ("year 1", [reading(at="0001-01-01T00:00:00+14:00")], 422, {"/0/observed_at"}),
    ("year 9999", [reading(at="9999-12-31T23:59:59-12:00")], 422, {"/0/observed_at"}),
    ("in two days", [reading(at=(NOW + timedelta(days=2)).isoformat())], 422, {"/0/observed_at"}),
    ("unknown series", [reading(), reading("nobody")], 422, {"/1/series"}),
    ("unknown letter", [reading(quality="Q")], 422, {"/0/quality"}),
    ("series of another", [reading("gw-other")], 403, {"/0/series"}),
    ("series elsewhere", [reading("gw-outside")], 403, {"/0/series"}),
    (
        "all at once",
        [reading("nobody", at="1999-01-01T00:00:00Z", quality="?")],
        422,
        {"/0/series", "/0/observed_at", "/0/quality"},
    ),
    ("single object", reading("nobody"), 422, {"/series"}),
]


@pytest.mark.parametrize(
    ("name", "body", "status", "pointers"),
    READING_FAULTS,
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_faulty_readings_are_told_and_kept(
    client: Client, tap: Any, name: str, body: Any, status: int, pointers: set[str]
) -> None:
    """Each fault is named by its place, nothing enters, and what came is kept sealed in feed.rejected."""
    readings, rejected = await tap(READINGS), await tap(REJECTED)
    got, problem, headers = await client.post("/v1/readings", body)
    assert (got, headers["Content-Type"]) == (status, "application/problem+json")
    assert problem["type"].startswith("urn:fenghuo:problem:")
    assert problem["status"] == status
    assert {error["pointer"] for error in problem["errors"]} == pointers
    (record,) = await rejected.records(1)
    assert (record.stage, record.feed, record.source) == ("gateway", "readings", "station")
    assert record.encoding == "sealed" and record.item.startswith("v1.")
    assert record.faults
    assert await readings.nothing()


TEXT_FAULTS: list[tuple[str, Any, int, set[str]]] = [
    ("/v1/tickets", ticket("a b"), 422, {"/order_number"}),
    ("/v1/tickets", ticket("T", text=""), 422, {"/text"}),
    ("/v1/tickets", ticket("T", text="x" * 20_001), 422, {"/text"}),
    ("/v1/tickets", ticket("T", area="12345"), 422, {"/area"}),
    ("/v1/tickets", [ticket("T"), ticket("U", area=f"{COUNTY}009")], 422, {"/1/area"}),
    ("/v1/tickets", ticket("T", area="110101001"), 403, {"/area"}),
    ("/v1/tickets", ticket("T", category="nonsense"), 422, {"/category"}),
    ("/v1/tickets", ticket("T", observed_at="2026-01-01T00:00:00"), 422, {"/observed_at"}),
    ("/v1/tickets", ticket("T", observed_at="0001-01-01T00:00:00+14:00"), 422, {"/observed_at"}),
    ("/v1/tickets", ticket("T", caller={"name": 5, "age": 3}), 422, {"/caller/name", "/caller/age"}),
    ("/v1/reports", {"id": "x", "observed_at": 3, "area": GRID}, 422, {"/id", "/observed_at"}),
    (
        "/v1/reports",
        {"id": str(uuid4()), "observed_at": "2090-01-01T00:00:00Z", "area": GRID},
        422,
        {"/observed_at"},
    ),
    ("/v1/bulletins", bulletin("B", level=7), 422, {"/level"}),
    ("/v1/bulletins", bulletin("B", areas=[]), 422, {"/areas"}),
    ("/v1/bulletins", bulletin("B", areas=[TOWNSHIPS[0], "99"]), 403, {"/areas/1"}),
    ("/v1/bulletins", bulletin("B", category="nonsense"), 422, {"/category"}),
    (
        "/v1/bulletins",
        bulletin("B", effective_at="2100-01-01T00:00:00Z", expires_at="2100-01-02T00:00:00Z"),
        422,
        {"/effective_at", "/expires_at"},
    ),
    ("/v1/bulletins", bulletin("B", expires_at=AT), 422, {""}),
]


@pytest.mark.parametrize(("path", "body", "status", "pointers"), TEXT_FAULTS)
async def test_faulty_texts_are_told_and_kept(
    client: Client, tap: Any, path: str, body: Any, status: int, pointers: set[str]
) -> None:
    """Tickets, reports and bulletins are refused as readings are."""
    rejected = await tap(REJECTED)
    got, problem, _ = await client.post(path, body)
    assert got == status
    assert {error["pointer"] for error in problem["errors"]} == pointers
    (record,) = await rejected.records(1)
    assert record.feed == path.removeprefix("/v1/")


async def test_only_faulty_items_are_kept(client: Client, tap: Any) -> None:
    """Of a hundred readings with one fault the faulty one is kept, and opens with the key."""
    rejected = await tap(REJECTED)
    body = [reading() for _ in range(100)]
    body[42]["series"] = "nobody"
    status, problem, _ = await client.post("/v1/readings", body)
    assert (status, problem["errors"][0]["index"]) == (422, 42)
    (record,) = await rejected.records(1)
    item = read_key(KEY).open_sealed(record.item, str(record.id))
    assert json.loads(item) == [body[42]]
    assert (record.size, record.sha256) == (len(item), sha256(item).hexdigest())


async def test_refusals_say_nothing_personal(client: Client, tap: Any) -> None:
    """Neither problem document, log nor feed.rejected shows what a faulty ticket holds."""
    rejected = await tap(REJECTED)
    body = ticket(
        "T", text=f"电话{PHONE}", category="nonsense", caller={"name": NAME, "phone": PHONE, ID_NUMBER: 1}
    )
    with capture_logs() as logs:
        status, problem, _ = await client.post("/v1/tickets", body)
    assert status == 422
    assert {error["pointer"] for error in problem["errors"]} == {"/caller/…"}
    (message,) = await rejected.take(1)
    for secret in (PHONE, NAME, ID_NUMBER):
        assert secret not in json.dumps(problem, ensure_ascii=False)
        assert secret not in str(logs)
        assert secret.encode() not in message.value


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic c3RhdGlvbg=="},
        {"Authorization": "Bearer"},
        {"Authorization": "station-token"},
    ],
)
async def test_a_token_is_needed(client: Client, tap: Any, headers: dict[str, str]) -> None:
    """Without a known token nothing is read or kept, and the answer does not say why."""
    rejected = await tap(REJECTED)
    with capture_logs() as logs:
        status, problem, answered = await client.post("/v1/readings", reading(), headers, token=None)
    assert (status, problem["title"]) == (401, "令牌缺失或无效 / Missing or wrong token")
    assert answered["WWW-Authenticate"].startswith("Bearer")
    assert "wrong" not in str(logs)
    assert await rejected.nothing()


async def test_rights_bound_feed_and_area(client: Client) -> None:
    """A source sends its own feeds for its own area and no others."""
    status, problem, _ = await client.post("/v1/readings", reading(), token="hotline-token")
    assert (status, problem["type"]) == (403, "urn:fenghuo:problem:feed-forbidden")
    assert (await client.post("/v1/tickets", ticket("R-1"), token="hotline-token"))[0] == 202
    status, problem, _ = await client.post(
        "/v1/tickets", ticket("R-2", area=TOWNSHIPS[1]), token="hotline-token"
    )
    assert (status, problem["errors"][0]["pointer"]) == (403, "/area")


async def test_a_body_of_50_mb_is_refused_unread(client: Client, tap: Any) -> None:
    """A length beyond the limit is refused at once, whatever follows."""
    rejected = await tap(REJECTED)
    status, problem, _ = await client.post("/v1/readings", BytesIO(b"x" * 50_000_000))
    assert (status, problem["type"]) == (413, "urn:fenghuo:problem:too-large")
    (record,) = await rejected.records(1)
    assert record.size == 50_000_000
    assert (await client.post("/v1/readings", reading()))[0] == 202


async def test_an_endless_body_is_cut_off(settings: Settings, broker: str) -> None:
    """A chunked body, or a small one that unpacks to a great one, is refused when it grows too long."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 500_000_000:
            sent += 65_536
            yield b"[" + b" " * 65_535

    async with running(settings_for(broker, max_body_bytes=100_000)) as client:
        try:
            status, _, _ = await client.post("/v1/readings", endless())
        except ConnectionError:
            status = 413  # the gateway closed while we were still sending
        assert status == 413
        assert sent < 100_000_000
        bomb = gzip.compress(b"[" + b" " * 40_000_000 + b"]")
        assert len(bomb) < 100_000
        status, problem, _ = await client.post("/v1/readings", bomb, {"Content-Encoding": "gzip"})
        assert (status, problem["type"]) == (413, "urn:fenghuo:problem:too-large")
        assert (await client.post("/v1/readings", reading()))[0] == 202


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"[]")[:-9], gzip.compress(b"[]") + b"tail"])
async def test_broken_compression_is_told(client: Client, body: bytes) -> None:
    """What does not unpack to its end is refused."""
    status, problem, _ = await client.post("/v1/readings", body, {"Content-Encoding": "gzip"})
    assert (status, problem["type"]) == (400, "urn:fenghuo:problem:broken-body")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/csv"},
        {"Content-Encoding": "br"},
        {"Content-Type": "application/json; charset=gbk"},
    ],
)
async def test_other_types_are_refused(client: Client, headers: dict[str, str]) -> None:
    """Only JSON in UTF-8, as it is or compressed in a known way."""
    status, _, _ = await client.post("/v1/readings", reading(), headers)
    assert status == 415


async def test_a_slow_body_is_given_up(settings: Settings, broker: str) -> None:
    """A sender that stops in the middle is answered 408 and holds nothing up."""
    async with running(settings_for(broker, body_timeout_seconds=0.2)) as client:
        address = client.session._base_url
        assert address is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        writer.write(
            b"POST /v1/readings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer station-token\r\n"
            b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n[{"
        )
        assert b" 408 " in await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        writer.write(
            b"POST /v1/readings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer station-token\r\n"
            b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n[{"
        )
        writer.close()  # gone in the middle
        assert (await client.post("/v1/readings", reading()))[0] == 202


async def test_a_source_may_not_flood(client: Client) -> None:
    """Beyond its burst a source is told when to try again; another source is not held up."""
    for _ in range(3):
        assert (await client.post("/v1/tickets", ticket("F"), token="slow-token"))[0] == 202
    status, problem, headers = await client.post("/v1/tickets", ticket("F"), token="slow-token")
    assert (status, problem["type"]) == (429, "urn:fenghuo:problem:too-fast")
    assert 1 <= int(headers["Retry-After"]) <= 100
    assert (await client.post("/v1/tickets", ticket("F")))[0] == 202


async def test_an_idempotency_key_repeats_the_answer(client: Client, tap: Any) -> None:
    """The same key and body give the same answer without a second message; another body is refused."""
    tickets = await tap(TICKETS)
    headers = {"Idempotency-Key": "k1"}
    first = await client.post("/v1/tickets", ticket("K-1"), headers)
    again = await client.post("/v1/tickets", ticket("K-1"), headers)
    assert (first[0], first[1]) == (again[0], again[1])
    assert again[2]["Idempotency-Replayed"] == "true"
    status, problem, _ = await client.post("/v1/tickets", ticket("K-2"), headers)
    assert (status, problem["type"]) == (422, "urn:fenghuo:problem:key-reused")
    assert (await client.post("/v1/tickets", ticket("K-2"), headers, token="hotline-token"))[0] == 202
    assert len(await tickets.take(2)) == 2
    wrong = {"Idempotency-Key": "k2"}
    assert (await client.post("/v1/tickets", ticket("K-3", area="9"), wrong))[0] == 422
    assert (await client.post("/v1/tickets", ticket("K-3"), wrong))[0] == 202
    assert (await client.post("/v1/tickets", ticket("K"), {"Idempotency-Key": "x" * 201}))[0] == 422


async def test_a_clock_ahead_is_noted(client: Client, tap: Any) -> None:
    """A time somewhat ahead is taken as the time of receipt, with a note."""
    readings, tickets = await tap(READINGS), await tap(TICKETS)
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = [reading(at=ahead), reading(at=ahead, quality="D"), reading()]
    status, answer, _ = await client.post("/v1/readings", body)
    assert (status, answer) == (202, {"accepted": 3, "noted": 2})
    (message,) = await readings.take(1)
    pack = unpack(message.value, message.headers)
    assert pack.quality.tolist() == [Quality.NOTED, Quality.FAULT, Quality.GOOD]
    assert pack.observed.tolist()[:2] == [pack.received, pack.received + 1]
    status, answer, _ = await client.post("/v1/tickets", ticket("N-1", observed_at=ahead))
    assert (status, answer["noted"]) == (202, 1)
    (record,) = await tickets.records(1)
    assert record.observed_at == record.received_at


async def test_addresses_and_methods(client: Client) -> None:
    """Unknown addresses and methods get problem documents; metrics count without their names."""
    status, problem, _ = await client.post("/v1/nothing", {})
    assert (status, problem["status"]) == (404, 404)
    async with client.session.get("/v1/readings") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
    async with client.session.get("/metrics") as response:
        text = await response.text()
    assert 'fenghuo_http_requests_total{route="other",status="404"}' in text
    assert "/v1/nothing" not in text


async def test_it_gives_signs_of_life(settings: Settings, tap: Any) -> None:
    """A running gateway sends heartbeats."""
    heartbeats = await tap(HEARTBEATS)
    async with running(settings):
        beat = (await heartbeats.records(1))[0]
    assert beat.component == "gateway" and beat.instance


async def test_without_a_broker_it_says_503_until_there_is_one(tmp_path: Path, free_port: int) -> None:
    """Started too early it answers 503 with Retry-After, and works as soon as broker and registry are there."""
    settings = settings_for(f"127.0.0.1:{free_port}")
    async with running(settings, wait=False) as client:
        assert await client.health() == 503
        status, problem, headers = await client.post("/v1/readings", reading())
        assert (status, problem["type"]) == (503, "urn:fenghuo:problem:away")
        assert int(headers["Retry-After"]) >= 1
        async with embedded_broker(tmp_path, free_port):
            await publish_registry(settings)
            await until(lambda: is_status(client, 200))
            await until(lambda: accepts(client))


async def accepts(client: Client) -> bool:
    """Say whether a reading is accepted."""
    return (await client.post("/v1/readings", reading()))[0] == 202


async def test_a_broker_that_dies_and_comes_back(tmp_path: Path, free_port: int) -> None:
    """In the middle: 503 in time, bad input still told, and 202 again when the broker is back, without a restart."""
    settings = settings_for(f"127.0.0.1:{free_port}", send_timeout_seconds=1.0)
    async with embedded_broker(tmp_path / "1", free_port):
        await publish_registry(settings)
        gateway = running(settings)
        client = await gateway.__aenter__()
        assert await accepts(client)
    try:
        status, _, _ = await client.post("/v1/readings", [reading("nobody")])
        assert status == 422  # cannot be kept now, and is told nevertheless
        async with asyncio.timeout(10):
            status, _, headers = await client.post("/v1/readings", reading())
        assert status == 503 and "Retry-After" in headers
        assert await client.health() == 503
        async with embedded_broker(tmp_path / "2", free_port):
            await publish_registry(settings)
            await until(lambda: accepts(client))
            assert await client.health() == 200
            await gateway.__aexit__(None, None, None)
    except BaseException:
        await gateway.__aexit__(None, None, None)
        raise


async def test_stopping_answers_what_is_under_way(settings: Settings, broker: str, free_port: int) -> None:
    """A request that waits for its readings to be packed is answered before the gateway leaves."""
    stopping = asyncio.Event()
    slow = settings_for(broker, linger_milliseconds=400.0)
    with_port = Settings(
        broker=slow.broker,
        gateway=GatewaySettings(port=free_port, linger_milliseconds=400.0),
        personal_key=KEY,
    )
    task = asyncio.create_task(run_gateway(with_port, load_data(), stopping))
    async with ClientSession(f"http://127.0.0.1:{free_port}") as session:
        client = Client(session)

        async def is_up() -> bool:
            try:
                return await client.health() == 200
            except OSError:
                return False

        await until(is_up)
        under_way = asyncio.create_task(client.post("/v1/readings", reading()))
        await asyncio.wait([under_way], timeout=0.1)
        assert not under_way.done()
        stopping.set()
        assert (await under_way)[0] == 202
        async with asyncio.timeout(10):
            await task


async def test_wrong_settings_end_the_start(broker: str, free_port: int) -> None:
    """Without a key, or with an address in use, it does not start and says so in one sentence."""
    with pytest.raises(InvalidConfiguration, match="FENGHUO_PERSONAL_KEY"):
        await run_gateway(Settings(), load_data(), asyncio.Event())
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", free_port)
    async with server:
        settings = Settings(
            broker=BrokerSettings(bootstrap=broker), gateway=GatewaySettings(port=free_port), personal_key=KEY
        )
        with pytest.raises(InvalidConfiguration, match="port"):
            await run_gateway(settings, load_data(), asyncio.Event())
