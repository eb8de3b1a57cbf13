"""What a sign-in asks for next, how long sessions last, which codes count, which passwords will do."""

from uuid import uuid4

import pyotp
import pytest

from config.settings import ConsoleSettings, SignInSettings
from responders.factors import FactorKeys, make_secret, qr_of
from responders.oidc import Refusal, judge, login_in, proved_twice
from responders.sign_in import (
    PERIOD_SECONDS,
    Facts,
    Need,
    Way,
    limits_of,
    make_recovery_codes,
    matching_step,
    need,
    password_faults,
    read_recovery_code,
)
from responders.views import Role

NOW = 1_800_000_015.0
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def facts(role: Role = Role.ADMIN, *, code: bool = False, passkeys: int = 0, given: bool = False) -> Facts:
    """Make what is known of an account."""
    return Facts(role=role, has_code=code, passkeys=passkeys, password_given=given)


@pytest.mark.parametrize(
    ("known", "way", "proved", "wanted"),
    [
        (facts(Role.OFFICER), Way.PASSWORD, False, Need.NOTHING),
        (facts(Role.OFFICER, code=True), Way.PASSWORD, False, Need.CODE),
        (facts(Role.OFFICER, passkeys=1), Way.PASSWORD, False, Need.CODE),
        (facts(code=True), Way.CODE, True, Need.NOTHING),
        (facts(), Way.PASSWORD, False, Need.ENROL),
        (facts(given=True), Way.PASSWORD, False, Need.PASSWORD),
        (facts(code=True, given=True), Way.PASSWORD, False, Need.CODE),
        (facts(code=True, given=True), Way.CODE, True, Need.PASSWORD),
        (facts(passkeys=1), Way.PASSKEY, False, Need.NOTHING),
        (facts(passkeys=1, given=True), Way.PASSKEY, False, Need.NOTHING),
        (facts(), Way.OIDC, True, Need.NOTHING),
        (facts(), Way.OIDC, False, Need.ENROL),
        (facts(code=True), Way.OIDC, False, Need.CODE),
        (facts(given=True), Way.OIDC, True, Need.NOTHING),
    ],
)
def test_what_comes_next(known: Facts, way: Way, proved: bool, wanted: Need) -> None:
    """A second factor that is there is asked for; a given password is replaced; who must have a factor sets it up."""
    assert need(known, way, ("commander", "admin"), proved=proved) is wanted


def test_without_a_key_nobody_is_sent_to_set_up_what_cannot_be_kept() -> None:
    """The settings' check tells of the missing key; people still get in."""
    assert need(facts(), Way.PASSWORD, ("admin",), can_enrol=False) is Need.NOTHING


def test_sessions_last_as_long_as_their_seat_needs() -> None:
    """A duty seat outlasts a shift of 24 hours and never idles; an administrator's ends soon."""
    console, ours = ConsoleSettings(), SignInSettings()
    seat, desk = limits_of(Role.OFFICER, console, ours), limits_of(Role.ADMIN, console, ours)
    assert seat.seconds > 24 * 3600
    assert seat.idle_seconds is None
    assert (desk.seconds, desk.idle_seconds) == (12 * 3600, 3600)
    assert limits_of(Role.DISPLAY, console, ours).seconds == 90 * 86_400


def test_a_code_counts_once_and_within_a_minute() -> None:
    """The present period and one to either side; never one that was taken, nor one before it."""
    present = int(NOW // PERIOD_SECONDS)
    codes = {shift: pyotp.TOTP(SECRET).at(NOW + shift * PERIOD_SECONDS) for shift in (-2, -1, 0, 1, 2)}
    assert matching_step(SECRET, codes[0], NOW, 0) == present
    assert matching_step(SECRET, f"{codes[0][:3]} {codes[0][3:]}", NOW, 0) == present
    assert matching_step(SECRET, codes[-1], NOW, 0) == present - 1
    assert matching_step(SECRET, codes[1], NOW, 0) == present + 1
    assert matching_step(SECRET, codes[0], NOW, present) is None
    assert matching_step(SECRET, codes[-1], NOW, present) is None
    assert matching_step(SECRET, codes[2], NOW, 0) is None
    assert matching_step(SECRET, codes[-2], NOW, 0) is None
    for text in ("", "12345", "1234567", "abcdef", "１２３４５６"):
        assert matching_step(SECRET, text, NOW, 0) is None


def test_recovery_codes_are_read_as_people_type_them() -> None:
    """Ten different ones; gaps and capitals do not matter; what cannot be one is none."""
    codes = make_recovery_codes()
    assert len(set(codes)) == 10
    assert read_recovery_code(f" {codes[0][:5].upper()}-{codes[0][5:]} ") == codes[0]
    assert read_recovery_code("123456") is None
    assert read_recovery_code("l" * 10) is None


def test_factors_are_sealed_for_one_account() -> None:
    """Put down for another account a secret does not open, and a digest is another one; nothing shows."""
    keys, one, other = FactorKeys(bytes(32)), uuid4(), uuid4()
    sealed = keys.seal(SECRET, one)
    assert SECRET not in sealed
    assert keys.open_sealed(sealed, one) == SECRET
    with pytest.raises(Exception, match="belongs to another record"):
        keys.open_sealed(sealed, other)
    assert keys.digest("abc", one) != keys.digest("abc", other)
    assert repr(keys) == "FactorKeys(…)"
    assert b"<svg" in qr_of(make_secret(), "admin")


@pytest.mark.parametrize(
    ("password", "again", "fields"),
    [
        ("烽火台上看远山青青", "烽火台上看远山青青", ["password"]),  # nine characters
        ("wind over the pass", "wind over the pass", []),
        ("wind over the pass", "wind over the pas", ["again"]),
        ("qingxi-2026-beacon", "qingxi-2026-beacon", ["password"]),
        ("MyPassword2026", "MyPassword2026", ["password"]),
        ("aaaaaaaaaaaa", "aaaaaaaaaaaa", ["password"]),
        ("", "", ["password"]),
    ],
)
def test_new_passwords(password: str, again: str, fields: list[str]) -> None:
    """Length before variety; neither the login nor what is guessed first; each fault by its field."""
    assert [fault.field for fault in password_faults(password, again, "qingxi")] == fields


CLAIMS = {"iss": "https://id.county", "aud": "fenghuo", "exp": NOW + 60, "iat": NOW, "nonce": "n"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"aud": ["fenghuo"]}, None),
        ({"aud": ["fenghuo", "other"], "azp": "fenghuo"}, None),
        ({"aud": ["fenghuo", "other"]}, Refusal.AUDIENCE),
        ({"azp": "other"}, Refusal.AUDIENCE),
        ({"aud": "other"}, Refusal.AUDIENCE),
        ({"iss": "https://id.county.evil"}, Refusal.ISSUER),
        ({"exp": NOW - 61}, Refusal.EXPIRED),
        ({"exp": None}, Refusal.EXPIRED),
        ({"exp": NOW - 59}, None),
        ({"iat": NOW + 61}, Refusal.EXPIRED),
        ({"nonce": "m"}, Refusal.NONCE),
        ({"nonce": None}, Refusal.NONCE),
    ],
)
def test_tokens_are_judged(changed: dict[str, object], reason: Refusal | None) -> None:
    """Issuer, audience, times and nonce, each by its own name."""
    assert judge({**CLAIMS, **changed}, "https://id.county", "fenghuo", "n", NOW) is reason


def test_logins_and_factors_in_tokens() -> None:
    """Only a text names a login; only what RFC 8176 calls a second factor counts as one."""
    assert login_in({"preferred_username": " qingxi "}, "preferred_username") == "qingxi"
    assert login_in({"preferred_username": 3}, "preferred_username") is None
    assert login_in({}, "sub") is None
    assert proved_twice({"amr": ["pwd", "otp"]})
    assert not proved_twice({"amr": ["pwd"]})
    assert not proved_twice({"amr": "mfa"})
