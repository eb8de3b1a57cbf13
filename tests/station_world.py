"""Stations for the console's tests: devices as gateways see them, well and ill, and strangers."""

from datetime import UTC, datetime, timedelta

from console_world import BAISHI, COUNTY, DATA, QINGXI, START, Console

from domain.devices import Sighting
from domain.findings import Heartbeat
from domain.levels import Feed, Level
from domain.registry import Device, Limit, Protocol, Series, Source
from responders.registration import Wish

SOURCES = (
    Source(slug="ecology-bureau", token_sha256="a" * 64, feeds=(Feed.READINGS,), area=COUNTY),
    Source(slug="water-bureau", token_sha256="b" * 64, feeds=(Feed.READINGS,), area=COUNTY),
)
DEVICES = (
    Device(
        id="bridge-water",
        name="桥头断面数采仪",
        station="青溪河桥头断面",
        area="990101101001",
        source="ecology-bureau",
        protocol=Protocol.HJ212,
        address="010000A8900016F000169DC0",
        sealed="v1.k.x",
    ),
    Device(
        id="upper-stage",
        name="上游水位遥测终端",
        station="青溪河上游水位站",
        area=QINGXI,
        source="water-bureau",
        protocol=Protocol.SL651,
        address="0012345678",
        lat=30.5,
        lon=119.9,
    ),
    Device(
        id="shiwan-air",
        name="石湾空气站",
        area="990101102003",
        source="ecology-bureau",
        protocol=Protocol.MQTT,
        address="shiwan-1",
    ),
)
COD = Series(
    id="bridge-water.cod",
    name="桥头断面化学需氧量",
    quantity="cod",
    unit="mg/L",
    area="990101101001",
    category="water-pollution",
    source="ecology-bureau",
    interval_seconds=300,
    low=0,
    high=500,
    limits=(
        Limit(level=Level.BLUE, value=20, basis="GB 3838-2002 Ⅲ类"),
        Limit(level=Level.ORANGE, value=40, basis="GB 3838-2002 Ⅴ类"),
    ),
    device="bridge-water",
    channel="w01018",
)
PM25 = Series(
    id="shiwan-air.pm25",
    name="石湾空气站 PM2.5",
    quantity="pm25",
    unit="µg/m³",
    area="990101102003",
    category="air-pollution",
    source="ecology-bureau",
    interval_seconds=3600,
    low=0,
    high=1000,
    limits=(Limit(level=Level.BLUE, value=115, aqi=150, averaging="1h", basis="HJ 633-2026, AQI 150"),),
    device="shiwan-air",
    channel="pm25",
)
STRANGER = "010000A8900016F000169DC9"
GATEWAY = "gateway-1"


def seen(address: str, protocol: Protocol, minutes_ago: float, **words: object) -> Sighting:
    """What the gateway says of a device."""
    told: dict[str, object] = {
        "device": None, "gateway": GATEWAY, "peer": "10.20.30.40:51234", "packets": 288, "readings": 864,
        "refused": 0, "connected": True, **words,
    }  # fmt: skip
    at = START - timedelta(minutes=minutes_ago)
    return Sighting(address=address, protocol=protocol, seen_at=at, **told)  # type: ignore[arg-type]


async def settle_stations(console: Console) -> None:
    """Register devices and series, and let a gateway see them and strangers beside."""
    store = console.store
    await store.put_sources(SOURCES)
    await store.register.change(
        Wish(devices=DEVICES, series=(COD, PM25)), DATA.categories, "command line (ops)"
    )
    await store.record_heartbeats([Heartbeat(component="gateway", instance=GATEWAY, at=datetime.now(UTC))])
    await store.record_sightings(
        [
            seen(DEVICES[0].address, Protocol.HJ212, 1, channels=("w01009", "w21003")),
            seen(
                DEVICES[1].address, Protocol.SL651, 42, connected=False, refused=3, problem="wrong-password",
                clock_offset_seconds=-754.0,
            ),
            seen(STRANGER, Protocol.HJ212, 2, channels=("w01018", "w21003", "w21011"), peer="10.20.30.99:40001"),
            seen("<b>0099", Protocol.MQTT, 200, problem="<i>odd</i>", connected=False, packets=1),
        ]
    )  # fmt: skip


__all__ = ["BAISHI", "COD", "DEVICES", "PM25", "SOURCES", "STRANGER", "settle_stations"]
