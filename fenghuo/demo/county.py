"""The demo county as one thing: places, series, script, accounts; seeded into a store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.sealing import Sealer
from domain.clock import Clock
from domain.registry import Device
from fenghuo.demo.accounts import (
    build_device_passwords,
    build_rotations,
    build_shifts,
    build_sources,
    build_users,
    seal_password,
)
from fenghuo.demo.calls import Call, build_calls
from fenghuo.demo.networks import Channel, build_channels
from fenghuo.demo.places import Places, build_places
from fenghuo.demo.readings import SHANGHAI
from fenghuo.demo.shapes import county_shapes
from fenghuo.demo.truth import Happening, read_truth
from responders.roster_plan import Plan as RosterPlan
from responders.store import Store

START = datetime(2026, 6, 19, 7, 0, tzinfo=SHANGHAI)
"""A Friday in summer, and a festival: storms, fevers and fireworks are all in season."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is played: `share` of the stations, days of history, hours of the scenario, and which happenings."""

    seed: int = 1
    share: float = 1.0
    history_days: float = 2.0
    hours: float = 24.0
    only: tuple[str, ...] = ()

    @property
    def history_from(self) -> datetime:
        """Tell when the history begins."""
        return START - DAY * self.history_days

    @property
    def until(self) -> datetime:
        """Tell when the scenario ends."""
        return START + timedelta(hours=self.hours)


@dataclass(frozen=True, slots=True)
class County:
    """Everything the demo county consists of."""

    plan: Plan
    places: Places
    channels: tuple[Channel, ...]
    happenings: tuple[Happening, ...]
    calls: Sequence[Call]
    tokens: dict[str, str]
    passwords: dict[str, str]

    @property
    def devices(self) -> tuple[Device, ...]:
        """List the devices that connect by themselves."""
        return tuple(dict.fromkeys(channel.device for channel in self.channels if channel.device))


def choose_happenings(plan: Plan) -> tuple[Happening, ...]:
    """Choose what happens: what the plan names, and begins before the scenario ends."""
    return tuple(
        happening
        for happening in read_truth()
        if (not plan.only or happening.slug in plan.only) and happening.after_minutes < plan.hours * 60
    )


async def seed_county(store: Store, plan: Plan, password: str, sealer: Sealer) -> County:
    """Build the county and put it into the store; its clock stands at the scenario's start.

    `password` is that of all accounts. Each device gets one of its own, which gateways under the sealer's key can read.
    """
    places = build_places()
    channels = build_channels(places, plan.share)
    happenings = choose_happenings(plan)
    sources, tokens = build_sources(places.county)
    await store.set_clock(Clock(county_anchor=START, factor=0.0))
    await store.put_areas(places.areas)
    await store.command.put_shapes(county_shapes(places.areas))
    passwords = build_device_passwords(channels)
    await store.put_series([channel.series for channel in channels])
    await store.put_sources(sources)
    await store.put_users(build_users(places, password))
    await store.put_shifts(build_shifts(places, START))
    await store.roster.put(RosterPlan(rotations=build_rotations(places.county, START)), "demo")
    calls = build_calls(
        places, happenings, history_from=plan.history_from, start=START, until=plan.until, seed=plan.seed
    )
    county = County(plan, places, channels, happenings, calls, tokens, passwords)
    await store.put_devices(seal_password(device, passwords[device.id], sealer) for device in county.devices)
    return county
