"""How cases were handled, counted in SQL."""

from collections import defaultdict

import msgspec

from config.policies import TOWERS
from responders.handling import Handling, HandOvers, Reporting
from responders.store.pool import Connection
from responders.store.queries import sql


async def count_handling(connection: Connection) -> Handling:
    """Count how cases were handled."""
    levels = {int(digits): level for level, digits in TOWERS.items()}
    climbs = {row["digits"]: row["count"] for row in await connection.fetch(sql("climbs_by_level"))}
    pleas: dict[str, dict[str, int]] = defaultdict(dict)
    for row in await connection.fetch(sql("pleas_by_outcome")):
        pleas[row["kind"]][row["outcome"]] = row["count"]
    hand_overs = await connection.fetchrow(sql("hand_overs_counted"))
    reports = await connection.fetchrow(sql("reports_counted"))
    return Handling(
        escalations={level: climbs.get(digits, 0) for digits, level in levels.items()},
        pleas=dict(pleas),
        hand_overs=msgspec.convert(dict(hand_overs or {}), HandOvers),
        reports=msgspec.convert(dict(reports or {}), Reporting),
    )
