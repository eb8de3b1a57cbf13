"""Signing in, in SQL: attempts that all console processes count together, half-done sign-ins, second factors, sessions."""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from domain.codec import encode
from domain.errors import NotAllowed
from responders.admin_record import AdminKind
from responders.sign_in import Facts, Limits, Way
from responders.store.admin_entries import add_admin_entry
from responders.store.administration import SessionRow
from responders.store.console import Actor, find_actor
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.views import Role, Viewer

STEP_SECONDS = 600.0
"""How long somebody may take to go on with a sign-in."""


class Step(Struct, frozen=True, kw_only=True):
    """A sign-in that is half done: what is asked for next, of which account, and what was kept for it."""

    kind: str
    user_id: UUID | None
    login: str
    display: str
    detail: dict[str, Any]


class KeptSecret(Struct, frozen=True, kw_only=True):
    """An authenticator's secret as it is kept; `last_step` is the period of the last code that was taken."""

    sealed: str
    last_step: int
    confirmed: bool


class SignIns:
    """The store's methods for signing in; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def begin_attempt(self, limits: Mapping[str, int], seconds: float) -> float:
        """Count an attempt against each key; answers 0, or the seconds to wait when one has had too many (uncounted).

        Keys are kept as digests. All processes count together, and a restart forgets nothing.
        """
        return await self._database.run(_begin_attempt, limits, seconds)

    async def forgive(self, key: str) -> None:
        """Forget the attempts of a key: its owner has signed in."""
        await self._database.run(_forgive, key)

    async def facts(self, user: UUID) -> Facts | None:
        """Read what decides on the next step; None for an account that is not in use."""
        return await self._database.read(_facts, user)

    async def begin_step(
        self, token_sha256: str, kind: str, user: UUID | None, detail: Mapping[str, Any]
    ) -> None:
        """Keep a half-done sign-in for ten minutes behind a token of its own."""
        await self._database.run(_begin_step, token_sha256, kind, user, dict(detail))

    async def step(self, token_sha256: str) -> Step | None:
        """Find a half-done sign-in; None when it has ended."""
        return await self._database.read(_find_step, token_sha256)

    async def take_step(self, token_sha256: str) -> bool:
        """End a half-done sign-in; False when somebody else has: it counts once."""
        return await self._database.run(_take_step, token_sha256)

    async def secret(self, user: UUID) -> KeptSecret | None:
        """Read the authenticator's secret of an account, sealed as it is kept."""
        return await self._database.read(_secret, user)

    async def offer_secret(self, user: UUID, sealed: str) -> None:
        """Keep a secret until a first code confirms it; one that is in force stays."""
        await self._database.run(_offer_secret, user, sealed)

    async def confirm_secret(self, user: UUID, period: int, digests: Sequence[bytes]) -> bool:
        """Put an authenticator in force by its first code, with new recovery codes; False when one is in force already."""
        return await self._database.run(_confirm_secret, user, period, digests)

    async def take_code(self, user: UUID, period: int) -> bool:
        """Take the code of a period; False when it, or a later one, was taken before."""
        return await self._database.run(_take_code, user, period)

    async def take_recovery(self, user: UUID, digest: bytes) -> bool:
        """Use a recovery code up; False when there is none such left."""
        return await self._database.run(_take_recovery, user, digest)

    async def recovery_left(self, user: UUID) -> int:
        """Count the recovery codes that are left."""
        return await self._database.read(_recovery_left, user)

    async def drop_secret(self, viewer: Viewer) -> None:
        """Remove the viewer's own authenticator and recovery codes."""
        await self._database.run(_drop_secret, viewer)

    async def choose_password(self, user: UUID, password_hash: str, keep: str = "") -> tuple[str, ...]:
        """Let an account have the password that its people chose, and end its sessions but the one to keep.

        Answers the digests of their tokens; NotAllowed for an account that is not in use.
        """
        return await self._database.run(_choose_password, user, password_hash, keep)

    async def begin_session(
        self, user: UUID, token_sha256: str, limits: Limits, way: Way, client: str
    ) -> None:
        """Begin a session; NotAllowed when the account was disabled meanwhile."""
        await self._database.run(_begin_session, user, token_sha256, limits, way, client)

    async def session(self, token_sha256: str) -> Viewer | None:
        """Find who a session belongs to, and note its sign of life; None when it ended, or stood untouched too long."""
        viewer, due = await self._database.read(_session, token_sha256)
        if due:
            await self._database.run(_touch, token_sha256)
        return viewer

    async def gone(self, tokens: Collection[str]) -> list[str]:
        """Name those of some sessions that have ended: their live streams are cut."""
        return await self._database.read(_gone, list(tokens))

    async def own_sessions(self, user: UUID) -> list[SessionRow]:
        """List the live sessions of an account."""
        return await self._database.read(_own_sessions, user)

    async def end_others(self, user: UUID, keep: str) -> tuple[str, ...]:
        """End all sessions of an account but the one to keep; answers the digests of their tokens."""
        return await self._database.run(_end_others, user, keep)

    async def find_login(self, login: str) -> UUID | None:
        """Find an account in use by its login."""
        return await self._database.read(_find_login, login)


def _key(text: str) -> bytes:
    return sha256(f"attempt\x1f{text}".encode()).digest()


async def _begin_attempt(connection: Connection, limits: Mapping[str, int], seconds: float) -> float:
    keys = {_key(text): limit for text, limit in limits.items()}
    for key in sorted(keys):
        await connection.execute(sql("lock_attempt_key"), key)
    wait = 0.0
    for key, limit in keys.items():
        row = await connection.fetchrow(sql("recent_sign_in_attempts"), key, seconds, limit) or {}
        if row["count"] >= limit:
            wait = max(wait, seconds - row["age_seconds"], 1.0)
    if not wait:
        for key in keys:
            await connection.execute(sql("add_sign_in_attempt"), key)
    return wait


async def _forgive(connection: Connection, key: str) -> None:
    await connection.execute(sql("forgive_sign_in_attempts"), _key(key))


async def _facts(connection: Connection, user: UUID) -> Facts | None:
    row = await connection.fetchrow(sql("sign_in_facts"), user)
    return msgspec.convert(dict(row), Facts) if row else None


async def _begin_step(
    connection: Connection, token_sha256: str, kind: str, user: UUID | None, detail: dict[str, Any]
) -> None:
    await connection.execute(sql("add_step"), token_sha256, kind, user, encode(detail).decode(), STEP_SECONDS)


async def _find_step(connection: Connection, token_sha256: str) -> Step | None:
    row = await connection.fetchrow(sql("find_step"), token_sha256)
    if row is None:
        return None
    texts = {name: row[name] or "" for name in ("login", "display")}
    return msgspec.convert({**row, **texts, "detail": msgspec.json.decode(row["detail"])}, Step)


async def _take_step(connection: Connection, token_sha256: str) -> bool:
    return await connection.fetchrow(sql("take_step"), token_sha256) is not None


async def _secret(connection: Connection, user: UUID) -> KeptSecret | None:
    row = await connection.fetchrow(sql("read_secret"), user)
    return msgspec.convert(dict(row), KeptSecret) if row else None


async def _offer_secret(connection: Connection, user: UUID, sealed: str) -> None:
    await connection.execute(sql("put_secret"), user, sealed)


async def _confirm_secret(connection: Connection, user: UUID, period: int, digests: Sequence[bytes]) -> bool:
    actor = await _own(connection, user)
    if await connection.fetchrow(sql("confirm_secret"), user, period) is None:
        return False
    await connection.execute(sql("forget_recovery"), user)
    for digest in digests:
        await connection.execute(sql("add_recovery"), user, digest)
    await add_admin_entry(connection, actor, AdminKind.FACTOR_SET, actor.area, await _login(connection, user))
    return True


async def _take_code(connection: Connection, user: UUID, period: int) -> bool:
    return await connection.fetchrow(sql("take_code_step"), user, period) is not None


async def _take_recovery(connection: Connection, user: UUID, digest: bytes) -> bool:
    if await connection.fetchrow(sql("take_recovery"), user, digest) is None:
        return False
    actor = await _own(connection, user)
    login = await _login(connection, user)
    await add_admin_entry(connection, actor, AdminKind.RECOVERY_USED, actor.area, login)
    return True


async def _recovery_left(connection: Connection, user: UUID) -> int:
    return int(await connection.fetchval(sql("recovery_left"), user))


async def _drop_secret(connection: Connection, viewer: Viewer) -> None:
    actor = await find_actor(connection, viewer, Role)
    await connection.execute(sql("forget_factors"), actor.id)
    await connection.execute(sql("forget_recovery"), actor.id)
    await add_admin_entry(connection, actor, AdminKind.FACTOR_REMOVED, actor.area, viewer.login)


async def _choose_password(
    connection: Connection, user: UUID, password_hash: str, keep: str
) -> tuple[str, ...]:
    actor = await _own(connection, user)
    row = await connection.fetchrow(sql("choose_password"), user, password_hash)
    login = row["login"] if row else ""
    ended = await _end_others(connection, user, keep)
    await add_admin_entry(connection, actor, AdminKind.PASSWORD_CHOSEN, actor.area, login)
    return ended


async def _begin_session(
    connection: Connection, user: UUID, token_sha256: str, limits: Limits, way: Way, client: str
) -> None:
    begun = await connection.fetchrow(
        sql("begin_session"), token_sha256, user, limits.seconds, limits.idle_seconds, way.value, client
    )
    if begun is None:
        raise NotAllowed("此账号已停用。 This account is disabled.")


async def _session(connection: Connection, token_sha256: str) -> tuple[Viewer | None, bool]:
    row = await connection.fetchrow(sql("live_session"), token_sha256)
    return (msgspec.convert(dict(row), Viewer), row["due"]) if row else (None, False)


async def _touch(connection: Connection, token_sha256: str) -> None:
    await connection.execute(sql("touch_session"), token_sha256)


async def _gone(connection: Connection, tokens: list[str]) -> list[str]:
    return [row["token"] for row in await connection.fetch(sql("gone_sessions"), tokens)]


async def _own_sessions(connection: Connection, user: UUID) -> list[SessionRow]:
    rows = await connection.fetch(sql("own_sessions"), user)
    return [msgspec.convert(dict(row), SessionRow) for row in rows]


async def _end_others(connection: Connection, user: UUID, keep: str) -> tuple[str, ...]:
    rows = await connection.fetch(sql("end_other_sessions"), user, keep)
    return tuple(row["token_sha256"] for row in rows)


async def _find_login(connection: Connection, login: str) -> UUID | None:
    found: UUID | None = await connection.fetchval(sql("login_in_use"), login)
    return found


async def _own(connection: Connection, user: UUID) -> Actor:
    """Read the account that acts on itself; NotAllowed when it is not in use."""
    row = await connection.fetchrow(sql("actor"), user)
    if row is None:
        raise NotAllowed("此账号已停用。 This account is disabled.")
    return Actor(row["id"], row["display"], Role(row["role"]), row["area"])


async def _login(connection: Connection, user: UUID) -> str:
    login: str = await connection.fetchval(sql("login_of"), user)
    return login
