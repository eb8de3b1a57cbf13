"""What `fenghuo check` says of the settings of signing in."""

import base64

import pytest

from config.settings import ConsoleSettings, Secret, Settings, SignInSettings, load_settings
from config.sign_in import check_sign_in, is_safe, warn_of_sign_in
from domain.errors import InvalidConfiguration

KEY = Secret(base64.b64encode(bytes(32)).decode())
PUBLIC = ConsoleSettings(public_url="https://fenghuo.county")


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        (Settings(), []),
        (Settings(sign_in=SignInSettings(second_factor=("admin",))), ["FENGHUO_CONTACT_KEY"]),
        (Settings(contact_key=KEY, sign_in=SignInSettings(second_factor=("admin",))), []),
        (
            Settings(sign_in=SignInSettings(oidc_client_id="fenghuo")),
            ["sign_in.oidc_issuer", "console.public_url"],
        ),
        (
            Settings(console=PUBLIC, sign_in=SignInSettings(oidc_issuer="https://id.county")),
            ["sign_in.oidc_client_id"],
        ),
        (
            Settings(
                console=PUBLIC, sign_in=SignInSettings(oidc_issuer="http://id.county", oidc_client_id="f")
            ),
            ["sign_in.oidc_issuer"],
        ),
    ],
)
def test_every_fault_is_told(settings: Settings, fields: list[str]) -> None:
    """A key that is missing, a provider half set up, an address that is not safe."""
    assert [fault.field for fault in check_sign_in(settings)] == fields


def test_a_console_that_others_reach_is_warned_of() -> None:
    """Where nobody must have a second factor, and the console is not only this machine's."""
    assert list(warn_of_sign_in(Settings())) == []
    (warning,) = warn_of_sign_in(Settings(console=PUBLIC))
    assert "commander, admin" in warning.reason
    both = SignInSettings(second_factor=("admin", "commander"))
    assert list(warn_of_sign_in(Settings(console=PUBLIC, sign_in=both))) == []


def test_roles_come_from_the_environment() -> None:
    """Between commas; a role that there is not is a fault."""
    read = load_settings({"FENGHUO_SIGN_IN_SECOND_FACTOR": "commander,admin"})
    assert read.sign_in.second_factor == ("commander", "admin")
    for wrong in ({"FENGHUO_SIGN_IN_SECOND_FACTOR": "king"}, {"FENGHUO_SIGN_IN_IDLE_MINUTES": "5"}):
        with pytest.raises(InvalidConfiguration):
            load_settings(wrong)


def test_addresses_of_providers_are_https() -> None:
    """Plain HTTP is for the same machine alone."""
    assert is_safe("https://id.county/realms/county")
    assert is_safe("http://127.0.0.1:8080")
    assert not is_safe("http://id.county")
    assert not is_safe("https://id.county/?x=1")
    assert not is_safe("ftp://id.county")
