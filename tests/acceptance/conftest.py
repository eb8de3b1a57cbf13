"""A second empty broker: two demos on one broker would count each other's inputs."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from fenghuo import embedded

KAFKA_JARS = Path(__file__).parents[2] / ".kafka" / "jars"


@pytest_asyncio.fixture
async def another_broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Run a second empty broker, for the run that the first is compared with."""
    folder = tmp_path_factory.mktemp("another")
    kafka = os.environ.get("FENGHUO_TEST_BROKER", "tansu") == "kafka"
    running = embedded.apache_kafka(folder, KAFKA_JARS) if kafka else embedded.embedded_broker(folder)
    async with running as address:
        yield address
