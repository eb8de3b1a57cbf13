"""What a change of the registry would do, and everything that speaks against it."""

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec import structs

from domain.errors import InvalidInput
from domain.levels import Feed, Level
from domain.registry import Device, Limit, Protocol, Series, Source
from responders.planning import make_plan
from responders.registration import Action, Known, Plan, Wish

AREA, ELSEWHERE = "990101101", "990101102"
SOURCE = Source(slug="ecology", token_sha256="0" * 64, feeds=(Feed.READINGS,), area="990101")
HOTLINE = Source(slug="hotline", token_sha256="1" * 64, feeds=(Feed.TICKETS,), area="")
DEVICE = Device(
    id="logger-1",
    name="数采仪",
    area=AREA,
    source="ecology",
    protocol=Protocol.HJ212,
    address="A1",
    sealed="v1.x.y",
)
SERIES = Series(
    id="river-1.cod",
    name="化学需氧量",
    quantity="cod",
    unit="mg/L",
    area=AREA,
    category="water-pollution",
    source="ecology",
    interval_seconds=300,
    low=0,
    high=500,
    limits=(Limit(level=Level.BLUE, value=30),),
    device="logger-1",
    channel="w01018",
)


def known(devices: Iterable[Device] = (DEVICE,), series: Iterable[Series] = (SERIES,)) -> Known:
    """Make a small registry."""
    return Known(
        areas={AREA, ELSEWHERE},
        sources={source.slug: source for source in (SOURCE, HOTLINE)},
        categories={"water-pollution"},
        devices={device.id: device for device in devices},
        series={one.id: one for one in series},
    )


def refused(wish: Wish, before: Known | None = None, within: str = "") -> dict[str, str]:
    """Read what speaks against a wish, by entry and field."""
    with pytest.raises(InvalidInput) as caught:
        make_plan(before or known(), wish, within)
    assert all("。 " in fault.reason for fault in caught.value.faults)
    return {fault.field: fault.reason.partition("。 ")[2] for fault in caught.value.faults}


def actions(plan: Plan) -> dict[str, Action]:
    """Tell what becomes of each entry."""
    return {step.id: step.action for step in plan.steps}


def test_a_plan_tells_what_is_new_what_changes_and_what_stays() -> None:
    """Only fields that differ are told, and what is the same is not written again."""
    other = structs.replace(SERIES, id="river-1.nh3", channel="w21003", name="氨氮")
    stricter = structs.replace(SERIES, limits=(Limit(level=Level.BLUE, value=20),))
    plan = make_plan(known(), Wish(devices=(DEVICE,), series=(stricter, other)))
    assert actions(plan) == {
        "logger-1": Action.SAME,
        "river-1.cod": Action.CHANGED,
        "river-1.nh3": Action.ADDED,
    }
    changed = plan.steps[1].fields
    assert list(changed) == ["limits"]
    assert [limits[0]["value"] for limits in changed["limits"]] == [30, 20]
    assert (plan.devices, plan.series) == ((), (stricter, other))


def test_secrets_are_kept_unless_new_ones_come_and_never_told() -> None:
    """A file without the password leaves it in place; a new one is told as new, without its seal."""
    renamed = structs.replace(DEVICE, name="新名", sealed=None)
    plan = make_plan(known(), Wish(devices=(renamed,)))
    assert plan.devices[0].sealed == DEVICE.sealed
    assert plan.steps[0].fields == {"name": ("数采仪", "新名")}
    plan = make_plan(known(), Wish(devices=(structs.replace(DEVICE, sealed="v1.x.z"),)))
    assert plan.steps[0].fields == {"secrets": ("set", "set anew")}
    assert "v1.x" not in repr(plan.steps)
    plan = make_plan(known(), Wish(devices=(structs.replace(DEVICE, sealed=""),)))
    assert (plan.devices[0].sealed, plan.steps[0].fields) == (None, {"secrets": ("set", None)})
    plan = make_plan(known(devices=(), series=()), Wish(devices=(DEVICE,)))
    assert plan.steps[0].fields["secrets"] == (None, "set")


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"area": "880101"}, "area", "no area of the registry"),
        ({"source": "nobody"}, "source", "no source of the registry"),
        ({"source": "hotline"}, "source", "may not send readings"),
        ({"category": "ufo"}, "category", "no category"),
        ({"device": "logger-9"}, "device", "not registered"),
        ({"low": 10.0, "high": 10.0}, "high", "above low"),
        ({"high": 30.0}, "limits[0].value", "can never be broken: the device measures up to 30"),
        ({"limits": (Limit(level=Level.BLUE, value=-1, direction="below"),)}, "limits[0].value", "down to 0"),
        (
            {"limits": (Limit(level=Level.RED, value=3), Limit(level=Level.RED, value=4))},
            "limits[1]",
            "second red limit above",
        ),
    ],
)
def test_a_series_that_cannot_be_is_told_by_field(change: dict[str, Any], field: str, reason: str) -> None:
    """Each fault names the entry, its field and why."""
    faults = refused(Wish(series=(structs.replace(SERIES, **change),)))
    assert reason in faults[f"series river-1.cod: {field}"]


def test_all_faults_come_at_once() -> None:
    """A wish with five faults is answered with five."""
    wish = Wish(
        devices=(structs.replace(DEVICE, id="logger-2", area="11", lat=30.0),),
        series=(structs.replace(SERIES, id="x", category="ufo", source="nobody"),),
    )
    assert set(refused(wish)) == {
        "device logger-2: area",
        "device logger-2: lat",
        "device logger-2: address",
        "series x: source",
        "series x: category",
        "series x: channel",
    }


def test_an_area_outside_that_of_the_source_is_told() -> None:
    """The gateway would refuse such readings."""
    before = known()
    narrow = structs.replace(SOURCE, area=ELSEWHERE)
    before = Known(before.areas, {"ecology": narrow}, before.categories, before.devices, before.series)
    assert (
        "outside the area of ecology" in refused(Wish(series=(SERIES,)), before)["series river-1.cod: area"]
    )


def test_an_address_and_a_channel_have_one_owner() -> None:
    """Two devices of one address, or two series of one channel, are told at the one that comes."""
    faults = refused(Wish(devices=(structs.replace(DEVICE, id="logger-2"),)))
    assert faults == {"device logger-2: address": "hj212 A1 is already the address of logger-1"}
    faults = refused(Wish(series=(structs.replace(SERIES, id="twin"),)))
    assert faults == {"series twin: channel": "w01018 of logger-1 is already river-1.cod"}


def test_two_devices_may_change_places_in_one_wish() -> None:
    """What counts is how it is afterwards."""
    second = structs.replace(DEVICE, id="logger-2", address="A2")
    swap = Wish(devices=(structs.replace(DEVICE, address="A2"), structs.replace(second, address="A1")))
    assert set(actions(make_plan(known(devices=(DEVICE, second)), swap)).values()) == {Action.CHANGED}


def test_an_entry_twice_and_one_both_kept_and_removed_are_told() -> None:
    """Nobody guesses which one was meant."""
    faults = refused(Wish(series=(SERIES, SERIES), devices=(DEVICE,), gone_devices=("logger-1",)))
    assert faults["series river-1.cod: id"] == "is there 2 times"
    assert "device logger-1: id" in faults


def test_a_device_goes_only_together_with_its_series() -> None:
    """Else its series would be of nobody; together both go."""
    assert refused(Wish(gone_devices=("logger-1",))) == {"device logger-1: id": "still delivers river-1.cod"}
    plan = make_plan(known(), Wish(gone_devices=("logger-1",), gone_series=("river-1.cod",)))
    assert actions(plan) == {"river-1.cod": Action.REMOVED, "logger-1": Action.REMOVED}
    assert set(refused(Wish(gone_devices=("no",), gone_series=("no",)))) == {"device no: id", "series no: id"}


def test_nothing_outside_the_own_area_is_touched() -> None:
    """Neither may an entry be moved out of the area, nor one outside be taken in or removed."""
    outside = structs.replace(SERIES, area=ELSEWHERE)
    field = "series river-1.cod: area"
    assert "outside your own" in refused(Wish(series=(outside,)), within=AREA)[field]
    assert "outside your own" in refused(Wish(series=(SERIES,)), known(series=(outside,)), AREA)[field]
    assert (
        "outside your own" in refused(Wish(gone_series=(SERIES.id,)), known(series=(outside,)), AREA)[field]
    )
    assert make_plan(known(), Wish(series=(SERIES,), devices=(DEVICE,)), AREA).series == ()
