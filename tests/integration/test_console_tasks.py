"""Tasks over the console's API: moved on, refused, decided, with every fault in words."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from console_world import NOISE, START, Console, case_of, running_console


@pytest_asyncio.fixture
async def console(database: str) -> AsyncIterator[Console]:
    """Serve a console over a filled database with one case, whose task is a township's."""
    async with running_console(database) as running:
        await running.raise_alerts(NOISE)
        yield running


async def task_of(console: Console, login: str = "baishi") -> dict[str, str]:
    """Read the case's task as a post sees it."""
    seat = await console.seat(login)
    view = (await (await seat.get(f"/api/v1/incidents/{case_of(NOISE)}")).json())["incident"]
    task: dict[str, str] = view["tasks"][0]
    return task


async def test_a_task_is_moved_on(console: Console) -> None:
    """Signed for and done; where it cannot go is told, and so is a state that there is not."""
    seat, task = await console.seat("baishi"), (await task_of(console))["id"]
    for state in ("accepted", "done"):
        answer = await seat.send(f"tasks/{task}/move", {"state": state})
        assert (answer.status, (await answer.json())["task"]["state"]) == (200, state)
    assert (await seat.send(f"tasks/{task}/move", {"state": "on_site"})).status == 409
    assert (await seat.send(f"tasks/{task}/move", {"state": "forgotten"})).status == 400
    assert (await seat.send("tasks/nothing/move", {"state": "done"})).status == 404


async def test_a_refusal_from_asking_to_deciding(console: Console) -> None:
    """The township cites an item, the county gives the task to another township; both see what became of it."""
    unit, county = await console.seat("baishi"), await console.seat("county")
    task = await task_of(console)
    path = f"tasks/{task['id']}/pleas/refuse"
    faulty = await unit.send(path, {"reason": " "})
    assert faulty.status == 400
    assert {fault["field"] for fault in (await faulty.json())["faults"]} == {"reason", "item"}
    asked = await unit.send(path, {"reason": "噪声源在青溪镇", "item": "属地事项 第3项"})
    assert (asked.status, (await asked.json())["task"]["state"]) == (200, "refused")
    assert (await unit.send(f"{path}/answer", {"granted": False})).status == 403
    assert (await county.send(f"{path}/answer", {"granted": True})).status == 400
    given = await county.send(
        f"{path}/answer", {"granted": True, "area": "990101101", "note": "由青溪镇办理"}
    )
    assert (given.status, (await given.json())["task"]["unit"]) == (200, "青溪镇值班室")
    assert (await county.send(f"{path}/answer", {"granted": False})).status == 409
    view = (await (await unit.get(f"/api/v1/incidents/{case_of(NOISE)}")).json())["incident"]
    assert [(plea["kind"], plea["outcome"], plea["note"]) for plea in view["pleas"]] == [
        ("refuse", "granted", "由青溪镇办理")
    ]
    assert [entry["actor"] for entry in view["timeline"] if entry["kind"].startswith("plea")] == [
        "白石镇值班室",
        "示例县应急指挥中心",
    ]


async def test_other_pleas_and_other_areas(console: Console) -> None:
    """A kind that there is not is not found; whoever does not see the case does not see its tasks."""
    unit, other = await console.seat("baishi"), await console.seat("qingxi")
    task = (await task_of(console))["id"]
    body = {"reason": "等", "until": (START + timedelta(hours=3)).isoformat()}
    assert (await unit.send(f"tasks/{task}/pleas/forget", body)).status == 404
    assert (await other.send(f"tasks/{task}/pleas/extend", body)).status == 404
    assert (await unit.send(f"tasks/{task}/pleas/extend", {**body, "until": "soon"})).status == 400
