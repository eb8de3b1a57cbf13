"""Contacts, links and codes: read, masked, sealed; nothing forged opens."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_world import KEY, Browser

from config.services import PUSH_HOSTS, ContactKind
from config.settings import Secret
from domain.errors import InvalidConfiguration, InvalidInput
from responders.contacts import Keyring, mask_contact, read_contact, read_keyring, read_phone

KEYS = Keyring(bytes(range(32)))
OTHER = Keyring(bytes(32))
PAGE, ENDS = uuid4(), datetime(2026, 5, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13800000000", "+8613800000000"),
        (" 138-0000 0000 ", "+8613800000000"),
        ("+86 138 0000 0000", "+8613800000000"),
        ("008613800000000", "+8613800000000"),
        ("8613800000000", "+8613800000000"),
        ("0571-88886666", "+8657188886666"),
        ("（010）6666 7777", "+861066667777"),
        ("+4915112345678", "+4915112345678"),
    ],
)
def test_a_number_has_one_form_however_it_is_written(text: str, number: str) -> None:
    """What an officer types and what a gateway calls back with are the same number."""
    assert read_phone(text) == number
    assert read_phone(number) == number


@pytest.mark.parametrize("text", ["", "110", "12800000000", "1380000000", "138000000000", "phone", "+0123"])
def test_what_is_no_number_is_refused_without_being_told(text: str) -> None:
    """The sentence says what form is wanted, in both languages, and does not repeat what was typed."""
    with pytest.raises(InvalidInput) as caught:
        read_phone(text)
    assert not text or text not in str(caught.value)
    assert "手机号" in str(caught.value) and "mobile number" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ContactKind.EMAIL, "a@b.cn\r\nBcc: c@d.cn"),
        (ContactKind.EMAIL, "a@b.cn, c@d.cn"),
        (ContactKind.EMAIL, "a@localhost"),
        (ContactKind.ACCOUNT, "@all"),
        (ContactKind.ACCOUNT, "one|two"),
        (ContactKind.ACCOUNT, ""),
        (ContactKind.PUSH, "{}"),
        (ContactKind.PUSH, Browser().subscription("http://fcm.googleapis.com/x")),
        (ContactKind.PUSH, Browser().subscription("https://fcm.googleapis.com.evil.test/x")),
        (ContactKind.PUSH, Browser().subscription("https://evilfcm.googleapis.com@10.0.0.1/x")),
        (ContactKind.PUSH, Browser().subscription("https://10.0.0.1/x")),
        (ContactKind.PUSH, Browser().subscription("https://fcm.googleapis.com:8443/x")),
        (
            ContactKind.PUSH,
            '{"endpoint": "https://fcm.googleapis.com/x", "keys": {"p256dh": "AA", "auth": "AA"}}',
        ),
    ],
)
def test_a_contact_reaches_one_person_at_a_place_that_is_set_up(kind: ContactKind, text: str) -> None:
    """Nobody writes to everybody, to two at once, into a header, or has us call an address of his own."""
    with pytest.raises(InvalidInput):
        read_contact(kind, text, PUSH_HOSTS)


@pytest.mark.parametrize(
    ("kind", "text", "masked"),
    [
        (ContactKind.PHONE, "13812345678", "+86138****78"),
        (ContactKind.EMAIL, "duty@example.gov.cn", "d***@example.gov.cn"),
        (ContactKind.ACCOUNT, "zhiban01", "z***1"),
        (
            ContactKind.PUSH,
            Browser().subscription("https://fcm.googleapis.com/send/abc"),
            "fcm.googleapis.com",
        ),
    ],
)
def test_a_masked_contact_tells_its_owner_only(kind: ContactKind, text: str, masked: str) -> None:
    """Enough to see whether it is the right one."""
    assert mask_contact(kind, read_contact(kind, text, PUSH_HOSTS)) == masked


def test_a_contact_opens_for_its_person_and_channel_alone() -> None:
    """A row that was moved to somebody else, to another channel, or sealed under another key does not open."""
    user, other = uuid4(), uuid4()
    sealed = KEYS.seal("+8613800000000", user, "sms")
    assert "138" not in sealed
    assert KEYS.open_all(f"{user} {sealed}\n{user} {sealed}", "sms") == ("+8613800000000",) * 2
    for line, channel, keys in (
        (f"{other} {sealed}", "sms", KEYS),
        (f"{user} {sealed}", "voice", KEYS),
        (f"{user} {sealed}", "sms", OTHER),
        (f"{user} ", "sms", KEYS),
    ):
        with pytest.raises(InvalidInput):
            keys.open_all(line, channel)


def test_a_link_holds_its_page_and_its_end() -> None:
    """What was signed is read back, and another key reads nothing."""
    token = KEYS.token(PAGE, ENDS)
    assert len(token) == 44 and KEYS.read_token(token) == (PAGE, ENDS)
    assert OTHER.read_token(token) is None


@given(st.integers(0, 32 * 8 - 1), st.uuids())
def test_no_bit_of_a_link_can_be_changed(bit: int, page: UUID) -> None:
    """Neither the page nor the end can be put into a link by somebody else."""
    import base64

    raw = bytearray(base64.urlsafe_b64decode(KEYS.token(page, ENDS)))
    raw[bit // 8] ^= 1 << bit % 8
    assert KEYS.read_token(base64.urlsafe_b64encode(bytes(raw)).decode()) is None


@given(st.text(max_size=80))
def test_no_text_is_taken_for_a_link_and_none_breaks_it(text: str) -> None:
    """Whatever stands in the address."""
    assert KEYS.read_token(text) is None


def test_codes_are_six_digits_of_their_page() -> None:
    """The same page has the same code in every process, another key another one."""
    codes = {KEYS.code(PAGE), KEYS.code(PAGE)}
    assert len(codes) == 1 and all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len({KEYS.code(UUID(int=n)) for n in range(300)}) > 290
    assert [KEYS.code(UUID(int=n)) for n in range(5)] != [OTHER.code(UUID(int=n)) for n in range(5)]


def test_digests_are_keyed_and_by_channel() -> None:
    """Who has the database cannot try all numbers, nor see that two channels share one."""
    assert KEYS.digest("sms", "+861") != KEYS.digest("voice", "+861") != OTHER.digest("voice", "+861")


@pytest.mark.parametrize("value", ["", "not base64!", "c2hvcnQ="])
def test_a_key_that_is_none_is_told_without_it(value: str) -> None:
    """The sentence names the variable and not the value."""
    with pytest.raises(InvalidConfiguration) as caught:
        read_keyring(Secret(value))
    assert "FENGHUO_CONTACT_KEY" in str(caught.value) and (not value or value not in str(caught.value))
    assert repr(read_keyring(Secret(KEY))) == "Keyring(…)"


def test_links_end_when_they_say() -> None:
    """Whole seconds, in county time."""
    assert KEYS.read_token(KEYS.token(PAGE, ENDS + timedelta(seconds=0.9))) == (PAGE, ENDS)
