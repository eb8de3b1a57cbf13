"""Connections to PostgreSQL: opening with patience, and our own errors instead of the driver's.

The only file that imports asyncpg, which ships no types: `Connection` says what we use of it.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

import asyncpg  # type: ignore[import-untyped]  # ships no types
import structlog

from domain.errors import Conflict, DatabaseUnavailable, Fault, InvalidConfiguration, InvalidInput

log = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")
Record = Mapping[str, Any]

LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the connection was cut in the moment in which it was used
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
"""What the driver raises when the database is away, going down, starting, or full."""

WRONG = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.exceptions.ClientConfigurationError,
)
"""What it raises when the name of the database, the user or the password is wrong: waiting would not help."""

COLLIDED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
COMMAND_SECONDS = 60.0
"""A statement that takes longer is taken for a database that does not answer; the slowest real one takes about 2 s."""

KEPT_STATEMENTS = 500
"""More than there are queries: each is prepared once on a connection."""


class Connection(Protocol):
    """What we use of a connection."""

    async def execute(self, query: str, *args: Any) -> str:
        """Run a statement; answers its tag, such as `INSERT 0 3`."""

    async def executemany(self, query: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each list of arguments."""

    async def fetch(self, query: str, *args: Any) -> list[Record]:
        """Read all rows."""

    async def fetchrow(self, query: str, *args: Any) -> Record | None:
        """Read the first row."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """Read the first column of the first row."""

    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[Any]], columns: Sequence[str]
    ) -> str:
        """Write many rows by COPY."""

    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None:
        """LISTEN on a channel."""

    def add_termination_listener(self, callback: Callable[..., None]) -> None:
        """Be called when the connection ends."""

    def transaction(
        self, *, isolation: str | None = None, readonly: bool = False
    ) -> AbstractAsyncContextManager[None]:
        """Begin a transaction that is committed, or on an error rolled back, on leaving."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  the driver's own name
        """Close in good order, or cut it after a timeout."""


def _arguments(dsn: str) -> dict[str, Any]:
    return {
        "dsn": dsn,
        "timeout": 10.0,
        "command_timeout": COMMAND_SECONDS,
        "statement_cache_size": KEPT_STATEMENTS,
        "server_settings": {"application_name": "fenghuo", "timezone": "UTC"},
    }


async def connect(dsn: str) -> Connection:
    """Open one connection outside the pool; the caller closes it. Errors as everywhere in the store."""
    with_errors = _guard(asyncpg.connect(**_arguments(dsn)))
    return cast(Connection, await with_errors)


async def _guard(opening: Awaitable[T]) -> T:
    try:
        return await opening
    except WRONG as error:
        raise InvalidConfiguration([Fault("database.dsn", f"is refused: {type(error).__name__}")]) from error
    except ValueError as error:  # the driver could not read the address; its message may quote the password
        raise InvalidConfiguration([Fault("database.dsn", "is not an address of a database")]) from error
    except LOST as error:
        raise DatabaseUnavailable from error


@asynccontextmanager
async def open_pool(dsn: str, size: int, give_up_seconds: float | None) -> AsyncIterator["Database"]:
    """Open a pool when the database answers, waiting between attempts; close it on leaving."""
    pool = await _open_patiently(dsn, size, give_up_seconds)
    try:
        yield Database(dsn, pool)
    finally:
        try:
            await asyncio.wait_for(pool.close(), 5)
        except (TimeoutError, *LOST):
            pool.terminate()


async def _open_patiently(dsn: str, size: int, give_up_seconds: float | None) -> Any:
    loop = asyncio.get_running_loop()
    started = loop.time()
    pause = 0.1
    lost = False
    while True:
        try:
            # min_size 1: the first connection proves that the database answers
            pool = await _guard(
                asyncpg.create_pool(**_arguments(dsn), min_size=1, max_size=size, reset=_leave_as_it_is)
            )
        except DatabaseUnavailable:
            if give_up_seconds is not None and loop.time() - started + pause > give_up_seconds:
                raise
            if not lost:
                log.warning("database_unavailable")
                lost = True
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, 5.0)
        else:
            if lost:
                log.info("database_back")
            return pool


async def _leave_as_it_is(connection: Any) -> None:
    """Reset nothing when a connection goes back: all that we do to one ends with its transaction (a round trip saved)."""


class Database:
    """A pool that runs functions of a connection, each in one transaction."""

    def __init__(self, dsn: str, pool: Any) -> None:
        """Take an open pool; `dsn` is for the one connection that listens."""
        self.dsn = dsn
        self._pool = pool

    async def run(
        self, work: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run the work in a transaction that is committed when it returns; collisions are tried again.

        Cancelled in the middle, the transaction is rolled back.
        """
        for _ in range(5):
            try:
                async with self._pool.acquire(timeout=30) as connection, connection.transaction():
                    return await work(cast(Connection, connection), *args, **kwargs)
            except COLLIDED:
                continue
            except (*LOST, asyncpg.DataError) as error:
                raise _ours(error) from error
        raise Conflict("太多人同时修改，请重试。 Too many changes at once, please try again.")

    async def read(
        self, work: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run the work on one unchanging view of the database, which it may not change."""
        try:
            async with (
                self._pool.acquire(timeout=30) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                return await work(cast(Connection, connection), *args, **kwargs)
        except (*LOST, asyncpg.DataError) as error:
            raise _ours(error) from error


def _ours(error: Exception) -> DatabaseUnavailable | InvalidInput | AssertionError:
    """Tell a value that no column can hold, and a mistake of ours, from a database that is away."""
    if isinstance(error, asyncpg.DataError | ValueError):
        return InvalidInput([Fault("value", f"cannot be stored: {type(error).__name__}")])
    if isinstance(error, asyncpg.InterfaceError) and "clos" not in str(error):
        return AssertionError(f"the driver is used wrongly: {error}")  # waiting would not help
    return DatabaseUnavailable()
