"""How a case stands with those who are paged, read in SQL: who acknowledged, who still must, and what holds its pages."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from config.policies import Policy
from responders.acknowledging import Wanting, wanting
from responders.cases import Ack, Desk, Roster
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.store.registry import county_now, roster_for
from responders.views import AckRow, HeldView


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose acknowledgement a case asks for, and who gave one."""

    policy: Policy
    place: str
    post: str
    acks: tuple[Ack, ...]
    roster: Roster

    @property
    def missing(self) -> Wanting:
        """What is still missing."""
        return wanting(self.policy, self.place, self.post, self.acks, self.roster)


async def acks_of(connection: Connection, incident: UUID) -> tuple[Ack, ...]:
    """Read the acknowledgements of a case that count, in order."""
    return tuple(
        Ack(row["user_id"], Desk(row["area"], row["post"]), row["level"])
        for row in await connection.fetch(sql("acks"), incident)
    )


async def asked_of(connection: Connection, incident: UUID) -> Asked | None:
    """Read what a case asks for; None where one acknowledgement is enough."""
    row = await connection.fetchrow(sql("policy_of"), incident)
    if row is None:
        return None
    policy = msgspec.json.decode(row["policy"], type=Policy)
    if not policy.asks_for_several:
        return None
    roster = await roster_for(connection, row["place"], await county_now(connection))
    return Asked(policy, row["place"], row["post"], await acks_of(connection, incident), roster)


async def show_acks(connection: Connection, incident: UUID) -> tuple[tuple[AckRow, ...], tuple[str, ...]]:
    """Show who acknowledged a case, and the levels that still must."""
    rows = await connection.fetch(sql("ack_rows"), incident)
    asked = await asked_of(connection, incident)
    return (
        tuple(AckRow(level=row["level"], by=row["by"], at=row["at"], via=row["via"]) for row in rows),
        () if asked is None else asked.missing.levels,
    )


async def show_hold(connection: Connection, incident: UUID) -> HeldView | None:
    """Show what holds a case's pages back."""
    hold = await connection.fetchval(sql("held_of"), incident)
    return None if hold is None else msgspec.json.decode(hold, type=HeldView)
