"""Tokens for machines, in SQL: made, listed, ended, and recognised."""

from collections.abc import Sequence
from uuid import UUID

from domain.errors import Fault, InvalidInput, NotFound
from responders import tokens
from responders.store.console import find_actor, view
from responders.store.pool import Connection, Database
from responders.store.queries import sql
from responders.tokens import Holder, NewToken, Refusal, Scope, TokenRow
from responders.views import Role, Viewer

COMMAND_LINE = "command line"
DAY_SECONDS = 86_400.0
ADMINISTERS = frozenset({Role.ADMIN})


class Tokens:
    """The store's methods for tokens; a viewer of None is the command line, which may do everything everywhere."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def add(
        self, viewer: Viewer | None, wanted: NewToken, digest: str, token: UUID
    ) -> tuple[TokenRow, bool]:
        """Keep a token under an id, and say whether it is new: the same id again keeps the first one and its digest.

        InvalidInput with all faults; NotAllowed for whoever is no administrator.
        """
        return await self._database.run(_add, viewer, wanted, digest, token)

    async def tokens(self, viewer: Viewer | None = None) -> list[TokenRow]:
        """List the tokens of the viewer's area, ended ones too, the newest first."""
        return await self._database.read(_list, viewer)

    async def end(self, viewer: Viewer | None, token: UUID) -> TokenRow:
        """End a token for good; NotFound outside the viewer's area, ending it twice is fine."""
        return await self._database.run(_end, viewer, token)

    async def holder(self, digest: str) -> Holder | Refusal:
        """Find who a token stands for, and note that it was used; or say why it opens nothing."""
        return await self._database.run(_holder, digest)


async def _who(connection: Connection, viewer: Viewer | None) -> tuple[str, str]:
    """Say in which area somebody may deal with tokens, and by which name it goes on record."""
    if viewer is None:
        return "", COMMAND_LINE
    actor = await find_actor(connection, viewer, ADMINISTERS)
    return actor.area, actor.display


async def _add(
    connection: Connection, viewer: Viewer | None, wanted: NewToken, digest: str, token: UUID
) -> tuple[TokenRow, bool]:
    within, name = await _who(connection, viewer)
    account = await connection.fetchrow(sql("token_account"), wanted.login)
    if account is None or not account["area"].startswith(within):
        raise InvalidInput([Fault("login", "没有这个账号。 There is no such account.")])
    if faults := tokens.faults_of(wanted, account["area"]):
        raise InvalidInput(faults)
    area = wanted.area or account["area"]
    scopes: Sequence[str] = [scope.value for scope in dict.fromkeys(wanted.scopes)]
    added = await connection.fetchval(
        sql("add_token"),
        token,
        digest,
        wanted.name.replace("\x00", ""),
        account["id"],
        area,
        scopes,
        name,
        wanted.days * DAY_SECONDS,
    )
    return await _row(connection, within, token), added is not None


async def _row(connection: Connection, within: str, token: UUID) -> TokenRow:
    row = await connection.fetchrow(sql("tokens"), within, token)
    if row is None:
        raise NotFound("没有这个令牌，或不在您的辖区。 There is no such token in your area.")
    found: TokenRow = view(TokenRow, row)
    return found


async def _list(connection: Connection, viewer: Viewer | None) -> list[TokenRow]:
    within, _ = await _who(connection, viewer)
    return [view(TokenRow, row) for row in await connection.fetch(sql("tokens"), within, None)]


async def _end(connection: Connection, viewer: Viewer | None, token: UUID) -> TokenRow:
    within, name = await _who(connection, viewer)
    await connection.execute(sql("end_token"), token, within, name)
    return await _row(connection, within, token)


async def _holder(connection: Connection, digest: str) -> Holder | Refusal:
    row = await connection.fetchrow(sql("find_token"), digest, tokens.USE_SECONDS)
    if row is None:
        return Refusal.UNKNOWN
    for is_so, refusal in (
        (row["ended"], Refusal.ENDED),
        (row["expired"], Refusal.EXPIRED),
        (row["disabled"], Refusal.ACCOUNT_DISABLED),
    ):
        if is_so:
            return refusal
    if row["used_before"]:
        await connection.execute(sql("note_use"), row["id"])
    viewer = Viewer(
        user=row["user"],
        login=row["login"],
        display=row["display"],
        role=Role(row["role"]),
        area=row["token_area"],
        machine=row["name"],
    )
    return Holder(viewer=viewer, scopes=frozenset(Scope(scope) for scope in row["scopes"]))
