"""Orders of a real 12345 platform, pushed to a real gateway."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hotline_world import AREAS, COUNTY, KEY, Hotline, open_hotline

from config.personal import read_key, reveal
from domain.hotline import Channel, Kind, Satisfaction, Status, Urgency

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def hotline(broker: str) -> AsyncIterator[Hotline]:
    """A running gateway."""
    async with open_hotline(broker) as opened:
        yield opened


def order(number: str, **changes: Any) -> dict[str, Any]:
    """Make an order that names its place in words."""
    fields = {"order_number": number, "observed_at": NOW.isoformat(), "text": "水渠发黑"}
    return {**fields, "address": "云岭县青石镇河口村小学旁", **changes}


async def test_an_order_with_every_field_passes(hotline: Hotline) -> None:
    """Chinese values become ours, times become UTC, and the area is that which the address names."""
    at = "2026-07-01T08:05:00+08:00"
    body = order(
        "GD-1",
        title="反映水渠发黑",
        channel="微信",
        kind="投诉",
        urgency="特急",
        status="已办结",
        unit="青石镇人民政府",
        accepted_at=at,
        dispatched_at=at,
        due_at=(NOW + timedelta(days=100)).isoformat(),
        closed_at=at,
        responded=True,
        resolved=False,
        satisfaction="不满意",
    )
    status, answer = await hotline.push(body)
    assert (status, answer.get("errors")) == (202, None)
    (ticket,) = await hotline.written()
    assert (ticket.area, ticket.title, ticket.unit) == (f"{COUNTY}101001", "反映水渠发黑", "青石镇人民政府")
    assert (ticket.channel, ticket.kind, ticket.urgency) == (
        Channel.WECHAT,
        Kind.COMPLAINT,
        Urgency.MOST_URGENT,
    )
    assert (ticket.status, ticket.satisfaction) == (Status.DONE, Satisfaction.DISSATISFIED)
    assert (ticket.responded, ticket.resolved) == (True, False)
    assert ticket.closed_at == datetime(2026, 7, 1, 0, 5, tzinfo=UTC)
    assert ticket.sealed is None


async def test_title_and_address_are_masked_and_sealed(hotline: Hotline) -> None:
    """A name, a number and the flat's door stand nowhere in clear, and open together with the key."""
    body = order(
        "GD-2",
        title="某来电人反映噪声，电话13812345678",
        address="青石镇河口新村3栋2单元501室，某来电人家",
        caller={"name": "某来电人"},
    )
    assert (await hotline.push(body))[0] == 202
    (ticket,) = await hotline.written()
    assert ticket.title == "〔姓名〕反映噪声，电话〔电话〕"
    assert ticket.address == "青石镇河口新村3栋〔门牌〕，〔姓名〕家"
    assert ticket.area == f"{COUNTY}101002"
    assert ticket.sealed is not None
    clear = reveal(read_key(KEY), ticket.sealed, str(ticket.id))
    assert (clear.title, clear.address, clear.text) == (body["title"], body["address"], None)


FAULTS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("no place", {"address": None}, {"area": "is missing: send it, or an address that names a known area"}),
    ("unknown place", {"address": "人民路5号"}, {"address": "names no area that is known here"}),
    (
        "two villages of that name",
        {"address": "河口村3组"},
        {"address": f"may mean 河口村 {COUNTY}101001、河口村 {COUNTY}102001: name the township too"},
    ),
    ("word not in the set", {"kind": "唠叨13812345678"}, {"kind": "must be one of consultation（咨询"}),
    (
        "due in years",
        {"due_at": (NOW + timedelta(days=900)).isoformat()},
        {"due_at": "too far in the future"},
    ),
    ("closed tomorrow week", {"closed_at": (NOW + timedelta(days=7)).isoformat()}, {"closed_at": "too far"}),
    ("no zone", {"accepted_at": "2026-07-01T08:00:00"}, {"accepted_at": "timezone"}),
    (
        "all at once",
        {"title": "", "unit": "x" * 201, "satisfaction": "?", "responded": "是", "status": 3},
        {
            "title": "length",
            "unit": "length",
            "satisfaction": "not-rated",
            "responded": "bool",
            "status": "str",
        },
    ),
]


@pytest.mark.parametrize(("name", "changes", "told"), FAULTS, ids=[name for name, _, _ in FAULTS])
async def test_faults_of_an_order_are_told_together(
    hotline: Hotline, name: str, changes: dict[str, Any], told: dict[str, str]
) -> None:
    """Each wrong field is named with the reason, and what was sent is not repeated."""
    status, problem = await hotline.push([order("GD-3", **changes)])
    assert status == 422
    found = {error["field"]: error["reason"] for error in problem["errors"]}
    assert found.keys() == told.keys()
    for field, part in told.items():
        assert part in found[field]
    assert "13812345678" not in str(problem)
    assert await hotline.written() == []


async def test_an_area_that_is_given_wins_over_the_address(hotline: Hotline) -> None:
    """The platform knows better than the words."""
    assert (await hotline.push(order("GD-4", area=f"{COUNTY}102")))[0] == 202
    (ticket,) = await hotline.written()
    assert AREAS[ticket.area] == "东风乡"
