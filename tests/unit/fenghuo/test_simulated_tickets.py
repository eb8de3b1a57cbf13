"""Synthetic orders: a county's rhythm, courses that end, and the same again for the same seed."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from config.personal import mask
from domain.hotline import Status
from domain.registry import Area
from fenghuo.demo.readings import SHANGHAI
from fenghuo.simulate.tickets_play import Push, build_pushes

VILLAGES = [Area(code=f"99010110100{number}", name=f"{number}号村") for number in range(1, 6)]
MONDAY = datetime(2026, 6, 29, tzinfo=SHANGHAI)
WEEK = timedelta(days=7)


def build(since: datetime = MONDAY, until: datetime = MONDAY + WEEK, seed: int = 1) -> list[Push]:
    """Build pushes with enough calls to count."""
    return build_pushes(VILLAGES, since, until, per_day=300, seed=seed)


def calls(pushes: list[Push]) -> list[Push]:
    """Take the first push of each order."""
    return [push for push in pushes if push.item.status is Status.ACCEPTED]


def test_calls_come_by_day_and_fewer_at_weekends() -> None:
    """Nobody calls at four in the morning as at ten, nor on Sunday as on Monday; the mean is what was asked for."""
    firsts = calls(build())
    hours = Counter(push.at.astimezone(SHANGHAI).hour for push in firsts)
    days = Counter(push.at.astimezone(SHANGHAI).weekday() for push in firsts)
    assert hours[10] > 4 * hours[4] and hours[20] > hours[3]
    assert max(days[5], days[6]) < min(days[day] for day in range(5))
    assert sum(days[day] for day in range(5)) / 5 == pytest.approx(300, rel=0.1)


def test_each_order_keeps_its_number_and_time_and_goes_on() -> None:
    """Pushes of an order differ in how it is handled alone, are in order of time, and none is pushed from the future."""
    pushes = build()
    assert [push.at for push in pushes] == sorted(push.at for push in pushes)
    assert all(push.at < MONDAY + WEEK for push in pushes)
    orders: dict[str, list[Push]] = {}
    for push in pushes:
        orders.setdefault(push.item.order_number, []).append(push)
    whole = [own for own in orders.values() if len(own) == 4]
    assert len(whole) > len(orders) / 2
    for own in whole:
        assert [push.item.status for push in own] == [
            Status.ACCEPTED,
            Status.DISPATCHED,
            Status.DONE,
            Status.VISITED,
        ]
        assert len({(push.item.observed_at, push.item.text, push.item.area) for push in own}) == 1


def test_the_same_seed_makes_the_same_orders_whatever_the_window() -> None:
    """A part of the week has exactly the orders that the week has there; another seed has others."""
    tuesday = MONDAY + timedelta(days=1)
    part = build(tuesday, tuesday + timedelta(hours=12))
    whole = {(push.at, push.item.order_number): push for push in build()}
    assert part and all(whole[push.at, push.item.order_number] == push for push in part)
    assert not {push.item.order_number for push in build(seed=2)} & {key[1] for key in whole}


def test_nobody_is_real() -> None:
    """Callers are test callers, and their numbers are found by the mask."""
    for push in build(until=MONDAY + timedelta(days=1)):
        caller = push.item.caller
        assert caller is not None and caller.name is not None and caller.phone is not None
        assert caller.name.startswith("测试来电人") and caller.phone.startswith("1380000")
        assert caller.phone not in mask(push.item.text)
