"""A report from a phone reaches `feed.reports` over the responder's outbox, and everybody who reads it there, once."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

from console_world import RULES, USERS, fill

from config.settings import BrokerSettings, Settings
from domain.codec import decode
from domain.inputs import Report
from domain.levels import Level
from domain.topics import REPORTS
from fenghuo.topics import ensure_topics
from responders.broker import open_consumer
from responders.field import Written
from responders.intake import Intake
from responders.loops import Bell, Health
from responders.migrate import migrate
from responders.outbox import run_outbox
from responders.store import Store
from responders.views import Viewer

VILLAGE = "990101101001"


async def test_a_report_is_on_the_topic_once(fresh_broker: str, database: str) -> None:
    """Taken twice over, it is one message, keyed by township; the responder's own intake finds it stored."""
    settings = BrokerSettings(bootstrap=fresh_broker, session_timeout_seconds=6, rebalance_timeout_seconds=6)
    await ensure_topics(Settings(broker=settings))
    await migrate(database)
    (worker,) = [user for user in USERS if user.login == "wangge"]
    viewer = Viewer(
        user=worker.id, login=worker.login, display=worker.display, role=worker.role, area=worker.area
    )
    async with Store.open(database, pool_size=4) as store:
        await fill(store)
        sent = [
            Written(
                client_id=uuid4(),
                area=VILLAGE,
                category="flood",
                level=Level.BLUE,
                text=text,
                age=timedelta(minutes=5),
            )
            for text in ("路面积水", "桥下积水")
        ]
        taken = [await store.field.report(viewer, one, RULES) for one in (*sent, *sent)]
        stopping = asyncio.Event()
        outbox = asyncio.create_task(run_outbox(store, settings, Bell(), Health(), stopping))
        try:
            wanted = {one.id for one in taken}
            async with asyncio.timeout(60), open_consumer(settings, None, REPORTS.name) as consumer:
                messages = []
                while {decode(REPORTS, one.value, one.headers).id for one in messages} < wanted:
                    async for message in consumer:
                        if decode(REPORTS, message.value, message.headers).id in wanted:
                            messages.append(message)
                        break
        finally:
            stopping.set()
            with suppress(asyncio.CancelledError):
                await outbox
        read: list[Report] = [decode(REPORTS, one.value, one.headers) for one in messages]
        assert [(one.id, one.text) for one in read] == [
            (taken[0].id, "路面积水"),
            (taken[1].id, "桥下积水"),
        ]
        assert {one.key for one in messages} == {b"990101101"}
        assert await Intake(store, RULES).take(messages) == []
        account = await store.account()
        assert account.rows["report"] == 2
