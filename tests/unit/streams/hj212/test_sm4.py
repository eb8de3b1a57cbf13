"""Encryption of the CP comes out as in the examples of HJ 212-2025, and bad keys and damage are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from streams.hj212.crc import crc16
from streams.hj212.frames import Frame, Framer
from streams.hj212.sm4 import decrypt_cp, encrypt_cp, open_frame, seal_frame

KEY = b"0" * 16
"""The key of the examples in annex A.2."""
HEAD = b"QN=20240520210700000;ST=31;CN=2051;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&"
BEGIN = b"DataTime=20240520210600;a01011-Min=1.35,a01011-Avg=1.35,a01011-Max=1.35,a01011-Flag=N;"
WHOLE = BEGIN + (
    b"a01012-Min=9.3,a01012-Avg=9.3,a01012-Max=9.3,a01012-Flag=N;"
    b"a01014-Min=3.20,a01014-Avg=3.211,a01014-Max=3.212,a01014-Flag=N"
)
"""208 characters, 13 blocks: the second example."""
WHOLE_SEALED = bytes.fromhex(
    "E43E159ACFAB242CB53155FB8B9281A1A242577ABFAED881BE88B72D69FC55ED1A80119FAAC8B3CD33D285CC76F57F2C"
    "A7F88B9573C6647E0F07E24609BD6B63EB20C5B9784F28E71D2F4994FF61D9E1C2B3075592B4D1E09C4D8BB27BE97B55"
    "9E3DA6643781A6F477769DEEB009B10DFFF3426922725D607DC4480F0CAC5F70DB2587B124BCB281592721D6E4BC180A"
    "97E5E111499CBE822E31C8D7761553543AA24207C290997BBDE64F9266BC5F529A172E381C1D898CA1A0D771A914A7B2"
    "D7467C70B94F1D4A7B0350A48DBF8B41"
)
PARTLY = BEGIN + b"a01014-Min=3.20,a01014-Avg=3.20,a01014-Max=3.20,a01014-Flag=N"
"""147 characters, 9 blocks and `g=N`: the fourth example."""
PARTLY_SEALED = (
    bytes.fromhex(
        "E43E159ACFAB242CB53155FB8B9281A1A242577ABFAED881BE88B72D69FC55ED1A80119FAAC8B3CD33D285CC76F57F2C"
        "A7F88B9573C6647E0F07E24609BD6B63EB20C5B9784F28E71D2F4994FF61D9E13B391A1D2A454B65388D5D9435DBF021"
        "528C7BF9755EF16518710C0CAC0ADEF9C5156CD0A5A17674AC0ED2ABC40023E9EF70128554B82438E91ADCE98A0D03A4"
    )
    + b"g=N"
)


def printed(sealed: bytes) -> bytes:
    """Write encrypted bytes as the annex prints them."""
    whole = len(sealed) - len(sealed) % 16
    return b"{" + b",".join(b"0x%02X" % byte for byte in sealed[:whole]) + b"}" + sealed[whole:]


def frame_of(data: bytes) -> Frame:
    """Read the one frame in some bytes."""
    (item,) = Framer().feed(data)
    assert isinstance(item, Frame)
    return item


def test_a_block_is_that_of_the_national_standard() -> None:
    """GB/T 32907, annex A.1: the key encrypted with itself."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    assert encrypt_cp(key, key).hex() == "681edf34d206965e86b3e94f536e4246"


@pytest.mark.parametrize(
    ("plain", "sealed", "length", "code"),
    [(WHOLE, WHOLE_SEALED, b"0295", b"2200"), (PARTLY, PARTLY_SEALED, b"0234", b"B541")],
    ids=["whole blocks", "something left over"],
)
def test_the_examples_of_the_annex(plain: bytes, sealed: bytes, length: bytes, code: bytes) -> None:
    """Bytes, length and check code are those printed; both ways of writing them are read."""
    segment = HEAD + plain + b"&&"
    data = seal_frame(segment, KEY)
    assert data == b"##" + length + HEAD + sealed + b"&&" + code + b"\r\n"
    assert decrypt_cp(sealed, KEY) == plain
    assert decrypt_cp(printed(sealed), KEY) == plain
    frame = frame_of(data)
    assert frame.notes == ("encrypted",)
    assert open_frame(frame, KEY) == Frame(segment, (), int(code, 16))
    in_print = HEAD + printed(sealed) + b"&&"
    frame = frame_of(b"##%04d%b%b\r\n" % (len(in_print), in_print, code))
    assert open_frame(frame, KEY).segment == segment


@given(st.binary(max_size=200), st.binary(min_size=16, max_size=16))
def test_what_is_encrypted_can_be_decrypted(plain: bytes, key: bytes) -> None:
    """With any key and any bytes; the length stays."""
    sealed = encrypt_cp(plain, key)
    assert len(sealed) == len(plain)
    if not sealed.startswith(b"{0x"):
        assert decrypt_cp(sealed, key) == plain


def test_a_frame_without_encryption_comes_back_as_it_is() -> None:
    """Most frames need no key."""
    segment = HEAD + WHOLE + b"&&"
    frame = frame_of(b"##%04d%b%04X" % (len(segment), segment, crc16(segment)))
    assert frame.notes == ()
    assert open_frame(frame, None) is frame
    assert open_frame(frame, KEY) is frame


def test_plain_chinese_is_not_taken_for_encryption() -> None:
    """A CP of the 2025 edition that begins with Chinese looks encrypted; its own check code says that it is not."""
    segment = HEAD + "监测站房停电，现场检修，数据无效".encode() + b"&&"
    frame = frame_of(b"##%04d%b%04X" % (len(segment), segment, crc16(segment)))
    assert frame.notes == ("encrypted",)
    assert open_frame(frame, None) == Frame(segment, (), frame.crc)
    assert open_frame(frame, KEY) == Frame(segment, (), frame.crc)


def test_no_key_a_wrong_key_and_damage_are_told() -> None:
    """Each in a sentence, none with the key in it."""
    frame = frame_of(seal_frame(HEAD + WHOLE + b"&&", KEY))
    with pytest.raises(InvalidInput, match="CP: is encrypted, and this device has no key here"):
        open_frame(frame, None)
    with pytest.raises(InvalidInput, match="cannot be decrypted with this device's key, or is damaged"):
        open_frame(frame, b"1" * 16)
    damaged = frame._replace(segment=frame.segment.replace(b"\xe4\x3e", b"\xe4\x3f"))
    with pytest.raises(InvalidInput, match="or is damaged"):
        open_frame(damaged, KEY)
    with pytest.raises(InvalidInput, match="sm4_key: has 3 bytes, must have 16"):
        open_frame(frame, b"abc")


@pytest.mark.parametrize("cp", [b"{0xE4,3E}", b"{0xE4,0x3E", b"{0xE4,0x3E}x}"])
def test_a_printed_form_that_is_none_is_told(cp: bytes) -> None:
    """Braces without bytes in them, or not closed."""
    with pytest.raises(InvalidInput, match="is not encrypted as"):
        decrypt_cp(cp, KEY)


def test_a_printed_form_of_half_a_block_is_told() -> None:
    """Encrypted bytes come in blocks of sixteen."""
    with pytest.raises(InvalidInput, match="holds 2 encrypted bytes, not whole blocks of 16"):
        decrypt_cp(b"{0xE4,0x3E}", KEY)
