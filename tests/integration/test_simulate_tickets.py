"""`fenghuo simulate tickets` against a real gateway."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hotline_world import AREAS, TOKEN, Hotline, open_hotline

from domain.areas import AreaLevel


@pytest.fixture
async def hotline(broker: str) -> AsyncIterator[Hotline]:
    """A running gateway."""
    async with open_hotline(broker) as opened:
        yield opened


async def simulate(gateway: str, *arguments: str) -> tuple[int | None, str, str]:
    """Run the command."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fenghuo", "simulate", "tickets", gateway, *arguments),
        env={**os.environ, "FENGHUO_IMPORT_TOKEN": TOKEN},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        out, errors = await process.communicate()
    return process.returncode, out.decode(), errors.decode()


async def test_two_days_of_ones_own_villages(hotline: Hotline, tmp_path: Path) -> None:
    """What was confirmed is on the broker, in the villages of the file; the same days again are the same orders."""
    areas = tmp_path / "areas.txt"
    areas.write_text("\n".join(f"{code} {name}" for code, name in AREAS.items()), encoding="utf-8")
    arguments = (
        "--areas",
        str(areas),
        "--days",
        "2",
        "--per-day",
        "60",
        "--until",
        "2026-07-03T12:00",
        "--json",
    )
    ids = []
    for _ in range(2):
        status, out, _ = await simulate(hotline.url, *arguments)
        outcome: dict[str, Any] = json.loads(out)
        assert status == 0 and outcome["sent"] == outcome["confirmed"] > 60
        tickets = await hotline.written()
        assert len(tickets) == outcome["sent"]
        assert {ticket.area for ticket in tickets} <= {
            code for code in AREAS if len(code) == AreaLevel.VILLAGE
        }
        assert all("1380000" not in ticket.text for ticket in tickets)
        ids.append({ticket.id for ticket in tickets})
    assert ids[0] == ids[1]


async def test_wrong_wishes_are_told_together(hotline: Hotline, tmp_path: Path) -> None:
    """Too many calls, a past that goes on, no village: one sentence; a county that the gateway does not know too."""
    areas = tmp_path / "areas.txt"
    areas.write_text("990166 云岭县\n", encoding="utf-8")
    wrong = ("--areas", str(areas), "--per-day", "1000000", "--until", "2026-07-03T12:00", "--live", "3")
    status, _, errors = await simulate(hotline.url, *wrong)
    assert status == 1
    assert all(name in errors for name in ("--areas", "--per-day", "--until"))
    status, _, errors = await simulate(hotline.url, "--per-day", "20")  # the demo's county
    assert status == 1 and "403" in errors and "Traceback" not in errors
