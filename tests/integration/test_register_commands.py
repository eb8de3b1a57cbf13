"""`fenghuo device` and `fenghuo series` on a real database, from a file with faults to a device that goes again."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from responder_world import COUNTY, World, open_world
from typer.testing import CliRunner

from domain.devices import Sighting
from domain.errors import Conflict, FenghuoError, InvalidInput, NotFound
from domain.levels import Feed
from domain.registry import Area, Protocol, Source
from fenghuo.cli import create_cli

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
VILLAGE = "990101101001"
Fenghuo = Callable[..., Awaitable[Result]]


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    """A settled county with the sources of the example."""
    async with open_world(database) as opened:
        await opened.store.put_areas([Area(code=VILLAGE, name="新沟村")])
        await opened.store.put_sources(
            Source(slug=slug, token_sha256=digit * 64, feeds=(Feed.READINGS,), area=COUNTY)
            for slug, digit in (("ecology-bureau", "a"), ("water-bureau", "b"))
        )
        yield opened


@pytest.fixture
def fenghuo(world: World, monkeypatch: pytest.MonkeyPatch) -> Fenghuo:
    """Run commands as the command line does, each in a thread, since it has an event loop of its own."""
    monkeypatch.setenv("FENGHUO_DATABASE_DSN", world.dsn)
    monkeypatch.setenv("FENGHUO_PERSONAL_KEY", base64.b64encode(b"k" * 32).decode())

    async def run(*words: str | Path) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, create_cli(), [str(word) for word in words])

    return run


def answer(result: Result) -> Any:
    """Read what a command answered in JSON."""
    return json.loads(result.stdout)


async def test_a_file_is_shown_imported_changed_and_removed(
    world: World, fenghuo: Fenghuo, tmp_path: Path
) -> None:
    """The whole life of an entry, by commands alone, and nothing secret on any screen."""
    example = EXAMPLES / "registry.toml"
    shown = await fenghuo("series", "import", example, "--dry-run")
    assert shown.exit_code == 0
    assert "This would be done: 6 added." in shown.stdout
    assert await world.store.devices() == []
    done = await fenghuo("device", "import", example)
    assert "+ device shiqiao-water" in done.stdout
    assert "Done: 6 added." in done.stdout
    assert "Done: 6 same." in (await fenghuo("series", "import", example)).stdout

    changed = tmp_path / "registry.toml"
    changed.write_text(example.read_text(encoding="utf-8").replace("value = 20,", "value = 25,"), "utf-8")
    told = answer(await fenghuo("series", "import", changed, "--json"))
    assert (told["changed"], told["same"], told["done"]) == (1, 5, True)
    assert "blue > 20 (GB 3838-2002 Ⅲ类)" in (await fenghuo("series", "import", example)).stdout
    assert "Done: 2 added." in (await fenghuo("series", "import", EXAMPLES / "registry-series.csv")).stdout

    device = await fenghuo("device", "show", "shiqiao-water")
    assert "shiqiao-water.cod" in device.stdout
    assert answer(await fenghuo("device", "show", "shiqiao-water", "--json"))["password"] == "set"
    listed = answer(await fenghuo("series", "list", "--source", "water-bureau", "--json"))
    assert [one["id"] for one in listed] == ["shiqiao-stage.level"]
    everything = [
        await fenghuo(*words)
        for words in (
            ("device", "list"), ("device", "list", "--json"), ("series", "list"),
            ("series", "show", "shiqiao-water.cod"), ("series", "show", "shiqiao-water.cod", "--json"),
        )
    ]  # fmt: skip
    assert [result.exit_code for result in everything] == [0] * 5
    assert "208866" not in "".join(result.stdout for result in (device, *everything))

    refused = await fenghuo("device", "remove", "shiqiao-water", "--yes")
    assert refused.exit_code == 1
    assert "still delivers shiqiao-water.ammonia, shiqiao-water.cod" in refused.stderr
    assert isinstance((await fenghuo("device", "remove", "shiqiao-water")).exception, FenghuoError)
    gone = await fenghuo("device", "remove", "shiqiao-water", "--with-series", "--yes")
    assert "Done: 4 removed." in gone.stdout
    assert (await fenghuo("series", "remove", "shiqiao-air.pm25", "--yes")).exit_code == 0
    assert {one.id for one in await world.store.series()} == {"shiqiao-air.no2", "shiqiao-stage.level"}
    for words in (("device", "show", "shiqiao-water"), ("series", "show", "no")):
        assert isinstance((await fenghuo(*words)).exception, NotFound)


async def test_every_fault_of_a_file_is_a_line_and_nothing_was_changed(
    world: World, fenghuo: Fenghuo, tmp_path: Path
) -> None:
    """Faults of form and faults of the registry come together, each with its line."""
    text = (EXAMPLES / "registry.toml").read_text(encoding="utf-8")
    bad = tmp_path / "bad.toml"
    bad.write_text(
        text.replace('channel = "w21003"', 'channel = "w01018"')
        .replace('category = "flood"', 'category = "ufo"')
        .replace("aqi = 300", "aqi = 900")
        .replace("lat = 30.512", "lat = 300.0"),
        encoding="utf-8",
    )  # fmt: skip
    result = await fenghuo("series", "import", bad)
    assert result.exit_code == 1
    *lines, last = result.stderr.splitlines()
    assert [line.rsplit(": ", 1)[0] for line in lines] == [
        "bad.toml: line 14: device shiqiao-water: lat",
        "bad.toml: line 94: series shiqiao-air.pm25: limits[1].aqi",
        "bad.toml: line 69: series shiqiao-stage.level: category",
        "bad.toml: line 38: series shiqiao-water.cod: channel",
        "bad.toml: line 58: series shiqiao-water.ammonia: channel",
    ]
    assert last == "Nothing was changed: 5 fault(s)."
    assert await world.store.devices() == []
    bad.write_text(bad.read_text(encoding="utf-8").replace("300.0", "30.0"), encoding="utf-8")
    told = answer(await fenghuo("series", "import", bad, "--json"))
    assert not told["ok"]
    assert sum("w01018 of shiqiao-water is already" in fault["reason"] for fault in told["faults"]) == 2
    assert (await fenghuo("series", "import", tmp_path / "none.csv")).exit_code == 1


async def test_a_stranger_is_registered_as_it_was_seen(world: World, fenghuo: Fenghuo) -> None:
    """What a gateway saw needs only a name and a place; what none saw, or what is known, is refused."""
    seen = Sighting(
        protocol=Protocol.HJ212, address="MN1", device=None, gateway="g", peer="10.0.0.7:9", packets=3,
        seen_at=datetime.now(UTC), readings=9, refused=0, connected=True, channels=("w01018",),
    )  # fmt: skip
    await world.store.record_sightings([seen, *[seen_as(seen, "TWICE", p) for p in Protocol]])
    listed = await fenghuo("device", "list", "--unregistered", "--json")
    assert [one["address"] for one in answer(listed)] == ["MN1", *["TWICE"] * 3]
    assert "MN1" in (await fenghuo("device", "list", "--unregistered")).stdout
    words = ("--id", "d1", "--name", "一号", "--area", VILLAGE, "--source", "ecology-bureau")
    assert "+ device d1" in (await fenghuo("device", "register", "MN1", *words)).stdout
    assert isinstance((await fenghuo("device", "register", "MN1", *words)).exception, Conflict)
    assert isinstance((await fenghuo("device", "register", "TWICE", *words)).exception, Conflict)
    assert isinstance((await fenghuo("device", "register", "MN9", *words)).exception, NotFound)
    await world.store.record_sightings([seen_as(seen, "MN2", Protocol.HJ212)])
    wrong = await fenghuo("device", "register", "MN2", *words[:4], "--area", "88", "--source", "no")
    assert (wrong.exit_code, len(wrong.stderr.splitlines())) == (1, 3)
    (known,) = answer(await fenghuo("device", "list", "--json"))
    assert known["seen"]["packets"] == 3
    shown = answer(await fenghuo("device", "show", "d1", "--json"))
    assert (shown["password"], shown["seen"]["channels"]) == ("not set", ["w01018"])


def seen_as(seen: Sighting, address: str, protocol: Protocol) -> Sighting:
    """See another device in the same way."""
    from msgspec import structs

    return structs.replace(seen, address=address, protocol=protocol)


async def test_wrong_words_are_refused(world: World, fenghuo: Fenghuo) -> None:
    """An id that cannot be is told like every other fault."""
    await world.store.record_sightings(
        [
            Sighting(
                protocol=Protocol.SL651, address="0012345678", device=None, gateway="g", peer="x", packets=1,
                seen_at=datetime.now(UTC), readings=0, refused=0, connected=False,
            )
        ]
    )  # fmt: skip
    wrong = await fenghuo(
        "device", "register", "0012345678", "--id", "no good", "--name", "x", "--area", "7", "--source", "x"
    )
    assert wrong.exit_code == 1
    assert not isinstance(wrong.exception, InvalidInput)
    assert {"id", "area"} <= {line.partition(":")[0] for line in wrong.stderr.splitlines()}


async def test_areas_come_from_a_table(world: World, fenghuo: Fenghuo, tmp_path: Path) -> None:
    """A list of codes and names, in GBK as offices have it; an outline that the file does not know stays."""
    outlined = Area(code=VILLAGE, name="新沟村", outline=((119.9, 30.5), (120.0, 30.5), (120.0, 30.6)))
    await world.store.put_areas([outlined])
    table = tmp_path / "areas.csv"
    table.write_text(f"区域代码,名称,纬度\n{VILLAGE},新沟社区,30.55\n990101101009,下店村,\n", encoding="gbk")
    assert "1 added, 1 changed" in (await fenghuo("area", "import", table, "--dry-run")).stdout
    assert outlined in await world.store.areas()
    assert answer(await fenghuo("area", "import", table, "--json"))["added"] == 1
    stored = {area.code: area for area in await world.store.areas()}
    assert (stored[VILLAGE].name, stored[VILLAGE].lat) == ("新沟社区", 30.55)
    assert stored[VILLAGE].outline == outlined.outline
    assert "Done: 2 same." in (await fenghuo("area", "import", table)).stdout
    listed = answer(await fenghuo("area", "list", "--within", "990101101", "--json"))
    assert [one["code"] for one in listed] == ["990101101", VILLAGE, "990101101009"]
    toml = tmp_path / "areas.toml"
    toml.write_text(
        '[[area]]\ncode = "99010110100"\n\n[[area]]\ncode = "12"\nname = "甲"\nmayor = "x"\n' * 2, "utf-8"
    )
    wrong = await fenghuo("area", "import", toml)
    assert wrong.exit_code == 1
    for words in (
        "areas.toml: area[0]: code",
        "area[0]: name: is missing",
        "area[1]: mayor",
        "12: is there 2 times",
    ):
        assert words in wrong.stderr
