"""The air quality index against worked values of both editions, and back."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from config.data import load_data
from domain.aqi import AirQuality, Measured, Scale, in_unit
from domain.errors import InvalidInput

AIR = load_data().aqi
NEW, OLD = date(2026, 3, 1), date(2026, 2, 28)


@pytest.mark.parametrize(
    ("pollutant", "averaging", "concentration", "new", "old"),
    [
        ("pm25", "24h", 75, 114, 100),
        ("pm25", "24h", 60.11, 101, 82),
        ("pm25", "24h", 60.05, 100, 82),
        ("pm10", "24h", 150, 112, 100),
        ("pm10", "1h", 150, 112, 100),
        ("so2", "1h", 801, 200, None),
        ("so2", "24h", 475, 150, 150),
        ("o3", "8h", 801, 300, None),
        ("o3", "1h", 801, 301, 301),
        ("no2", "1h", 350, 115, 115),
        ("co", "24h", 4.05, 100, 100),
        ("co", "24h", 4.15, 101, 101),
        ("pm25", "24h", 0, 0, 0),
        ("pm25", "24h", 35, 50, 50),
        ("pm25", "24h", 999, 500, 500),
    ],
)
def test_worked_values(
    pollutant: str, averaging: str, concentration: float, new: int | None, old: int | None
) -> None:
    """Values of the tables, between their rows and beyond them, in the edition of the date."""
    assert AIR.iaqi(pollutant, averaging, concentration, NEW) == new
    assert AIR.iaqi(pollutant, averaging, concentration, OLD) == old


@given(
    st.sampled_from([(s.pollutant, s.averaging) for s in AIR.standards[-1].scale]),
    st.integers(1, 200),
    st.sampled_from([NEW, OLD]),
)
def test_a_concentration_leads_back_to_its_index(what: tuple[str, str], index: int, on: date) -> None:
    """The concentration of an index has that index at most, and a step further has more."""
    pollutant, averaging = what
    concentration = AIR.concentration(pollutant, averaging, index, on)
    decimals = AIR.scale(pollutant, averaging, on).decimals
    step = 10.0**-decimals
    below, above = concentration - concentration % step, concentration + 2 * step
    assert (AIR.iaqi(pollutant, averaging, max(below, 0), on) or 0) <= index
    beyond = AIR.iaqi(pollutant, averaging, above, on)
    assert beyond is None or beyond > index or beyond == AIR.scale(pollutant, averaging, on).above


def test_the_air_has_the_greatest_index_and_all_that_reach_it_are_primary() -> None:
    """Two pollutants that tie are both primary; up to 50 none is."""
    found = AIR.aqi(
        [Measured("pm25", "24h", 115), Measured("pm10", "24h", 250), Measured("o3", "8h", 100)], NEW
    )
    assert (found.aqi, found.level.zh, found.primary) == (150, "轻度污染", ("pm25", "pm10"))
    assert found.standard == "HJ 633-2026"
    clean = AIR.aqi([Measured("pm25", "24h", 35)], NEW)
    assert (clean.aqi, clean.level.en, clean.primary) == (50, "excellent", ())
    both = AIR.aqi([Measured("o3", "1h", 300), Measured("o3", "8h", 215)], NEW)
    assert both.primary == ("o3",)


def test_an_old_hour_of_sulphur_dioxide_does_not_count() -> None:
    """Where the edition gives no index, the others decide; with none at all there is no index."""
    found = AIR.aqi([Measured("so2", "1h", 900), Measured("no2", "1h", 100)], OLD)
    assert (found.aqi, found.parts[0][1]) == (50, None)
    with pytest.raises(InvalidInput, match="none has an index"):
        AIR.aqi([Measured("so2", "1h", 900)], OLD)


def test_faults_come_together_by_name() -> None:
    """An unknown pollutant, a wrong averaging time and a value that is none are told at once."""
    with pytest.raises(InvalidInput) as caught:
        AIR.aqi(
            [Measured("radon", "1h", 1), Measured("o3", "24h", 1), Measured("co", "1h", float("nan"))], NEW
        )
    assert [fault.field for fault in caught.value.faults] == ["pollutant", "averaging", "co"]
    assert "8h or 1h" in str(caught.value)
    for wrong in (-1.0, 1e300):
        with pytest.raises(InvalidInput, match="pm25"):
            AIR.iaqi("pm25", "24h", wrong, NEW)
    with pytest.raises(InvalidInput, match="in force from 2016-01-01"):
        AIR.iaqi("pm25", "24h", 1, date(2015, 12, 31))


def test_a_table_that_ends_early_has_no_concentration_beyond() -> None:
    """An hour of sulphur dioxide has no index above 200, so that no limit can ask for one."""
    assert AIR.concentration("so2", "1h", 200, NEW) == 800
    with pytest.raises(InvalidInput, match="must be 1 to 200"):
        AIR.concentration("so2", "1h", 201, NEW)


@pytest.mark.parametrize(
    ("of", "unit", "value"), [("µg/m³", "mg/m3", 0.115), ("mg/m³", "ug/m3", 115_000), ("µg/m³", "µg/m³", 115)]
)
def test_units_convert_exactly(of: str, unit: str, value: float) -> None:
    """Many stations report milligrams."""
    assert in_unit(115, of, unit) == value


def test_a_unit_that_is_no_mass_is_refused() -> None:
    """A part per million depends on temperature and pressure: nobody guesses them."""
    with pytest.raises(InvalidInput, match="'ppm'"):
        in_unit(1, "µg/m³", "ppm")


def test_tables_that_cannot_be_are_refused() -> None:
    """Limits that do not grow, a scale twice, levels that end too early."""
    scale = AIR.standards[0].scale[0]
    with pytest.raises(ValueError, match="grow"):
        Scale(pollutant="so2", averaging="1h", unit="µg/m³", decimals=0, limits=(0, 5, 5))
    for change in ({"scale": (scale, scale)}, {"level": AIR.standards[0].level[:3]}, {"indices": (0, 50)}):
        with pytest.raises(ValueError, match=r"one scale|last level|more limits"):
            type(AIR.standards[0])(**{**structs.asdict(AIR.standards[0]), **change})
    assert AirQuality(reversed(AIR.standards)).standard_on(NEW).name == "HJ 633-2026"
