"""The gateway's parts without network: parsing, packing, rates, remembered answers."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.data import load_data
from config.sealing import Sealer
from config.settings import BrokerSettings, GatewaySettings, Settings
from domain.codec import decode, encode
from domain.errors import BrokerUnavailable, Fault
from domain.inputs import MAX_REJECTED_BYTES, Quality
from domain.levels import Feed
from domain.registry import Area, Series, Source
from domain.topics import READINGS, REGISTRY_AREAS, REGISTRY_SERIES, TICKETS, TOPICS
from streams.gateway_access import Buckets
from streams.gateway_body import Room, decode_items, refuse, without_values
from streams.gateway_idempotency import KEEP_SECONDS, Answers
from streams.gateway_packer import Packer
from streams.gateway_problems import Reason, Refused
from streams.gateway_readings import Catalog, Columns, parse_readings
from streams.gateway_texts import Desk
from streams.messages import partition_of
from streams.packing import micros, unpack
from streams.places import Places
from streams.producer import OVERHEAD_BYTES, Message
from streams.registry import Registry
from streams.rejected import turn_away

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SOURCE = Source(
    slug="station", token_sha256="0" * 64, feeds=tuple(Feed), area="9901", items_per_second=2, burst=4
)
TOWNSHIPS = ("990101001", "990101002")


class FakeClock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        """Start somewhere."""
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.seconds


class FakeWriter:
    """Takes messages, or is away."""

    def __init__(self) -> None:
        """Start with nothing taken."""
        self.messages: list[Message] = []
        self.is_away = False

    async def write(self, messages: Sequence[Message]) -> None:
        """Take messages."""
        await asyncio.sleep(0)
        if self.is_away:
            raise BrokerUnavailable
        self.messages += messages


def make_series(name: str, area: str = TOWNSHIPS[0], source: str = "station") -> Series:
    """Make a series."""
    return Series(
        id=name,
        name="水位",
        quantity="level",
        unit="m",
        area=area,
        category="flood",
        source=source,
        interval_seconds=60,
    )


@pytest.fixture
def registry() -> Registry:
    """Make a registry of two townships, filled without a broker."""
    registry = Registry(BrokerSettings(), "test")
    for code in TOWNSHIPS:
        registry._apply(REGISTRY_AREAS.name, code.encode(), Area(code=code, name="示例"))
    for number in range(4):
        name = f"s{number}"
        registry._apply(REGISTRY_SERIES.name, name.encode(), make_series(name, TOWNSHIPS[number % 2]))
    return registry


def parse(catalog: Catalog, body: Any, *, lines: bool = False) -> Columns:
    """Parse a body as the gateway does."""
    data = bytearray(body if isinstance(body, bytes) else json.dumps(body).encode())
    return parse_readings(data, catalog, SOURCE, micros(NOW), GatewaySettings(), lines=lines)


def reading(name: str = "s0", at: datetime = NOW, value: float = 1.0, quality: str = "N") -> dict[str, Any]:
    """Make a reading."""
    return {"series": name, "observed_at": at.isoformat(), "value": value, "quality": quality}


EARLY, LATE = datetime(2000, 1, 2), datetime(2026, 2, 28)  # noqa: DTZ001  # hypothesis wants them naive


@given(st.datetimes(EARLY, LATE), st.timedeltas(timedelta(hours=-12), timedelta(hours=12)))
def test_times_are_exact_to_the_microsecond(naive: datetime, offset: timedelta) -> None:
    """The vectorised way to microseconds is exact for every time and offset."""
    from datetime import timezone

    registry = Registry(BrokerSettings(), "test")
    registry._apply(REGISTRY_SERIES.name, b"s0", make_series("s0"))
    at = naive.replace(tzinfo=timezone(timedelta(minutes=offset // timedelta(minutes=1))))
    assert parse(Catalog(registry), [reading(at=at)]).observed.tolist() == [micros(at)]


plain = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=6)
fields = st.dictionaries(
    st.sampled_from(["series", "observed_at", "value", "quality", "x"]),
    plain
    | st.sampled_from(
        ["s0", "2026-03-01T08:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
    ),
)


@given(st.lists(fields | plain, max_size=4) | fields | plain, st.booleans())
def test_any_body_is_columns_or_refused(body: Any, lines: bool) -> None:
    """No JSON brings the parser to anything but columns or a refusal, and the two ways agree."""
    registry = Registry(BrokerSettings(), "test")
    registry._apply(REGISTRY_SERIES.name, b"s0", make_series("s0"))
    items = body if isinstance(body, list) else [body]
    data = "\n".join(json.dumps(item) for item in items).encode() if lines else json.dumps(body).encode()
    try:
        columns = parse(Catalog(registry), data, lines=lines)
    except Refused as refused:
        assert refused.faults
        assert refused.status in (400, 403, 422)
    else:
        assert len(columns) == len(items)


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_columns_or_refused(body: bytes, lines: bool) -> None:
    """No bytes bring the parser to anything but columns or a refusal."""
    registry = Registry(BrokerSettings(), "test")
    try:
        assert len(parse(Catalog(registry), body, lines=lines)) == 0
    except Refused as refused:
        assert refused.faults


ticket_fields = st.dictionaries(
    st.sampled_from(["order_number", "observed_at", "area", "text", "caller", "category"]),
    plain
    | st.sampled_from(["990101001", "2026-03-01T08:00:00Z", "0001-01-01T00:00:00+14:00", "flood"])
    | st.dictionaries(st.sampled_from(["name", "phone", "id_number"]), plain),
)


@given(st.lists(ticket_fields | plain, max_size=3) | ticket_fields)
def test_any_ticket_is_taken_or_refused(body: Any) -> None:
    """No JSON brings the ticket desk to anything but messages or a refusal."""
    registry = Registry(BrokerSettings(), "test")
    registry._apply(REGISTRY_AREAS.name, b"a", Area(code=TOWNSHIPS[0], name="示例"))
    desk = Desk(Settings(), DATA, registry, Sealer(bytes(32)), Places(registry))
    try:
        accepted = desk.take(Feed.TICKETS, bytearray(json.dumps(body).encode()), SOURCE, NOW, lines=False)
    except Refused as refused:
        assert refused.faults
    else:
        for message in accepted.messages:
            assert decode(TICKETS, message.value, message.headers).id in accepted.ids


DATA = load_data()


@pytest.mark.parametrize(
    ("ahead", "outcome"),
    [
        (timedelta(minutes=5), "as it is"),
        (timedelta(minutes=5, microseconds=1), "noted"),
        (timedelta(days=1), "noted"),
        (timedelta(days=1, microseconds=1), "refused"),
    ],
)
def test_clocks_that_run_ahead(registry: Registry, ahead: timedelta, outcome: str) -> None:
    """Up to five minutes nothing is said, up to a day it is noted, beyond it is refused."""
    body = [reading(at=NOW + ahead, quality="N"), reading("s1", at=NOW + ahead, quality="M")]
    if outcome == "refused":
        with pytest.raises(Refused, match="invalid"):
            parse(Catalog(registry), body)
        return
    columns = parse(Catalog(registry), body)
    noted = outcome == "noted"
    at = micros(NOW) if noted else micros(NOW + ahead)
    assert columns.noted == 2 * noted
    assert columns.observed.tolist() == [at, at + noted]
    assert columns.quality.tolist() == [Quality.NOTED if noted else Quality.GOOD, Quality.MAINTENANCE]


def test_the_catalog_follows_the_registry(registry: Registry) -> None:
    """A new series is known at once, a removed or moved one is refused at once."""
    catalog = Catalog(registry)
    name = REGISTRY_SERIES.name
    with pytest.raises(Refused):
        parse(catalog, [reading("new")])
    registry._apply(name, b"new", make_series("new"))
    assert len(parse(catalog, [reading("new"), reading("s0")])) == 2
    registry._apply(name, b"new", make_series("new", source="somebody"))
    with pytest.raises(Refused) as caught:
        parse(catalog, [reading("new")])
    assert caught.value.reason is Reason.FORBIDDEN
    registry._apply(name, b"new", None)
    with pytest.raises(Refused) as caught:
        parse(catalog, [reading("new")])
    assert caught.value.reason is Reason.INVALID
    registry._apply(name, b"new", make_series("new"))
    assert len(parse(catalog, [reading("new")])) == 1


@pytest.mark.parametrize(("partitions", "messages"), [(7, 4), (8, 4)])
async def test_packs_are_full_and_keyed(registry: Registry, partitions: int, messages: int) -> None:
    """Readings fill messages of their partition up to the size, across requests, in the order of each township.

    With 7 partitions the two townships have one each, with 8 they share one.
    """
    writer, catalog = FakeWriter(), Catalog(registry)
    packer = Packer(
        writer, catalog, partitions=partitions, pack_readings=3, linger_seconds=0.0, max_bytes=1_000_000
    )
    bodies = [
        [reading(f"s{number % 2}", value=10.0 * part + number) for number in range(5)] for part in range(2)
    ]
    await asyncio.gather(
        *(packer.add(parse(catalog, body), micros(NOW) + part) for part, body in enumerate(bodies))
    )
    found: dict[str, list[float]] = {}
    for message in writer.messages:
        pack = unpack(message.value, message.headers)
        assert message.topic == READINGS.name
        assert len(pack) <= 3
        for index, value in zip(pack.index.tolist(), pack.values.tolist(), strict=True):
            found.setdefault(pack.names[index], []).append(value)
            township = TOWNSHIPS[int(pack.names[index][1:]) % 2]
            assert partition_of(message.key.decode(), partitions) == partition_of(township, partitions)
    assert found == {"s0": [0, 2, 4, 10, 12, 14], "s1": [1, 3, 11, 13]}
    assert len(writer.messages) == messages
    assert min(unpack(m.value, m.headers).received for m in writer.messages) == micros(NOW)


async def test_a_request_fails_with_its_message(registry: Registry) -> None:
    """When the broker does not take a message, everybody with readings in it hears of it, and nobody else later."""
    writer, catalog = FakeWriter(), Catalog(registry)
    packer = Packer(writer, catalog, partitions=7, pack_readings=500, linger_seconds=0.0, max_bytes=1_000_000)
    columns = parse(catalog, [reading("s0"), reading("s1")])
    writer.is_away = True
    results = await asyncio.gather(*(packer.add(columns, 1) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [BrokerUnavailable] * 3
    writer.is_away = False
    await packer.add(columns, micros(NOW))
    assert len(writer.messages) == 2


async def test_flush_leaves_nothing_behind(registry: Registry) -> None:
    """What waits for company is sent when the gateway stops."""
    writer, catalog = FakeWriter(), Catalog(registry)
    packer = Packer(
        writer, catalog, partitions=8, pack_readings=500, linger_seconds=3_600.0, max_bytes=1_000_000
    )
    waiting = asyncio.create_task(packer.add(parse(catalog, [reading()]), micros(NOW)))
    await asyncio.sleep(0)
    assert not writer.messages
    await packer.flush()
    await waiting
    assert len(writer.messages) == 1


async def test_a_message_never_outgrows_the_broker(registry: Registry) -> None:
    """A pack that is too large for a message is split, and nothing is lost."""
    writer, catalog = FakeWriter(), Catalog(registry)
    limit = 2_500
    packer = Packer(
        writer, catalog, partitions=8, pack_readings=500, linger_seconds=0.0, max_bytes=limit + OVERHEAD_BYTES
    )
    await packer.add(parse(catalog, [reading(f"s{2 * (n % 2)}", value=n) for n in range(300)]), micros(NOW))
    assert len(writer.messages) > 1
    assert all(len(message.value) <= limit for message in writer.messages)
    packs = [unpack(message.value, message.headers) for message in writer.messages]
    assert np.concatenate([pack.values for pack in packs]).tolist() == list(range(300))
    names = [pack.names[place] for pack in packs for place in pack.index.tolist()]
    assert names == [f"s{2 * (n % 2)}" for n in range(300)]


def test_one_item_too_large_for_a_message_is_refused(registry: Registry) -> None:
    """A ticket that the broker would refuse is refused before."""
    desk = Desk(
        Settings(broker=BrokerSettings(max_message_bytes=2_000)),
        DATA,
        registry,
        Sealer(bytes(32)),
        Places(registry),
    )
    body = {"order_number": "1", "observed_at": NOW.isoformat(), "area": TOWNSHIPS[0], "text": "长" * 5_000}
    with pytest.raises(Refused) as caught:
        desk.take(Feed.TICKETS, bytearray(json.dumps(body).encode()), SOURCE, NOW, lines=False)
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("steps", "passes"),
    [
        ([(0, 4), (0, 1)], [True, False]),  # the burst, and no more
        ([(0, 4), (0.5, 1)], [True, True]),  # two per second come back
        ([(0, 4), (0.49, 1)], [True, False]),
        ([(0, 3), (0, 2), (0, 1)], [True, False, True]),
        ([(0, 10), (2.9, 1), (0.7, 1)], [True, False, True]),  # a large body passes once and leaves a debt
        ([(100, 4), (0, 1)], [True, False]),  # never more than the burst
    ],
)
def test_token_buckets(steps: list[tuple[float, int]], passes: list[bool]) -> None:
    """Seconds waited, items sent, and whether they pass: two items per second, burst four."""
    clock = FakeClock()
    buckets = Buckets(clock)
    outcome = []
    for seconds, items in steps:
        clock.seconds += seconds
        try:
            buckets.take(SOURCE, items)
        except Refused as refused:
            assert refused.reason is Reason.TOO_FAST
            assert int(refused.headers["Retry-After"]) >= 1
            outcome.append(False)
        else:
            outcome.append(True)
    assert outcome == passes


def test_checking_takes_nothing_and_nonsense_does() -> None:
    """Looking before the body is read is free, a refused body costs one."""
    buckets = Buckets(FakeClock())
    for _ in range(10):
        buckets.check(SOURCE)
    for _ in range(4):
        buckets.charge(SOURCE)
    with pytest.raises(Refused):
        buckets.check(SOURCE)


def test_answers_are_remembered_for_a_day_and_up_to_a_number() -> None:
    """The answer comes back for the same body within a day, unless too many came since."""
    clock = FakeClock()
    answers = Answers(capacity=2, clock=clock)
    name = ("station", "readings", "a")
    assert answers.recall(name, b"body") is None
    answers.remember(name, b"answer")
    clock.seconds += KEEP_SECONDS - 1
    assert answers.recall(name, b"body") == b"answer"
    with pytest.raises(Refused) as caught:
        answers.recall(name, b"other")
    assert caught.value.reason is Reason.KEY_REUSED
    clock.seconds += 1
    assert answers.recall(name, b"other") is None
    answers.remember(name, b"answer")
    for key in "bc":
        assert answers.recall(("station", "readings", key), b"body") is None
    assert answers.recall(name, b"yet another") is None


def test_a_request_that_was_not_accepted_frees_its_key() -> None:
    """A failed request may be corrected under the same key; an answer once given stands."""
    answers = Answers(clock=FakeClock())
    name = ("station", "readings", "a")
    assert answers.recall(name, b"wrong") is None
    answers.forget(name)
    assert answers.recall(name, b"right") is None
    answers.remember(name, b"answer")
    answers.forget(name)
    assert answers.recall(name, b"right") == b"answer"


def test_room_is_bounded() -> None:
    """Bodies together take no more than there is, and the next one is told to come back."""
    room = Room(10)
    room.take(8)
    with pytest.raises(Refused) as caught:
        room.take(3)
    assert caught.value.reason is Reason.BUSY
    assert caught.value.headers["Retry-After"] == "1"
    room.take(2)


@pytest.mark.parametrize(
    ("field", "reason", "shown"),
    [
        ("[3].caller.name", "expected `str`", "[3].caller.name"),
        ("areas[1]", "is not a known area", "areas[1]"),
        ("caller.13812345678", "is not a known field", "caller.…"),
        ("张三", "is not a known field", "…"),
        ("[0].a.b c.d", "is not a known field", "[0].a.….d"),
        ("body", "object contains unknown field `张三`", "body"),
    ],
)
def test_faults_do_not_quote_the_sender(field: str, reason: str, shown: str) -> None:
    """Names of fields that the sender invented are not repeated."""
    fault = without_values(Fault(field, reason))
    assert fault.field == shown
    assert "张三" not in fault.reason


def test_what_is_kept_is_bounded() -> None:
    """A great item is cut, and its size and digest tell of the whole."""
    item = b"x" * (MAX_REJECTED_BYTES + 1)
    record = turn_away(
        item,
        stage="gateway",
        feed="readings",
        source="station",
        at=NOW,
        reason="invalid",
        faults=[Fault("a", "b" * 1_000)] * 100,
        cause=("station", 1),
        sealer=Sealer(bytes(32)),
    )
    assert record.size == len(item)
    assert len(encode(record)) < 2 * MAX_REJECTED_BYTES
    clear = Sealer(bytes(32)).open_sealed(record.item, str(record.id))
    assert clear == item[:MAX_REJECTED_BYTES]


@pytest.mark.parametrize("lines", [True, False])
def test_a_fault_late_in_a_long_body_is_found(lines: bool) -> None:
    """The place of the fault is that of the item, however many stand before it."""
    from domain.inputs import Reading

    items = [json.dumps(reading()) for _ in range(5_000)]
    items[4_321] = "{}"
    body = bytearray(("\n".join(items) if lines else f"[{','.join(items)}]").encode())
    with pytest.raises(Refused) as caught:
        decode_items(Reading, body, lines=lines)
    assert {fault.field.partition(".")[0] for fault in caught.value.faults} == {"[4321]"}
    assert caught.value.item == b"[{}]"


def test_a_refusal_counts_all_inputs() -> None:
    """Metrics count the inputs of a refused body, not the body."""
    refused = refuse(bytearray(b"[1,2]"), [Fault("[0]", "is wrong")], lines=False, count=2)
    assert (refused.count, refused.item, refused.size) == (2, b"[1]", 3)


def test_every_feed_has_a_topic() -> None:
    """The gateway knows where each feed goes."""
    from streams.gateway_http import TOPIC_OF

    assert {topic.name for topic in TOPIC_OF.values()} <= TOPICS.keys()
    assert set(TOPIC_OF) == set(Feed)
