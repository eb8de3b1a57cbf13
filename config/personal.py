"""Personal fields: sealed under the gateways' key (config/sealing.py), and masked where they hide in free text."""

import re
from collections.abc import Mapping

import msgspec

from config.sealing import Sealer, key_bytes
from config.settings import Secret
from domain.decode import decode_json
from domain.inputs import Person

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


def read_key(secret: Secret) -> Sealer:
    """Make a sealer of the setting; InvalidConfiguration when it is no 32 bytes in base64."""
    return Sealer(key_bytes(secret, "FENGHUO_PERSONAL_KEY", "gateways seal personal fields under it"))


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
