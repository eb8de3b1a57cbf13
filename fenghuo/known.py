"""What the database knows that a file must agree with."""

import asyncio

from config.settings import Settings

GIVE_UP_SECONDS = 10.0


def known_areas(settings: Settings) -> tuple[str, ...]:
    """List the area codes of the database; none where the settings name no database. DatabaseUnavailable after a while."""
    if not settings.database.dsn:
        return ()
    return asyncio.run(_read(settings.database.dsn.value))


async def _read(dsn: str) -> tuple[str, ...]:
    from responders.store import Store

    async with Store.open(dsn, 1, give_up_seconds=GIVE_UP_SECONDS) as store:
        return tuple(area.code for area in await store.areas())
