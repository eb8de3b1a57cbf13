"""CAP messages as a weather office writes them, and a county of four square townships to warn."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from domain.cap import write_time
from domain.registry import Area

COUNTY = "990166"
WEST, EAST, NORTH, SOUTH = (f"{COUNTY}{number}" for number in (101, 102, 103, 104))
NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
"""Noon in the county."""
SENDER = "weather@county.example"
NAMES = {WEST: "河西镇", EAST: "河东镇", NORTH: "山北镇", SOUTH: "山南镇"}
CORNERS = {WEST: (120.0, 30.0), EAST: (120.1, 30.0), NORTH: (120.0, 30.1), SOUTH: (120.1, 30.1)}
"""South-western corners, lon and lat; each township is a tenth of a degree wide."""


def square(
    lon: float, lat: float, width: float = 0.1, height: float = 0.1
) -> tuple[tuple[float, float], ...]:
    """Draw a rectangle as lon, lat pairs, not closed."""
    return (lon, lat), (lon + width, lat), (lon + width, lat + height), (lon, lat + height)


def area(code: str) -> Area:
    """Make a township with its outline."""
    lon, lat = CORNERS[code]
    return Area(code=code, name=NAMES[code], lat=lat + 0.05, lon=lon + 0.05, outline=square(lon, lat))


AREAS = {
    one.code: one
    for one in (
        Area(code=COUNTY, name="示范县", outline=square(120.0, 30.0, 0.2, 0.2)),
        *(area(code) for code in NAMES),
    )
}


def polygon(lon: float, lat: float, width: float = 0.1, height: float = 0.1) -> str:
    """Write a closed rectangle as CAP does: lat,lon."""
    corners = square(lon, lat, width, height)
    return " ".join(f"{y:g},{x:g}" for x, y in [*corners, corners[0]])


def place(code: str) -> str:
    """Write the area element of a township by its polygon, a little smaller than its outline."""
    lon, lat = CORNERS[code]
    ring = polygon(lon + 0.005, lat + 0.005, 0.09, 0.09)
    return f"<area><areaDesc>{NAMES[code]}</areaDesc><polygon>{ring}</polygon></area>"


def info(
    *areas: str,
    event: str = "暴雨",
    severity: str = "Severe",
    language: str = "zh-CN",
    headline: str = "示范县气象台发布暴雨橙色预警",
    codes: str = "",
    expires: datetime | None = NOW + timedelta(hours=6),
    more: str = "",
) -> str:
    """Write an info block; `more` stands where responseType does."""
    until = "" if expires is None else f"<expires>{write_time(expires)}</expires>"
    return (
        f"<info><language>{language}</language><category>Met</category><event>{event}</event>{more}"
        f"<urgency>Immediate</urgency><severity>{severity}</severity><certainty>Likely</certainty>{codes}"
        f"{until}<headline>{headline}</headline><description>未来三小时雨量将达五十毫米以上。</description>"
        f"{''.join(areas or (place(WEST),))}</info>"
    )


def message(
    *infos: str,
    identifier: str = "99016641600000_20260701120000",
    sent: datetime = NOW,
    status: str = "Actual",
    kind: str = "Alert",
    scope: str = "Public",
    references: Iterable[tuple[str, datetime]] = (),
    sender: str = SENDER,
) -> bytes:
    """Write a message; without infos it has the usual one, and a Cancel has none."""
    named = " ".join(f"{sender},{name},{write_time(at)}" for name, at in references)
    blocks = infos or (() if kind == "Cancel" else (info(),))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">\n'
        f"  <identifier>{identifier}</identifier>\n  <sender>{sender}</sender>\n  <sent>{write_time(sent)}</sent>\n"
        f"  <status>{status}</status>\n  <msgType>{kind}</msgType>\n  <scope>{scope}</scope>\n"
        + (f"  <references>{named}</references>\n" if named else "")
        + "\n".join(f"  {block}" for block in blocks)
        + "\n</alert>\n"
    ).encode()
