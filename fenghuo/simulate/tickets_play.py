"""Synthetic orders of a 12345 platform: calls with the rhythm of a county's days, and how each order goes on.

Nobody is real: callers are 测试来电人 with telephone numbers 1380000…, texts are those of the demo. A day's calls depend on
the seed and the day alone, so that playing a day again sends the same orders.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
from msgspec import Struct, convert, json, structs

from domain.areas import AreaLevel
from domain.hotline import Channel, Kind, Satisfaction, Status
from domain.inputs import Person, TicketIn
from domain.levels import Feed
from domain.registry import Area
from fenghuo.demo.calls import DAY, EVENING_HOURS, OFFICE_HOURS, WEEKEND, Phrases
from fenghuo.demo.places import read_data
from fenghuo.demo.readings import SHANGHAI
from fenghuo.feeding import Feeder
from fenghuo.simulate.outcome import Outcome, quantile

SOURCE = "simulation"
MOST_PER_BODY = 500
WAIT_SECONDS = 1.0
"""What falls due within so much time goes in one body while it is played live."""
DUE = timedelta(days=5)
CHANNELS = tuple(Channel)
CONSULTED = ("咨询",)


class Push(Struct, frozen=True, kw_only=True):
    """An order as it is pushed at a time; the first push of an order is its call."""

    at: datetime
    item: TicketIn


class _Texts(Struct, frozen=True):
    places: tuple[str, ...]
    openings: tuple[str, ...]
    closings: tuple[str, ...]
    phrases: tuple[Phrases, ...]


def build_pushes(
    villages: Sequence[Area], since: datetime, until: datetime, *, per_day: float, seed: int
) -> list[Push]:
    """Build all pushes from one time up to another, in order; `per_day` is the mean number of calls of a weekday."""
    texts = convert(read_data("phrases.toml"), _Texts)
    day = since.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    pushes: list[Push] = []
    while day < until:
        calls = _calls(texts, villages, day, per_day, seed)
        pushes += [push for call in calls if since <= call.observed_at for push in _course(call)]
        day += DAY
    return sorted((push for push in pushes if push.at < until), key=lambda push: push.at)


def _calls(
    texts: _Texts, villages: Sequence[Area], day: datetime, per_day: float, seed: int
) -> Iterator[TicketIn]:
    random = np.random.default_rng([seed, day.toordinal()])
    usual = [phrases for phrases in texts.phrases if phrases.tickets_per_day]
    total = sum(phrases.tickets_per_day for phrases in usual)
    weekly = WEEKEND if day.weekday() >= 5 else 1.0
    number = 0
    for phrases in usual:
        hours = EVENING_HOURS if phrases.evening else OFFICE_HOURS
        count = int(random.poisson(per_day * weekly * phrases.tickets_per_day / total))
        for hour in random.choice(24, size=count, p=hours / hours.sum()):
            number += 1
            village = villages[int(random.integers(len(villages)))]
            place = texts.places[int(random.integers(len(texts.places)))]
            body = phrases.texts[int(random.integers(len(phrases.texts)))].format(
                village=village.name, place=place
            )
            opening = texts.openings[int(random.integers(len(texts.openings)))]
            closing = texts.closings[int(random.integers(len(texts.closings)))]
            phone = f"1380000{number % 10_000:04d}"
            yield TicketIn(
                order_number=f"MN{day:%Y%m%d}-{seed}-{number:05d}",
                observed_at=day + timedelta(hours=int(hour), seconds=int(random.integers(3_600))),
                area=village.code,
                text=opening + body + closing.format(phone=phone),
                title=body[:40],
                address=f"{village.name}{place}",
                caller=Person(name=f"测试来电人{number:04d}", phone=phone),
                channel=CHANNELS[int(random.choice(len(CHANNELS), p=_share(len(CHANNELS))))],
                kind=Kind.CONSULTATION if body.startswith(CONSULTED) else Kind.COMPLAINT,
            )


def _share(count: int) -> list[float]:
    """Six of ten come by telephone, the others as they like."""
    return [0.6, *([0.4 / (count - 1)] * (count - 1))]


def _course(call: TicketIn) -> Iterator[Push]:
    """Tell how an order goes on: some slowly, one in eight to nobody's satisfaction."""
    at, chance = call.observed_at, sum(call.order_number.encode()) % 8
    order = structs.replace(call, status=Status.ACCEPTED, accepted_at=at)
    yield Push(at=at, item=order)
    sent = at + timedelta(minutes=10 + 5 * chance)
    order = structs.replace(
        order,
        status=Status.DISPATCHED,
        dispatched_at=sent,
        due_at=sent + DUE,
        unit=f"示例承办单位{chance + 1:02d}",
    )
    yield Push(at=sent, item=order)
    done = sent + timedelta(hours=3 + 9 * chance)
    well = chance != 0
    order = structs.replace(order, status=Status.DONE, closed_at=done, responded=True, resolved=well)
    yield Push(at=done, item=order)
    asked = done + timedelta(hours=20)
    satisfaction = Satisfaction.SATISFIED if well else Satisfaction.DISSATISFIED
    yield Push(at=asked, item=structs.replace(order, status=Status.VISITED, satisfaction=satisfaction))


def villages_of(areas: Sequence[Area]) -> list[Area]:
    """Take the areas that a call may come from."""
    return [area for area in areas if len(area.code) == AreaLevel.VILLAGE]


async def play(
    feeder: Feeder,
    pushes: Sequence[Push],
    now: Callable[[], datetime],
    tell: Callable[[int], None],
) -> Outcome:
    """Send pushes in order, each when it is due; what is due already goes at once. Errors of the gateway pass through."""
    started = time.perf_counter()
    took: list[float] = []
    done = 0
    while done < len(pushes):
        wait = (pushes[done].at - now()).total_seconds()
        if wait > 0:
            await asyncio.sleep(max(wait, WAIT_SECONDS))
        body = [push for push in pushes[done : done + MOST_PER_BODY] if push.at <= now()]
        if not body:
            continue
        began = time.perf_counter()
        await feeder.send(SOURCE, Feed.TICKETS, json.encode([push.item for push in body]))
        took += [(time.perf_counter() - began) * 1_000]
        done += len(body)
        tell(done)
    return Outcome(
        senders=1,
        sent=done,
        confirmed=feeder.accepted,
        unconfirmed=done - feeder.accepted,
        unanswered=0,
        confirm_ms_p50=quantile(took, 0.5),
        confirm_ms_p99=quantile(took, 0.99),
        seconds=time.perf_counter() - started,
    )
