"""A real broker and a real PostgreSQL for the whole run; FENGHUO_TEST_BROKER=kafka makes the broker Apache Kafka."""

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]  # ships no types
import pytest
import pytest_asyncio

from fenghuo import embedded

ROOT = Path(__file__).parent.parent
KAFKA_JARS = ROOT / ".kafka" / "jars"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On Apache Kafka run what meets a broker: everything else was run beside the embedded one, and is the same."""
    if os.environ.get("FENGHUO_TEST_BROKER") != "kafka":
        return
    meeting = [item for item in items if _meets_broker(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in meeting])
    items[:] = meeting


def _meets_broker(item: pytest.Item) -> bool:
    """Say whether a test asks for a broker, or its module starts some by itself."""
    asked = {"broker", "fresh_broker", "another_broker"} & set(getattr(item, "fixturenames", ()))
    known = {"broker_of_its_own", "embedded"} & vars(getattr(item, "module", None) or object).keys()
    return bool(asked or known) or item.get_closest_marker("kafka") is not None


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Run one broker for all tests; its `host:port`. Tests name their topics so that they do not meet."""
    folder = tmp_path_factory.mktemp("broker")
    match os.environ.get("FENGHUO_TEST_BROKER", "tansu"):
        case "tansu":
            running = embedded.embedded_broker(folder)
        case "kafka":
            running = embedded.apache_kafka(folder, KAFKA_JARS)
        case other:
            raise pytest.UsageError(f"FENGHUO_TEST_BROKER is tansu or kafka, not {other}")
    async with running as address:
        yield address


@pytest_asyncio.fixture
async def fresh_broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Run an empty broker of the same kind for one test: what it tells of clocks and alerts reaches no other."""
    folder = tmp_path_factory.mktemp("fresh")
    kafka = os.environ.get("FENGHUO_TEST_BROKER", "tansu") == "kafka"
    running = embedded.apache_kafka(folder, KAFKA_JARS) if kafka else embedded.embedded_broker(folder)
    async with running as address:
        yield address


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Run one PostgreSQL for all tests; the DSN of its superuser."""
    async with embedded.embedded_postgres(tmp_path_factory.mktemp("postgres"), fast=True) as dsn:
        yield dsn


@pytest_asyncio.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    """Make an empty database for this test; its DSN."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(f"create database {name}")
        yield urlsplit(postgres)._replace(path=f"/{name}").geturl()
        await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()


@pytest.fixture
def free_port() -> int:
    """Find a port on which nobody listens."""
    return embedded.free_port()
