"""Sealing of personal data under a key from the environment: gateways and responders do it, each with a key of its own.

A sealed string is `v1.<key id>.<base64url of nonce and ciphertext>` (AES-256-GCM, NIST SP 800-38D, with a random nonce of 96
bits). It opens only with its key and together with the name of the record that it belongs to, so that it cannot be moved to
another record.
"""

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.settings import Secret
from domain.errors import Fault, InvalidConfiguration, InvalidInput

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = "v1"


class Sealer:
    """Seals texts under one key; safe to share."""

    def __init__(self, key: bytes) -> None:
        """Take a key of 32 bytes."""
        self._cipher = AESGCM(key)
        self.key_id = hashlib.sha256(b"fenghuo personal key" + key).hexdigest()[:8]

    def __repr__(self) -> str:
        return f"Sealer({self.key_id})"

    def seal(self, clear: bytes, record: str) -> str:
        """Seal bytes for the record of that name."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, clear, record.encode())
        return f"{VERSION}.{self.key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open_sealed(self, sealed: str, record: str) -> bytes:
        """Open what was sealed for the record; InvalidInput when key, record or bytes are wrong."""
        version, _, rest = sealed.partition(".")
        key_id, _, text = rest.partition(".")
        if version != VERSION or not text:
            raise InvalidInput([Fault("sealed", "is not of a known form")])
        if key_id != self.key_id:
            raise InvalidInput([Fault("sealed", "is under another key")])
        try:
            data = base64.b64decode(text, altchars=b"-_", validate=True)
            return self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], record.encode())
        except (binascii.Error, ValueError, InvalidTag) as error:
            raise InvalidInput([Fault("sealed", "was changed or belongs to another record")]) from error


def key_bytes(secret: Secret, variable: str, purpose: str) -> bytes:
    """Read a key of 32 bytes from its setting; InvalidConfiguration, which names no part of it, when it is none."""
    if not secret:
        raise InvalidConfiguration([Fault(variable, f"is not set: {purpose}")])
    try:
        key = base64.b64decode(secret.value.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidConfiguration(
            [Fault(variable, "is not base64")]
        ) from None  # the cause would quote the key
    if len(key) != KEY_BYTES:
        raise InvalidConfiguration([Fault(variable, f"holds {len(key)} bytes, needs {KEY_BYTES}")])
    return key
