"""Personal fields: sealed under a key at the gateway, and masked where they hide in free text.

A sealed string is `v1.<key id>.<base64url of nonce and ciphertext>`. It opens only with its key and together
with the name of the record that it belongs to, so that it cannot be moved to another record.
"""

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Mapping

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.settings import Secret
from domain.decode import decode_json
from domain.errors import Fault, InvalidConfiguration, InvalidInput
from domain.inputs import Person

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = "v1"

PHONE_MASK = "〔电话〕"
ID_MASK = "〔证件号〕"
NAME_MASK = "〔姓名〕"
ROOM_MASK = "〔门牌〕"

_SEPARATOR = r"[ \-\u2010-\u2015]"
_GAP = _SEPARATOR + "?"
_ID = re.compile(rf"(?<![0-9A-Za-z])[1-9][0-9]{{5}}{_GAP}[0-9]{{8}}{_GAP}[0-9]{{3}}[0-9Xx](?![0-9A-Za-z])")
_MOBILE = re.compile(rf"(?<![0-9])(?:(?:\+|00)?86{_GAP})?1[3-9][0-9](?:{_GAP}[0-9]{{4}}){{2}}(?![0-9])")
_LANDLINE = re.compile(
    r"(?<![0-9])(?:(?:\+|00)?86[ \-]?)?[(（]?0(?:10|2[0-9]|[3-9][0-9]{2})[)）]?[ \-\u2010-\u2015]?"
    r"[2-8][0-9]{2,3}[ \-]?[0-9]{4}(?:(?:[ \-]|转|分机)[0-9]{1,5})?(?![0-9])"
)
_ROOM = re.compile(
    r"(?<![0-9])[0-9一二三四五六七八九十]{1,3}单元(?:[0-9]{1,2}(?:楼|层))?(?:[0-9]{1,5}(?:室|户|号|房)?)?"
    r"|(?<![0-9])[0-9]{1,5}(?:室|户|房)(?![0-9])"
)
_WIDE = {ord("０") + digit: ord("0") + digit for digit in range(10)} | {
    ord("Ｘ"): ord("X"),
    ord("ｘ"): ord("x"),
}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


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


def read_key(secret: Secret) -> Sealer:
    """Make a sealer of the setting; InvalidConfiguration when it is no 32 bytes in base64."""
    variable = "FENGHUO_PERSONAL_KEY"
    if not secret:
        raise InvalidConfiguration([Fault(variable, "is not set: gateways seal personal fields under it")])
    try:
        key = base64.b64decode(secret.value.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidConfiguration(
            [Fault(variable, "is not base64")]
        ) from None  # the cause would quote the key
    if len(key) != KEY_BYTES:
        raise InvalidConfiguration([Fault(variable, f"holds {len(key)} bytes, needs {KEY_BYTES}")])
    return Sealer(key)


def mask(text: str) -> str:
    """Replace ID numbers (with a right check digit) and phone numbers of the mainland in free text.

    Finds them in full-width digits and with gaps as people write them. Names are not looked for.
    """
    plain = text.translate(_WIDE)  # one character for one: places stay the same
    spans = [(found.span(), ID_MASK) for found in _ID.finditer(plain) if is_id_number(found.group())]
    for pattern in (_MOBILE, _LANDLINE):
        spans += [
            (found.span(), PHONE_MASK)
            for found in pattern.finditer(plain)
            if not any(start < found.end() and found.start() < end for (start, end), _ in spans)
        ]
    for (start, end), word in sorted(spans, reverse=True):
        text = text[:start] + word + text[end:]
    return text


class Clear(msgspec.Struct, frozen=True, kw_only=True):
    """What is sealed with a ticket or report: the person, and those words as they were that masking changed."""

    person: Person | None = None
    text: str | None = None
    title: str | None = None
    address: str | None = None
    unit: str | None = None

    def __repr__(self) -> str:
        return "Clear(…)"


def protect(sealer: Sealer, person: Person | None, text: str, record: str) -> tuple[str, str | None]:
    """Mask a text, and seal what that hid together with the person; None if there is nothing to seal."""
    masked, sealed = protect_all(sealer, person, {"text": text}, record)
    return masked["text"], sealed


def protect_all(
    sealer: Sealer, person: Person | None, words: Mapping[str, str], record: str
) -> tuple[dict[str, str], str | None]:
    """Mask texts, each under its name in `Clear`, and seal what that hid together with the person.

    Of an address the flat is hidden too: with the building alone an officer finds the place, and nobody's door.
    """
    masked = {name: _mask_person(person, text) for name, text in words.items()}
    if "address" in masked:
        masked["address"] = _mask_room(masked["address"])
    hidden = {name: text for name, text in words.items() if masked[name] != text}
    if person is None and not hidden:
        return masked, None
    return masked, sealer.seal(msgspec.json.encode(Clear(person=person, **hidden)), record)


def _mask_person(person: Person | None, text: str) -> str:
    if person:
        for value, word in (
            (person.name, NAME_MASK),
            (person.phone, PHONE_MASK),
            (person.id_number, ID_MASK),
        ):
            if value and len(value) > 1:  # one character would tear words apart
                text = text.replace(value, word)
    return mask(text)


def _mask_room(address: str) -> str:
    spans = [found.span() for found in _ROOM.finditer(address.translate(_WIDE))]
    for start, end in reversed(spans):
        address = address[:start] + ROOM_MASK + address[end:]
    return address


def reveal(sealer: Sealer, sealed: str, record: str) -> Clear:
    """Open what `protect` sealed; whoever calls this puts the reading on record first."""
    return decode_json(Clear, sealer.open_sealed(sealed, record))


def is_id_number(text: str) -> bool:
    """Say whether 18 characters, gaps aside, are a resident's ID number by its check digit (GB 11643)."""
    digits = re.sub(_SEPARATOR, "", text).upper()
    if not re.fullmatch(r"[0-9]{17}[0-9X]", digits):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits[:17], strict=True))
    return "10X98765432"[total % 11] == digits[17]
