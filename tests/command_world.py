"""A county in a storm, for the tests of the command centre: shapes, cases, late tasks, owed reports, a display."""

import math
from datetime import timedelta

from console_world import (
    BAISHI,
    COUNTY,
    FEVER,
    NOISE,
    QINGXI,
    RIVER,
    RULES,
    START,
    WAGES,
    Console,
    user,
)

from domain.clock import EPOCH, Clock
from domain.shapes import AreaShape
from responders.dispatch import act_on_timers
from responders.views import Role

DISPLAY = user("wall", "示例县指挥大厅大屏", Role.DISPLAY, COUNTY)
VILLAGES = ("990101101001", "990101102003")


def disc(code: str, lon: float, lat: float, radius: float) -> AreaShape:
    """Draw an area as a round one."""
    steps = [2 * math.pi * n / 24 for n in range(24)]
    ring = [(round(lon + radius * math.cos(a), 5), round(lat + radius * math.sin(a), 5)) for a in steps]
    return AreaShape(code=code, polygons=(((*ring, ring[0]),),))


def half(code: str, west: float) -> AreaShape:
    """Draw a township as one half of the county."""
    corners = ((west, 30.0), (west + 0.2, 30.0), (west + 0.2, 30.3), (west, 30.3), (west, 30.0))
    return AreaShape(code=code, polygons=((corners,),))


SHAPES = (
    AreaShape(
        code=COUNTY,
        polygons=((((110.0, 30.0), (110.4, 30.0), (110.4, 30.3), (110.0, 30.3), (110.0, 30.0)),),),
    ),
    half(QINGXI, 110.0),
    half(BAISHI, 110.2),
    disc(VILLAGES[0], 110.1, 30.15, 0.06),
    disc(VILLAGES[1], 110.3, 30.15, 0.06),
)


async def set_clock(console: Console, minutes: float = 0.0) -> None:
    """Let county time stand so many minutes after START."""
    county = START + timedelta(minutes=minutes)
    await console.store.set_clock(Clock(wall_anchor=EPOCH, county_anchor=county, factor=0.0))


async def begin_storm(console: Console) -> None:
    """Draw the map, hang the display, and let four cases of all levels open; time stands."""
    await console.store.command.put_shapes(SHAPES)
    await console.store.put_users([DISPLAY])
    await set_clock(console)
    await console.raise_alerts(WAGES, RIVER, FEVER, NOISE)
    await act_on_timers(console.store, RULES)
