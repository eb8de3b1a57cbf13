"""Strict decoding tells every fault at once."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decode import MAX_FAULTS, convert, decode_json
from domain.errors import InvalidInput
from domain.inputs import BulletinIn, Reading, TicketIn


def faults(kind: type, body: bytes) -> dict[str, str]:
    """Decode what is faulty, and read the reasons by field."""
    with pytest.raises(InvalidInput) as caught:
        decode_json(kind, body)
    return {fault.field: fault.reason for fault in caught.value.faults}


def test_every_fault_of_every_item_is_told() -> None:
    """Two faulty readings among three are both named, with each of their fields."""
    found = faults(
        list[Reading],
        b"""[{"series": "a b", "observed_at": "2026-01-01T00:00:00", "value": "x", "extra": 1},
             {"series": "ok", "observed_at": "2026-01-01T00:00:00Z", "value": 1},
             {"series": "ok", "value": 2}]""",
    )
    assert set(found) == {"[0].series", "[0].observed_at", "[0].value", "[0].extra", "[2].observed_at"}
    assert found["[2].observed_at"] == "is missing"
    assert "timezone" in found["[0].observed_at"]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_that_are_none_are_refused(number: bytes) -> None:
    """NaN and the infinities never come through JSON."""
    with pytest.raises(InvalidInput):
        decode_json(Reading, b'{"series":"a","observed_at":"2026-01-01T00:00:00Z","value":%s}' % number)


def test_a_rule_between_fields_is_told_when_each_field_fits() -> None:
    """A bulletin that ends before it begins is refused with that sentence."""
    body = b"""{"id":"a","category":"flood","level":2,"areas":["990101"],"headline":"x",
                "effective_at":"2026-01-02T00:00:00Z","expires_at":"2026-01-01T00:00:00Z"}"""
    assert "expires_at must be later" in faults(BulletinIn, body)["body"]


def test_an_empty_list_is_told_by_its_field() -> None:
    """A bulletin for no area names the field `areas`."""
    body = b"""{"id":"a","category":"flood","level":2,"areas":[],"headline":"x",
                "effective_at":"2026-01-01T00:00:00Z","expires_at":"2026-01-02T00:00:00Z"}"""
    assert "areas" in faults(BulletinIn, body)


def test_faults_inside_a_nested_person_carry_the_path_and_not_the_value() -> None:
    """A caller's wrong field is named by its path; what was in it is not repeated."""
    body = b"""{"order_number":"1","observed_at":"2026-01-01T00:00:00Z","area":"990101001",
                "text":"x","caller":{"phone":13800000000}}"""
    found = faults(TicketIn, body)
    assert "caller.phone" in found
    assert "13800000000" not in str(found)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_faults(body: bytes) -> None:
    """Garbage never raises anything but InvalidInput."""
    try:
        decode_json(list[Reading], body)
    except InvalidInput as error:
        assert error.faults


def test_deep_nesting_is_refused() -> None:
    """A document nested a hundred thousand deep is refused, not a crash."""
    with pytest.raises(InvalidInput):
        decode_json(Reading, b"[" * 100_000)


def test_lenient_conversion_reads_numbers_from_text() -> None:
    """Values from the environment arrive as text."""
    assert convert(int, "12", lenient=True) == 12
    with pytest.raises(InvalidInput):
        convert(int, "12")


def test_times_come_out_aware() -> None:
    """An offset is kept as an instant."""
    reading = decode_json(Reading, b'{"series":"a","observed_at":"2026-01-01T08:00:00+08:00","value":1}')
    assert reading.observed_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_faults_inside_an_optional_record_are_all_told() -> None:
    """X | None is looked into as X is."""
    body = b'{"order_number":"1","observed_at":"2026-01-01T00:00:00Z","area":"99","text":"t","caller":{"name":1,"age":2}}'
    with pytest.raises(InvalidInput) as caught:
        decode_json(TicketIn, body)
    assert [fault.field for fault in caught.value.faults] == ["caller.name", "caller.age"]


def test_nonsense_does_not_become_millions_of_faults() -> None:
    """The faults of one document are bounded."""
    with pytest.raises(InvalidInput) as caught:
        decode_json(list[Reading], b"[" + b"1," * 50_000 + b"1]")
    assert len(caught.value.faults) == MAX_FAULTS
