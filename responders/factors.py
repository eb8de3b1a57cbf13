"""The keys of second factors: secrets of authenticators sealed, recovery codes as keyed digests, QR codes to read."""

import hmac
from hashlib import sha256
from io import BytesIO
from uuid import UUID

import pyotp
import segno
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.sealing import KEY_BYTES, Sealer, key_bytes
from config.settings import Secret

ISSUER = "烽火"


class FactorKeys:
    """All that is done under the keys of second factors; shows nothing of itself."""

    def __init__(self, key: bytes) -> None:
        """Take the 32 bytes of FENGHUO_CONTACT_KEY; the keys used are derived from it (HKDF, RFC 5869)."""
        self._sealer = Sealer(_derive(key, "second factors"))
        self._digests = _derive(key, "recovery codes")

    def seal(self, secret: str, user: UUID) -> str:
        """Seal an authenticator's secret for one account."""
        return self._sealer.seal(secret.encode(), f"second-factor:{user}")

    def open_sealed(self, sealed: str, user: UUID) -> str:
        """Open it; InvalidInput when it was changed, moved, or sealed under another key."""
        return self._sealer.open_sealed(sealed, f"second-factor:{user}").decode()

    def digest(self, code: str, user: UUID) -> bytes:
        """Make the keyed digest under which a recovery code is kept."""
        return hmac.digest(self._digests, f"{user}\x1f{code}".encode(), sha256)

    def __repr__(self) -> str:
        return "FactorKeys(…)"


def read_factor_keys(secret: Secret) -> FactorKeys | None:
    """Make the keys of the setting; None when it is unset, InvalidConfiguration when it is no 32 bytes in base64."""
    if not secret:
        return None
    return FactorKeys(key_bytes(secret, "FENGHUO_CONTACT_KEY", "second factors are sealed under it"))


def make_secret() -> str:
    """Draw an authenticator's secret: 160 bits in base32 (RFC 4226, R6)."""
    return pyotp.random_base32()


def qr_of(secret: str, login: str) -> bytes:
    """Draw the QR code (SVG) that an authenticator reads; dark on light whatever the page's theme."""
    address = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)
    drawn = BytesIO()
    segno.make(address, error="m").save(drawn, kind="svg", scale=5, border=3, dark="#000", light="#fff")
    return drawn.getvalue()


def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"fenghuo {purpose}".encode()).derive(key)
