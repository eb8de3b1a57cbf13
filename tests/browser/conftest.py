"""One browser for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio
from browser_world import chromium
from playwright.async_api import Browser


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium."""
    async with chromium() as launched:
        yield launched
