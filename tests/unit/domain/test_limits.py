"""Limits as people write them, and limits that follow the standard in force."""

from datetime import date
from typing import Any

import pytest

from config.data import load_data
from domain.decode import convert
from domain.errors import Fault, InvalidInput
from domain.levels import Level
from domain.limits import follow, write_out
from domain.registry import Limit, Series

AIR = load_data().aqi
NEW, OLD = date(2026, 3, 1), date(2026, 2, 28)
PM25: dict[str, Any] = {
    "id": "air-1.pm25",
    "name": "PM2.5",
    "quantity": "pm25",
    "unit": "µg/m³",
    "area": "990101101",
    "category": "air-pollution",
    "source": "ecology-bureau",
    "interval_seconds": 3600,
}


def written(limits: list[Any], on: date = NEW, **change: Any) -> tuple[list[Any], list[Fault]]:
    """Write out the limits of a series; what they become, and the faults."""
    faults: list[Fault] = []
    return write_out({**PM25, **change, "limits": limits}, AIR, on, faults)["limits"], faults


@pytest.mark.parametrize(
    ("level", "number"), [("blue", 1), ("黄", 2), ("橙色", 3), (" RED ", 4), ("3", 3), (2, 2)]
)
def test_a_level_may_be_a_number_a_name_or_a_colour(level: object, number: int) -> None:
    """Whoever fills a table writes the level in his own way."""
    assert written([{"level": level, "value": 1}])[0][0]["level"] == number


def test_an_index_becomes_the_concentration_of_the_edition_in_force() -> None:
    """AQI 100 of PM2.5 is 75 until February 2026 and 60 from March on; the basis says which."""
    limits = [{"level": 1, "aqi": 100, "averaging": "24h"}]
    assert written(limits, OLD)[0][0]["value"] == 75
    (limit,), faults = written(limits)
    assert (limit["value"], limit["basis"], faults) == (60, "HJ 633-2026, AQI 100", [])
    assert written([{"level": 1, "aqi": 125, "averaging": "24h"}])[0][0]["value"] == 87.5
    series = convert(Series, {**PM25, "limits": [limit]})
    assert series.limits[0] == Limit(
        level=Level.BLUE, value=60, aqi=100, averaging="24h", basis="HJ 633-2026, AQI 100"
    )


def test_the_value_is_in_the_unit_of_the_series() -> None:
    """A station that reports milligrams gets its limit in milligrams."""
    assert written([{"level": 1, "aqi": 100, "averaging": "1h"}], unit="mg/m3")[0][0]["value"] == 0.06


def test_all_that_cannot_be_is_told_by_field() -> None:
    """A quantity without an index, an averaging time without a table, a value beside the index, a unit that is none."""
    _, faults = written(
        [
            {"level": 1, "aqi": 100, "averaging": "8h"},
            {"level": 2, "aqi": 100, "averaging": "24h", "value": 75, "basis": "own"},
            {"level": 3, "aqi": 501, "averaging": "24h"},
        ]
    )
    assert [fault.field for fault in faults] == [
        "limits[0].averaging",
        "limits[1].value",
        "limits[1].basis",
        "limits[2].aqi",
    ]
    for change, field in (({"quantity": "pressure"}, "pollutant"), ({"unit": "ppm"}, "unit")):
        _, faults = written([{"level": 1, "aqi": 100, "averaging": "24h"}], **change)
        assert [fault.field for fault in faults] == [f"limits[0].{field}"]


def test_what_is_no_limit_is_left_to_the_decoder() -> None:
    """Wrong types come back as they were, and the decoder names them."""
    limits, faults = written(["x", {"level": [], "aqi": "200"}])
    assert faults == []
    with pytest.raises(InvalidInput) as caught:
        convert(Series, {**PM25, "limits": limits})
    assert {"limits[0]", "limits[1].aqi", "limits[1].level"} <= {f.field for f in caught.value.faults}
    assert write_out({"limits": 3}, AIR, NEW, []) == {"limits": 3}


def test_an_index_and_its_averaging_time_go_together() -> None:
    """A limit that states only one of them is no limit; nor is one that asks for air too clean."""
    for wrong in ({"aqi": 100}, {"averaging": "1h"}, {"aqi": 100, "averaging": "1h", "direction": "below"}):
        with pytest.raises(ValueError, match="aqi"):
            Limit(level=Level.BLUE, value=1, **wrong)


def test_a_series_follows_the_standard() -> None:
    """On the day of the new edition the value moves; the county's own limits stay; else the series is the same one."""
    own = Limit(level=Level.RED, value=400, basis="本县")
    limits, _ = written([{"level": 1, "aqi": 100, "averaging": "24h"}], OLD)
    before = convert(Series, {**PM25, "limits": [*limits, {"level": 4, "value": 400, "basis": "本县"}]})
    after = follow(before, AIR, NEW)
    assert [limit.value for limit in after.limits] == [60, 400]
    assert after.limits[1] == own
    assert follow(after, AIR, NEW) is after
    with pytest.raises(InvalidInput, match=r"limits\[0\].date"):
        follow(before, AIR, date(2015, 1, 1))
