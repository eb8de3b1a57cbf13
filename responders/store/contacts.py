"""How persons are reached, in SQL: contacts come and go sealed, the store holds no key."""

from uuid import UUID

from domain.errors import NotFound
from responders.store.console import find_actor
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.views import ContactRow, Role, Viewer

MOST_BROWSERS = 10
"""Subscriptions kept for one account and channel, the newest: a browser that was put aside does not always say so."""


class Contacts:
    """The store's methods for contacts; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def find(self, login: str) -> UUID:
        """Find the account of a login; NotFound when there is none, or it is disabled."""
        return await self._database.read(_find, login)

    async def put(self, user: UUID, channel: str, digest: bytes, sealed: str) -> None:
        """Put down the one contact of a person for a channel, in place of any other."""
        await self._database.run(_put, user, channel, digest, sealed)

    async def remove(self, user: UUID, channel: str) -> int:
        """Remove a person's contacts for a channel; answers how many there were."""
        return await self._database.run(_remove, user, channel)

    async def subscribe(self, viewer: Viewer, channel: str, digest: bytes, sealed: str) -> None:
        """Add a browser of the viewer's to those that get a channel's pages; the oldest beyond ten are forgotten."""
        await self._database.run(_subscribe, viewer, channel, digest, sealed)

    async def unsubscribe(self, viewer: Viewer, channel: str, digest: bytes) -> None:
        """Take a browser of the viewer's away; one that is not there is fine."""
        await self._database.run(_unsubscribe, viewer, channel, digest)

    async def forget(self, channel: str, digest: bytes) -> None:
        """Remove a contact of which the channel's own side says that it is gone for good."""
        await self._database.run(_forget, channel, digest)

    async def list(self, login: str | None = None) -> list[ContactRow]:
        """List contacts by login and channel, sealed as they are kept."""
        return await self._database.read(_list, login)

    async def of(self, user: UUID, channel: str) -> str:
        """Gather a person's contacts for a channel as a claimed page carries them; "" when there is none."""
        return await self._database.read(_of, user, channel)


async def _find(connection: Connection, login: str) -> UUID:
    row = await connection.fetchrow(sql("find_login"), login)
    if row is None:
        raise NotFound(f"没有账号 {login}。 There is no account {login}.")
    found: UUID = row["id"]
    return found


async def _put(connection: Connection, user: UUID, channel: str, digest: bytes, sealed: str) -> None:
    await connection.execute(sql("remove_contacts"), user, channel, digest)
    await connection.execute(sql("put_contact"), user, channel, digest, sealed)


async def _remove(connection: Connection, user: UUID, channel: str) -> int:
    return _count(await connection.execute(sql("remove_contacts"), user, channel, None))


async def _subscribe(
    connection: Connection, viewer: Viewer, channel: str, digest: bytes, sealed: str
) -> None:
    actor = await find_actor(connection, viewer, Role)
    # A browser belongs to whoever signed in there last: the pages of an earlier one must not appear on it.
    await connection.execute(sql("forget_contact"), channel, digest)
    await connection.execute(sql("put_contact"), actor.id, channel, digest, sealed)
    await connection.execute(sql("trim_contacts"), actor.id, channel, MOST_BROWSERS)


async def _unsubscribe(connection: Connection, viewer: Viewer, channel: str, digest: bytes) -> None:
    actor = await find_actor(connection, viewer, Role)
    await connection.execute(sql("remove_contact"), actor.id, channel, digest)


async def _forget(connection: Connection, channel: str, digest: bytes) -> None:
    await connection.execute(sql("forget_contact"), channel, digest)


async def _list(connection: Connection, login: str | None) -> list[ContactRow]:
    return [
        ContactRow(
            login=row["login"],
            display=row["display"],
            channel=row["channel"],
            sealed=f"{row['user_id']} {row['sealed']}",
            set_at=row["set_at"],
        )
        for row in await connection.fetch(sql("list_contacts"), login)
    ]


async def _of(connection: Connection, user: UUID, channel: str) -> str:
    return await connection.fetchval(sql("contacts_of"), user, channel) or ""


def _count(tag: str) -> int:
    """Read how many rows a statement touched from its tag, such as `DELETE 2`."""
    return int(tag.rpartition(" ")[2])
