"""The record of administration as a chain of digests: who changed accounts, ended sessions, opened personal data; pure.

Each line carries SHA-256 over the digest of the line before it and its own text, as the records of cases do (Haber and
Stornetta 1991): a line that was changed, taken out or put in breaks the chain.
"""

import json
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct

NOTHING = b""


class AdminKind(StrEnum):
    """What was done."""

    CREATED = "created"
    CHANGED = "changed"
    DISABLED = "disabled"
    ENABLED = "enabled"
    PASSWORD_RESET = "password_reset"  # noqa: S105  the name of a deed
    FACTOR_RESET = "factor_reset"
    FACTOR_SET = "factor_set"
    FACTOR_REMOVED = "factor_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    PASSWORD_CHOSEN = "password_chosen"  # noqa: S105  the name of a deed
    RECOVERY_USED = "recovery_used"
    SESSION_ENDED = "session_ended"
    AREA_PUT = "area_put"
    CONTACT_SET = "contact_set"
    CONTACT_REMOVED = "contact_removed"
    CHANNEL_TESTED = "channel_tested"
    REVEALED = "revealed"


class AdminLine(Struct, frozen=True, kw_only=True):
    """A line as the database holds it; `at` in microseconds since 1970 UTC, `detail` its JSON as text."""

    number: int
    at: int
    kind: str
    actor: str
    user_id: str
    area: str
    subject: str
    text: str
    detail: str
    digest: bytes


class AdminBreak(Struct, frozen=True, kw_only=True):
    """A line that is not what it was, or is missing."""

    number: int
    reason: str


def digest_of(before: bytes, line: AdminLine) -> bytes:
    """Reckon the digest of a line after the digest of the line before it."""
    fields = [
        str(line.number),
        str(line.at),
        line.kind,
        line.actor,
        line.user_id,
        line.area,
        line.subject,
        line.text,
        line.detail,
    ]
    return sha256(before + json.dumps(fields, ensure_ascii=False).encode()).digest()


def check_chain(lines: Sequence[AdminLine], before: AdminLine | None = None) -> list[AdminBreak]:
    """Find the breaks in lines in the order of their numbers, taken up after the line `before`; each change is told once."""
    breaks = []
    for line in lines:
        expected = before.number + 1 if before else 1
        if line.number != expected:
            breaks.append(AdminBreak(number=expected, reason=f"line {expected} is missing"))
        elif line.digest != digest_of(before.digest if before else NOTHING, line):
            breaks.append(AdminBreak(number=line.number, reason="the line is not what was written"))
        before = line
    return breaks
