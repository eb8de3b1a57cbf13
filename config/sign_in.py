"""What operators set about signing in, and what is wrong with it before anything starts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from domain.errors import Fault

if TYPE_CHECKING:
    from config.settings import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_sign_in(settings: "Settings") -> Iterator[Fault]:
    """Find every fault of the settings of signing in."""
    ours = settings.sign_in
    if ours.second_factor and not settings.contact_key:
        yield Fault(
            "FENGHUO_CONTACT_KEY", "is not set: sign_in.second_factor keeps its secrets sealed under it"
        )
    named = {"oidc_issuer": ours.oidc_issuer, "oidc_client_id": ours.oidc_client_id}
    if any(named.values()) or ours.oidc_secret:
        yield from (
            Fault(f"sign_in.{name}", "is not set, and the county's sign-in (OpenID Connect) needs it")
            for name, value in named.items()
            if not value
        )
        if not settings.console.public_url:
            yield Fault("console.public_url", "is not set: the county's sign-in sends people back to it")
    if ours.oidc_issuer and not is_safe(ours.oidc_issuer):
        yield Fault("sign_in.oidc_issuer", "must be an https address without query or fragment")


def is_safe(address: str) -> bool:
    """Say whether an address of the provider is HTTPS; plain HTTP is for the same machine alone."""
    parts = urlsplit(address)
    if parts.query or parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def warn_of_sign_in(settings: "Settings") -> Iterator[Fault]:
    """Tell what is no fault and should not stay so where others can reach the console."""
    reached = settings.console.secure_cookie or bool(settings.console.public_url)
    missing = [role for role in ("commander", "admin") if role not in settings.sign_in.second_factor]
    if reached and missing:
        names = ", ".join(missing)
        yield Fault(
            "sign_in.second_factor",
            f"does not name {names}: their accounts are safe by a password alone",
        )
