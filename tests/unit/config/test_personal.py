"""Personal fields: sealed and opened, masked in text, never shown."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.personal import ID_MASK, PHONE_MASK, is_id_number, mask, read_key
from config.sealing import Sealer
from config.settings import Secret
from domain.errors import InvalidConfiguration, InvalidInput

KEY = bytes(range(32))


@given(st.binary(max_size=200), st.text(max_size=40))
def test_what_is_sealed_opens(clear: bytes, record: str) -> None:
    """Sealing and opening for the same record gives the same bytes."""
    sealer = Sealer(KEY)
    assert sealer.open_sealed(sealer.seal(clear, record), record) == clear


def test_a_seal_holds_for_one_record_and_key() -> None:
    """Another record, another key or a changed byte does not open it."""
    sealer = Sealer(KEY)
    sealed = sealer.seal(b"secret", "a")
    version, key_id, text = sealed.split(".")
    assert version == "v1" and key_id == sealer.key_id
    data = bytearray(base64.urlsafe_b64decode(text))
    data[-1] ^= 1
    changed = f"v1.{key_id}.{base64.urlsafe_b64encode(bytes(data)).decode()}"
    for attempt, record, opener in (
        (sealed, "b", sealer),
        (sealed, "a", Sealer(bytes(32))),
        (changed, "a", sealer),
        ("", "a", sealer),
        (f"v1.{key_id}.", "a", sealer),
        (f"v1.{key_id}.AAAA", "a", sealer),
        (f"v2.{key_id}.{text}", "a", sealer),
        (f"v1.{key_id}.钥", "a", sealer),
    ):
        with pytest.raises(InvalidInput):
            opener.open_sealed(attempt, record)


def test_sealing_twice_differs() -> None:
    """Equal texts do not show as equal."""
    sealer = Sealer(KEY)
    assert sealer.seal(b"x", "a") != sealer.seal(b"x", "a")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请回电13812345678谢谢", f"请回电{PHONE_MASK}谢谢"),
        ("138 1234 5678，138-1234-5678", f"{PHONE_MASK}，{PHONE_MASK}"),
        ("+86 13812345678", PHONE_MASK),
        ("008613812345678", PHONE_MASK),
        ("１３８１２３４５６７８", PHONE_MASK),
        ("座机0571-87654321转802", f"座机{PHONE_MASK}"),
        ("(010)62345678", PHONE_MASK),
        ("010 6234 5678", PHONE_MASK),
        ("身份证11010519491231002X。", f"身份证{ID_MASK}。"),
        ("110105 19491231 002x", ID_MASK),
        ("１１０１０５１９４９１２３１００２Ｘ", ID_MASK),
        ("110105194912310021", "110105194912310021"),
        ("订单20260301123456789012", "订单20260301123456789012"),
        ("网格990101001001001", "网格990101001001001"),
        ("pH 7.81, 12345 热线, 2026-03-01 08:00", "pH 7.81, 12345 热线, 2026-03-01 08:00"),
        ("23812345678", "23812345678"),
        ("", ""),
    ],
)
def test_numbers_are_masked_in_text(text: str, masked: str) -> None:
    """Phone and ID numbers disappear as people write them; other numbers stay."""
    assert mask(text) == masked


@given(st.text(), st.text())
def test_a_number_never_survives_between_other_text(before: str, after: str) -> None:
    """Whatever stands around it, digits apart, a mobile number is masked."""
    assert "13812345678" not in mask(f"{before} 。13812345678。 {after}")


def test_check_digit() -> None:
    """The check digit of the standard's own example holds, another does not."""
    assert is_id_number("11010519491231002X")
    assert not is_id_number("110105194912310029")
    assert not is_id_number("1101")


@pytest.mark.parametrize("value", ["", "kurz", "not base64 ä", base64.b64encode(b"short").decode()])
def test_a_wrong_key_ends_the_start(value: str) -> None:
    """A missing or wrong key is told in one sentence that names the variable and not the value."""
    with pytest.raises(InvalidConfiguration, match="FENGHUO_PERSONAL_KEY") as caught:
        read_key(Secret(value))
    assert not value or value not in str(caught.value)


def test_nothing_shows_the_key() -> None:
    """A sealer's repr names the key by its digest alone."""
    text = base64.b64encode(KEY).decode()
    sealer = read_key(Secret(text))
    assert text not in repr(sealer) and sealer.key_id in repr(sealer)
