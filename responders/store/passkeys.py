"""Passkeys in SQL: public keys of what people hold, added and removed by themselves, each on record."""

from uuid import UUID

import msgspec
from msgspec import Struct

from domain.errors import Conflict
from domain.inputs import AwareTime
from responders.admin_record import AdminKind
from responders.store.admin_entries import add_admin_entry
from responders.store.console import find_actor
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.views import Role, Viewer


class Passkey(Struct, frozen=True, kw_only=True):
    """A passkey: the public key of something that its owner holds."""

    id: bytes
    user_id: UUID
    public_key: bytes
    sign_count: int
    name: str
    added_at: AwareTime
    used_at: AwareTime | None


class Passkeys:
    """The store's methods for passkeys; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def of(self, user: UUID) -> list[Passkey]:
        """List the passkeys of an account."""
        return await self._database.read(_passkeys, user)

    async def find(self, identity: bytes) -> Passkey | None:
        """Find a passkey of an account in use."""
        return await self._database.read(_passkey, identity)

    async def add(
        self, viewer: Viewer, identity: bytes, public_key: bytes, sign_count: int, name: str
    ) -> None:
        """Add a passkey of the viewer's; Conflict when it is somebody's already."""
        await self._database.run(_add_passkey, viewer, identity, public_key, sign_count, name)

    async def use(self, identity: bytes, sign_count: int) -> None:
        """Note that a passkey was used."""
        await self._database.run(_use_passkey, identity, sign_count)

    async def remove(self, viewer: Viewer, identity: bytes) -> None:
        """Remove a passkey of the viewer's; one that is not there is fine."""
        await self._database.run(_remove_passkey, viewer, identity)


async def _passkeys(connection: Connection, user: UUID) -> list[Passkey]:
    rows = await connection.fetch(sql("passkeys_of"), user)
    return [msgspec.convert(dict(row), Passkey) for row in rows]


async def _passkey(connection: Connection, identity: bytes) -> Passkey | None:
    row = await connection.fetchrow(sql("find_passkey"), identity)
    return msgspec.convert(dict(row), Passkey) if row else None


async def _add_passkey(
    connection: Connection, viewer: Viewer, identity: bytes, public_key: bytes, sign_count: int, name: str
) -> None:
    actor = await find_actor(connection, viewer, Role)
    added = await connection.fetchrow(sql("add_passkey"), identity, actor.id, public_key, sign_count, name)
    if added is None:
        raise Conflict("此通行密钥已登记。 This passkey is registered already.")
    await add_admin_entry(connection, actor, AdminKind.PASSKEY_ADDED, actor.area, viewer.login, name)


async def _use_passkey(connection: Connection, identity: bytes, sign_count: int) -> None:
    await connection.execute(sql("use_passkey"), identity, sign_count)


async def _remove_passkey(connection: Connection, viewer: Viewer, identity: bytes) -> None:
    actor = await find_actor(connection, viewer, Role)
    name = await connection.fetchval(sql("remove_passkey"), identity, actor.id)
    if name is not None:
        kind = AdminKind.PASSKEY_REMOVED
        await add_admin_entry(connection, actor, kind, actor.area, viewer.login, name)
