"""Bring a database to the schema that this release knows: numbered SQL files, each applied once, under a lock."""

from importlib import resources

import structlog

from domain.errors import DatabaseUnavailable, Fault, InvalidConfiguration
from responders.store.pool import LOST, Connection, connect

log = structlog.get_logger()

LOCK = (990101, 0)
"""Key of the advisory lock; migrations of several processes wait for one another."""


def migrations() -> list[tuple[str, str]]:
    """List name and text of the migrations that this release brings, in order."""
    folder = resources.files("responders") / "migrations"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name
    )
    return [(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")) for file in files]


async def migrate(dsn: str) -> list[str]:
    """Apply what is missing and name it; nothing to do is an empty list.

    InvalidConfiguration when the database is newer than this release; DatabaseUnavailable when it does not answer.
    """
    connection = await connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1, $2)", *LOCK)
            return await _apply(connection)
    except LOST as error:
        raise DatabaseUnavailable from error
    finally:
        await connection.close(timeout=5)


async def _apply(connection: Connection) -> list[str]:
    await connection.execute(
        "create table if not exists migration (name text primary key, wall_at timestamptz not null default now())"
    )
    present = {row["name"] for row in await connection.fetch("select name from migration")}
    known = migrations()
    newer = sorted(present - {name for name, _ in known})
    if newer:
        raise InvalidConfiguration(
            [
                Fault(
                    "database",
                    f"is newer than this release, which does not know {', '.join(newer)}: upgrade Fenghuo",
                )
            ]
        )
    missing = [(name, text) for name, text in known if name not in present]
    for name, text in missing:
        await connection.execute(text)
        await connection.execute("insert into migration (name) values ($1)", name)
        log.info("migration_applied", migration=name)
    return [name for name, _ in missing]
