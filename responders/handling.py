"""How cases were handled, counted for a report: climbs by level, pleas of units, hand-overs, reports of the law."""

from msgspec import Struct


class HandOvers(Struct, frozen=True, kw_only=True):
    """Hand-overs counted: `in_time` were signed before anybody was paged, `replaced` never before the next one."""

    total: int = 0
    signed: int = 0
    in_time: int = 0
    paged_both: int = 0
    told_above: int = 0
    replaced: int = 0


class Reporting(Struct, frozen=True, kw_only=True):
    """Reports that the law asks for, counted by how it stands with them; `ended` are owed no more without being made."""

    total: int = 0
    in_time: int = 0
    late: int = 0
    missed: int = 0
    running: int = 0
    ended: int = 0


class Handling(Struct, frozen=True, kw_only=True):
    """What is counted; `escalations` by the level that was told, `pleas` by kind and outcome."""

    escalations: dict[str, int]
    pleas: dict[str, dict[str, int]]
    hand_overs: HandOvers
    reports: Reporting
