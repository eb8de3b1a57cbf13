"""What a token of the county's sign-in must say before it opens an account; pure (OpenID Connect Core 1.0, 3.1.3.7)."""

import hmac
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

LEEWAY_SECONDS = 60
"""By which the provider's clock may be off."""
MFA = frozenset({"mfa", "otp", "hwk", "swk", "sc", "fpt", "face"})
"""Values of `amr` (RFC 8176) that tell of more than a password."""


class Refusal(StrEnum):
    """Why a return from the provider opens nothing."""

    STATE = "state"  # not the browser that left, or twice
    DENIED = "denied"  # the provider says so
    UNREACHABLE = "unreachable"
    ANSWER = "answer"  # what came back is not what the standard says
    SIGNATURE = "signature"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NONCE = "nonce"
    LOGIN = "login"  # no account of ours


def judge(
    claims: Mapping[str, Any], issuer: str, client: str, nonce: str, unix_seconds: float
) -> Refusal | None:
    """Say what is wrong with the claims of a token whose signature is right; None when nothing is."""
    if claims.get("iss") != issuer:
        return Refusal.ISSUER
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if client not in named or (len(named) > 1 and claims.get("azp") != client):
        return Refusal.AUDIENCE
    if claims.get("azp", client) != client:
        return Refusal.AUDIENCE
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, int | float) or expires + LEEWAY_SECONDS < unix_seconds:
        return Refusal.EXPIRED
    if not isinstance(issued, int | float) or issued - LEEWAY_SECONDS > unix_seconds:
        return Refusal.EXPIRED
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        return Refusal.NONCE
    return None


def login_in(claims: Mapping[str, Any], claim: str) -> str | None:
    """Read the login that a token names; None when the claim is not there or is no text."""
    value = claims.get(claim)
    return value.strip()[:80] or None if isinstance(value, str) else None


def proved_twice(claims: Mapping[str, Any]) -> bool:
    """Say whether the provider states that it asked for a second factor; else ours is asked for."""
    methods = claims.get("amr")
    return isinstance(methods, list) and bool(MFA.intersection(str(one) for one in methods))
