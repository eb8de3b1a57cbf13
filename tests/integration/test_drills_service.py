"""A drill through the process itself, over a real broker: from its timer to the topic of all alerts and to the page."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

from drill_world import LEAK
from responder_world import COUNTY, DATA, open_world

from config.settings import BrokerSettings, DatabaseSettings, RespondSettings, Secret, Settings
from domain.clock import REAL_TIME
from domain.codec import decode
from domain.findings import Alert
from domain.topics import ALERTS
from fenghuo.topic_reading import read_to_end
from fenghuo.topics import ensure_topics
from responders.drills import alert_id_of
from responders.service import run_responder

LONG = 60.0


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(LONG):
        while not await condition():
            await asyncio.sleep(0.05)


async def versions_on(broker: str, wanted: object) -> list[tuple[bytes, Alert]]:
    """Read what the topic holds of an alert, with the keys."""
    alerts = [
        (message.key, decode(ALERTS, message.value, message.headers))
        async for message in read_to_end(broker, ALERTS)
    ]
    return [(key, alert) for key, alert in alerts if alert.id == wanted]


async def test_a_drill_over_the_real_topic(
    fresh_broker: str, database: str, free_port: int, tmp_path: Path
) -> None:
    """It lies on the topic under its county, marked; the page in the file is marked as well."""
    pages = tmp_path / "pages.jsonl"
    settings = Settings(
        broker=BrokerSettings(bootstrap=fresh_broker, session_timeout_seconds=6, rebalance_timeout_seconds=6),
        database=DatabaseSettings(dsn=Secret(database), pool_size=6),
        respond=RespondSettings(metrics_port=free_port, file_path=pages, silent_after_seconds=600),
    )
    await ensure_topics(settings)
    async with open_world(database) as world:
        await world.store.set_clock(REAL_TIME)
        stopping = asyncio.Event()
        running = asyncio.create_task(run_responder(settings, DATA, stopping))
        try:
            drill = (await world.store.drills.start(uuid4(), LEAK, COUNTY, {})).id

            async def paged() -> bool:
                lines = pages.read_text(encoding="utf-8").splitlines() if pages.exists() else []
                return any(json.loads(line)["drill"] for line in lines)

            await until(paged)
            assert await world.store.drills.stop(drill) == 1
        finally:
            stopping.set()
            await asyncio.wait_for(running, LONG)
    ((key, alert),) = await versions_on(fresh_broker, alert_id_of(drill, "leak"))
    assert (key, alert.version, alert.drill, alert.zh) == (b"990101", 1, True, "【演练】青溪镇河流断面异常")
    (line,) = [json.loads(line) for line in pages.read_text(encoding="utf-8").splitlines()]
    assert line["title"] == "【演练】水环境污染 · 青溪镇"
