"""Checks passwords with argon2 in threads, a few at a time, and takes as long for a login that there is not."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
"""Each check costs 64 MiB and about 130 ms of a core; more at once would starve the live pages."""


class Passwords:
    """Verifies passwords against stored hashes."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Make the hash that stands in for accounts that do not exist, as costly as theirs."""
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))
        self._places = asyncio.Semaphore(AT_ONCE)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Say whether the password fits; None or an empty hash takes the same time and never fits."""
        async with self._places:
            fits = await asyncio.to_thread(self._fits, password_hash or self._nobody, password)
        return fits and bool(password_hash)

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
