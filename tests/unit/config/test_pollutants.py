"""Codes of what stations measure are found by the name of a channel, and mean one thing each."""

import shutil
from pathlib import Path

import pytest

from config.data import SHIPPED, load_data
from config.pollutants import PollutantKind, pollutant_of
from domain.errors import InvalidConfiguration


@pytest.mark.parametrize(
    ("channel", "zh", "unit"),
    [
        ("w01018", "化学需氧量", "mg/L"),
        ("011", "化学需氧量", "mg/L"),
        ("w21003.minute.avg", "氨氮", "mg/L"),
        ("a21026.zs", "二氧化硫", "mg/m³"),
        ("02", "二氧化硫", "mg/m³"),
        ("a34004", "细颗粒物", "µg/m³"),
        ("a19001", "氧气含量", "%"),
        ("w01001", "pH值", ""),
        ("Leq.hour.data", "等效声级", "dB"),
    ],
)
def test_a_channel_is_named_by_either_code(channel: str, zh: str, unit: str) -> None:
    """The code of 2017, that of 2005, and what follows it in the name of a channel."""
    found = pollutant_of(load_data().pollutants, channel)
    assert found is not None
    assert (found.zh, found.unit) == (zh, unit)


def test_a_code_that_nobody_lists_has_no_name() -> None:
    """A maker's own code is no fault."""
    assert pollutant_of(load_data().pollutants, "x99.minute.avg") is None


def test_the_common_ones_are_there_and_say_where_they_come_from() -> None:
    """Water, air, weather and noise; what is from memory alone says so."""
    shipped = {each.code: each for each in load_data().pollutants.values()}
    assert len(shipped) >= 60
    assert {each.kind for each in shipped.values()} == set(PollutantKind)
    assert {each.code for each in shipped.values() if each.provenance == "memory"} == {"w01016", "w19011"}
    prefixes = {"w": PollutantKind.WATER, "L": PollutantKind.NOISE, "i": PollutantKind.STATION}
    for code, each in shipped.items():
        assert each.kind is prefixes.get(code[0], each.kind)


def test_a_code_that_means_two_things_is_told(tmp_path: Path) -> None:
    """A local file that uses an old code twice, and one without a provenance."""
    path = tmp_path / "pollutants.toml"
    shutil.copy(SHIPPED / "pollutants.toml", path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('code_2005 = "060"', 'code_2005 = "011"'), encoding="utf-8")
    with pytest.raises(InvalidConfiguration, match="the code 011 is there twice"):
        load_data(tmp_path)
    path.write_text(text.replace('kind = "noise"', 'kind = "sound"', 1), encoding="utf-8")
    with pytest.raises(InvalidConfiguration, match=r"pollutant\[\d+\].kind"):
        load_data(tmp_path)
