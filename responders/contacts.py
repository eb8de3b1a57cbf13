"""How persons are reached: contacts read, masked and sealed, and the keys under which links and codes are made; pure.

Everything is done under FENGHUO_CONTACT_KEY, and not under the key of the gateways: they face the outside and hold callers'
data, the responder holds the telephones of duty officers, and whoever takes one of them reads nothing of the other's. Each
purpose has a key of its own, derived by HKDF-SHA256 (RFC 5869), so that no use of one tells anything of another.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config.sealing import KEY_BYTES, Sealer, key_bytes
from config.services import ContactKind
from config.settings import Secret
from domain.errors import Fault, InvalidInput

MAC_BYTES = 12
"""96 bits of HMAC-SHA256: enough for what may be tried only online (NIST SP 800-107, 5.3.3), and short in an SMS."""
TIME_BYTES = 5
CODE_DIGITS = 6
MOST_SUBSCRIPTION = 2_048

_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
_LANDLINE = re.compile(r"(?:\+?86|0086)?0?((?:10|2\d|[3-9]\d{2})[2-8]\d{6,7})")
_ABROAD = re.compile(r"\+[1-9]\d{6,14}")
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,255}$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
"""The form of an address that browsers accept too (HTML, valid e-mail address), with a dot in its domain."""


class SubscriptionKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a browser's subscription, in base64url (RFC 8291): its public key and a shared secret."""

    p256dh: str
    auth: str


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser says of itself when it subscribes (Push API, PushSubscription.toJSON)."""

    endpoint: str
    keys: SubscriptionKeys


class Keyring:
    """All that is done under the contact key; safe to share, shows nothing of itself."""

    def __init__(self, key: bytes) -> None:
        """Take the 32 bytes of FENGHUO_CONTACT_KEY."""
        self._sealer = Sealer(_derive(key, "contacts"))
        self._digests, self._links, self._codes = (
            _derive(key, name) for name in ("digests", "links", "codes")
        )

    def seal(self, clear: str, user: UUID, channel: str) -> str:
        """Seal a contact for one person and channel: put down for another it does not open."""
        return self._sealer.seal(clear.encode(), _record(str(user), channel))

    def open_all(self, contact: str, channel: str) -> tuple[str, ...]:
        """Open what a claimed page carries: lines of `user sealed`; InvalidInput when one was changed or moved."""
        pairs = (line.partition(" ") for line in contact.splitlines())
        return tuple(
            self._sealer.open_sealed(sealed, _record(user, channel)).decode() for user, _, sealed in pairs
        )

    def digest(self, channel: str, clear: str) -> bytes:
        """Make the keyed digest by which a contact is found again without being read."""
        return hmac.digest(self._digests, f"{channel}\x1f{clear}".encode(), sha256)

    def token(self, page: UUID, expires_at: datetime) -> str:
        """Sign a page and the time at which its link ends (whole seconds); 44 characters that may stand in an address."""
        body = page.bytes + int(expires_at.timestamp()).to_bytes(TIME_BYTES, "big")
        return urlsafe_b64encode(body + self._mac(body)).decode().rstrip("=")

    def read_token(self, token: str) -> tuple[UUID, datetime] | None:
        """Read page and end of a link; None when it is not ours or was changed."""
        try:
            signed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except ValueError:
            return None
        body, mac = signed[:-MAC_BYTES], signed[-MAC_BYTES:]
        whole = len(body) == len(UUID(int=0).bytes) + TIME_BYTES
        if not whole or not hmac.compare_digest(mac, self._mac(body)):
            return None
        return UUID(bytes=body[:16]), datetime.fromtimestamp(int.from_bytes(body[16:], "big"), UTC)

    def code(self, page: UUID) -> str:
        """Make the code by which a page is answered from the handset: six digits, of use only with the sender's number."""
        drawn = int.from_bytes(hmac.digest(self._codes, page.bytes, sha256)[:8], "big")
        return f"{drawn % 10**CODE_DIGITS:0{CODE_DIGITS}}"

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._links, body, sha256)[:MAC_BYTES]

    def __repr__(self) -> str:
        return "Keyring(…)"


def read_keyring(secret: Secret) -> Keyring:
    """Make the keyring of the setting; InvalidConfiguration when it is unset or no 32 bytes in base64."""
    purpose = "contacts of persons are sealed under it (make one: openssl rand -base64 32)"
    return Keyring(key_bytes(secret, "FENGHUO_CONTACT_KEY", purpose))


def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"fenghuo {purpose}".encode()).derive(key)


def _record(user: str, channel: str) -> str:
    return f"contact:{user}:{channel}"


def read_contact(kind: ContactKind, text: str, hosts: tuple[str, ...] = ()) -> str:
    """Read a contact into the one form in which it is kept; InvalidInput says what form it must have, and never what it was.

    `hosts` are the push services to which a subscription may lead.
    """
    text = text.strip()
    match kind:
        case ContactKind.PHONE:
            return read_phone(text)
        case ContactKind.ACCOUNT if _ACCOUNT.fullmatch(text):
            return text
        case ContactKind.ACCOUNT:
            raise _wrong(
                "须为企业微信账号（userid），1–64 个字母、数字或 . _ @ -。", "must be a WeCom userid"
            )
        case ContactKind.EMAIL if _EMAIL.fullmatch(text):
            return text
        case ContactKind.EMAIL:
            raise _wrong("须为一个邮箱地址。", "must be one e-mail address")
        case ContactKind.PUSH:
            return read_subscription(text, hosts)


def read_phone(text: str) -> str:
    """Read a phone number into +86…, or + and the country's code: as people and gateways write it, with gaps."""
    bare = re.sub(r"[\s\-()（）\u2010-\u2015]", "", text)
    for pattern in (_MOBILE, _LANDLINE):
        if found := pattern.fullmatch(bare):
            return f"+86{found[1]}"
    if _ABROAD.fullmatch(bare):
        return bare
    raise _wrong(
        "须为手机号、带区号的固定电话，或以 + 开头的国际号码。",
        "must be a mobile number, a landline with its area code, or + and the country's code",
    )


def read_subscription(text: str, hosts: tuple[str, ...]) -> str:
    """Read a browser's subscription; it may lead to the push services that are set up alone, over HTTPS."""
    try:
        found = msgspec.json.decode(text, type=Subscription)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _wrong("须为浏览器的推送订阅。", "must be a browser's push subscription") from None
    faults = []
    if not _leads_to(found.endpoint, hosts) or len(found.endpoint) > MOST_SUBSCRIPTION:
        reason = (
            f"须为 https 且属于 {'、'.join(hosts)}。 must be https and belong to one of {', '.join(hosts)}"
        )
        faults.append(Fault("endpoint", reason))
    for name, value, size in (("p256dh", found.keys.p256dh, 65), ("auth", found.keys.auth, 16)):
        if len(_bytes_of(value)) != size:
            faults.append(
                Fault(f"keys.{name}", f"须为 {size} 字节的 base64url。 must be {size} bytes in base64url")
            )
    if faults:
        raise InvalidInput(faults)
    return msgspec.json.encode(found).decode()


def _leads_to(endpoint: str, hosts: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    known = any(host == one or host.endswith(f".{one}") for one in hosts)
    return parts.scheme == "https" and known and port in (None, 443) and not parts.username


def _bytes_of(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return b""


def endpoint_of(subscription: str) -> str:
    """Read the address of a kept subscription, by which it is told from another one."""
    return msgspec.json.decode(subscription, type=Subscription).endpoint


def mask_contact(kind: ContactKind, clear: str) -> str:
    """Show as much of a contact as tells its owner that it is the right one."""
    match kind:
        case ContactKind.PHONE:
            return f"{clear[:6]}****{clear[-2:]}"
        case ContactKind.EMAIL:
            name, _, domain = clear.partition("@")
            return f"{name[:1]}***@{domain}"
        case ContactKind.ACCOUNT:
            return f"{clear[:1]}***{clear[-1:]}"
        case ContactKind.PUSH:
            return urlsplit(endpoint_of(clear)).hostname or ""


def identity_of(kind: ContactKind, clear: str) -> str:
    """Say what a contact is found by: a subscription by its address, any other by itself."""
    return endpoint_of(clear) if kind is ContactKind.PUSH else clear


def _wrong(zh: str, en: str) -> InvalidInput:
    return InvalidInput([Fault("contact", f"{zh} {en}")])
