"""Storms and quiet hours in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from config.pacing import Pacing, Quiet, pacing_of, quiet_faults
from domain.decode import convert
from domain.errors import InvalidInput, NotFound
from responders.pacing import is_storm
from responders.store.pool import Connection, Database
from responders.store.queries import sql


@dataclass(frozen=True, slots=True)
class Storm:
    """A storm in a county that began or ended; `cases` were opened there lately."""

    county: str
    began: bool
    cases: int


class Pacings:
    """The store's methods for storms and quiet hours; each is one transaction."""

    def __init__(self, database: Database) -> None:
        """Share the store's pool."""
        self._database = database

    async def watch_storms(self, rules: Sequence[Pacing]) -> list[Storm]:
        """Note which storms begin and end; each is answered to one worker only."""
        return await self._database.run(_watch_storms, rules)

    async def storms(self) -> set[str]:
        """Name the counties in a storm."""
        return await self._database.run(_storms)

    async def set_quiet_hours(self, login: str, starts: str, ends: str) -> None:
        """Let outside channels rest for an account between two times of the day (HH:MM, Asia/Shanghai).

        InvalidInput with all faults; NotFound when there is no such account. Grades I and II come all the same.
        """
        span = convert(Quiet, {"starts": starts, "ends": ends})
        if faults := [*quiet_faults(span, "quiet")]:
            raise InvalidInput(faults)
        await self._database.run(_set_quiet_hours, login, span)

    async def clear_quiet_hours(self, login: str) -> None:
        """Take an account's quiet hours away; NotFound when there is no such account."""
        await self._database.run(_clear_quiet_hours, login)


async def _storms(connection: Connection) -> set[str]:
    return {row["county"] for row in await connection.fetch(sql("storms"))}


async def _watch_storms(connection: Connection, rules: Sequence[Pacing]) -> list[Storm]:
    before = await _storms(connection)
    opened: dict[float, dict[str, int]] = {}
    for minutes in {one.storm_minutes for one in rules}:
        rows = await connection.fetch(sql("opened_lately"), minutes)
        opened[minutes] = {row["county"]: row["cases"] for row in rows}
    changed: list[Storm] = []
    for county in sorted({*before, *(county for counted in opened.values() for county in counted)}):
        own = pacing_of(rules, county)
        cases = opened[own.storm_minutes].get(county, 0)
        now = is_storm(county in before, cases, own)
        if now == (county in before):
            continue
        if await connection.fetchval(sql("begin_storm" if now else "end_storm"), county) is not None:
            changed.append(Storm(county, now, cases))
    return changed


async def _set_quiet_hours(connection: Connection, login: str, span: Quiet) -> None:
    user: UUID | None = await connection.fetchval(sql("set_quiet_hours"), login, span.starts, span.ends)
    if user is None:
        raise NotFound(f"没有账号 {login}。 There is no account {login}.")


async def _clear_quiet_hours(connection: Connection, login: str) -> None:
    if not await connection.fetchval(sql("clear_quiet_hours"), login):
        raise NotFound(f"没有账号 {login}。 There is no account {login}.")
