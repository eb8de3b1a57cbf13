"""The embedded services answer, keep what they promise to keep, and leave nothing running."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer  # type: ignore[import-untyped]  # ships no types
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # ships no types

from domain.errors import FenghuoError, Unavailable
from fenghuo.embedded import apache_kafka, embedded_broker, embedded_postgres
from fenghuo.embedded_mqtt import mqtt_for_devices
from fenghuo.processes import child_process, until_ready

HOST_PROGRAM = """
import asyncio, sys
from pathlib import Path
from fenghuo.embedded import embedded_broker, embedded_postgres

async def main(folder):
    async with embedded_broker(folder) as broker, embedded_postgres(folder, fast=True) as dsn:
        print(broker, dsn, flush=True)
        await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""


def processes_of(folder: Path, *words: str) -> set[int]:
    """Find the processes whose command line has the folder or one of the words."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:  # it has just ended
                continue
            if any(word in line for word in (str(folder), *words)):
                found.add(int(entry.name))
    return found


async def until_gone(folder: Path, *words: str) -> None:
    """Wait until the kernel has ended those processes, at most twenty seconds."""
    async with asyncio.timeout(20):
        while processes_of(folder, *words):
            await asyncio.sleep(0.02)


@asynccontextmanager
async def a_topic(broker: str, name: str) -> AsyncIterator[str]:
    """Make a topic for as long as the context."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
        yield name
        await admin.delete_topics([name])
    finally:
        await admin.close()


async def test_the_broker_gives_back_what_it_took(broker: str) -> None:
    """Records come back in order, with key and headers, to a member of a group."""
    async with a_topic(broker, "test.embedded") as topic:
        async with AIOKafkaProducer(bootstrap_servers=broker, acks="all") as producer:
            for number in range(3):
                await producer.send_and_wait(topic, b"%d" % number, key=b"k", headers=[("kind", b"test")])
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=broker, group_id="test.embedded", auto_offset_reset="earliest"
        )
        async with asyncio.timeout(40), consumer:
            messages = [await consumer.getone() for _ in range(3)]
    assert [message.value for message in messages] == [b"0", b"1", b"2"]
    assert {(message.key, message.headers) for message in messages} == {(b"k", (("kind", b"test"),))}


async def test_the_database_is_postgresql_18(database: str) -> None:
    """A test's database answers, is empty, and speaks UTF-8 and UTC."""
    connection = await asyncpg.connect(database)
    try:
        assert (await connection.fetchval("select version()")).startswith("PostgreSQL 18")
        assert await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 0
        assert await connection.fetchval("show server_encoding") == "UTF8"
        assert await connection.fetchval("show timezone") == "UTC"
        assert await connection.fetchval("select length('烽火')") == 2
    finally:
        await connection.close()


async def test_the_database_outlives_the_server(tmp_path: Path) -> None:
    """What was written is there again, under the same DSN, when the server starts again in its folder."""
    async with embedded_postgres(tmp_path) as first:
        connection = await asyncpg.connect(first)
        assert await connection.fetchval("show fsync") == "on"
        await connection.execute("create table kept as select 7 as number")
        await connection.close()
    async with embedded_postgres(tmp_path) as second:
        connection = await asyncpg.connect(second)
        assert await connection.fetchval("select number from kept") == 7
        await connection.close()
    assert second == first


async def test_nothing_runs_after_the_context(tmp_path: Path) -> None:
    """The processes are gone when the contexts are closed."""
    async with embedded_broker(tmp_path) as address, embedded_postgres(tmp_path, fast=True):
        assert len(processes_of(tmp_path, address)) >= 2
    assert processes_of(tmp_path, address) == set()


async def test_nothing_runs_after_the_parent_is_killed(tmp_path: Path) -> None:
    """Kill −9 of the process that started them ends them too."""
    host = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOST_PROGRAM, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert host.stdout is not None
    async with asyncio.timeout(60):
        address = (await host.stdout.readline()).decode().split()[0]
    assert len(processes_of(tmp_path, address)) >= 3
    os.kill(host.pid, signal.SIGKILL)
    await host.wait()
    await until_gone(tmp_path, address)


async def test_a_taken_port_is_told(tmp_path: Path, broker: str) -> None:
    """A broker whose port is taken does not start, and does not pass the other's answers for its own."""
    port = int(broker.rsplit(":", 1)[1])
    with pytest.raises(Unavailable, match=f"Port {port} cannot be had: Address already in use"):
        async with embedded_broker(tmp_path, port):
            pass


async def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The log says which program could not be started and why."""
    log = tmp_path / "log"

    async def never() -> bool:
        return False

    async with child_process(["no-such-program"], log=log) as process:
        with pytest.raises(Unavailable, match="no-such-program cannot be started: No such file"):
            await until_ready("It", never, process, log=log)


async def test_a_silent_program_is_given_up(tmp_path: Path) -> None:
    """A process that never answers is ended after its time, stubborn or not."""
    log = tmp_path / "log"

    async def never() -> bool:
        return False

    stubborn = "trap '' TERM; while :; do sleep 0.05; done"
    async with child_process(["bash", "-c", stubborn], log=log, grace_seconds=0.1) as process:
        with pytest.raises(Unavailable, match=r"did not answer within 0\.2 seconds: it said nothing"):
            await until_ready("It", never, process, log=log, within_seconds=0.2)
    assert process.returncode == -signal.SIGKILL


async def test_a_path_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    """PostgreSQL's socket must fit into 107 bytes; the sentence says what to do."""
    with pytest.raises(FenghuoError, match="choose a shorter data folder"):
        async with embedded_postgres(tmp_path / ("x" * 90)):
            pass


async def test_kafka_without_jars_is_told(tmp_path: Path) -> None:
    """Without the jars the sentence says how to get them."""
    with pytest.raises(FenghuoError, match="make test-kafka"):
        async with apache_kafka(tmp_path, tmp_path):
            pass


async def test_without_mosquitto_devices_of_the_usual_version_are_heard(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo's port speaks MQTT 3.1.1, as tools do unless told otherwise; the gateway listens by MQTT 5 elsewhere."""
    monkeypatch.setattr("fenghuo.embedded_mqtt.find_mosquitto", lambda: None)
    async with mqtt_for_devices(tmp_path, free_port) as url:
        host, port = url.removeprefix("mqtt://").split(":")
        async with (
            aiomqtt.Client(host, int(port), protocol=aiomqtt.ProtocolVersion.V5) as gateway,
            aiomqtt.Client(host, free_port, protocol=aiomqtt.ProtocolVersion.V311) as device,
        ):
            await gateway.subscribe("fenghuo/#", qos=1)
            await device.publish("fenghuo/logger/level", "1.5", qos=1)
            async with asyncio.timeout(10):
                message = await anext(aiter(gateway.messages))
    assert (str(message.topic), message.payload) == ("fenghuo/logger/level", b"1.5")
