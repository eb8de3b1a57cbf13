"""Whose acknowledgement a case still needs; pure.

Most policies are content with one. A policy may ask for one of each of several levels, or of a number of different desks
(叫应: a call counts when it is answered). A level at which nobody is on duty cannot be waited for; it is waived.
"""

from dataclasses import dataclass
from uuid import UUID

from config.policies import TOWERS, Policy
from domain.areas import up_to
from responders.cases import Ack, Desk, Roster


@dataclass(frozen=True, slots=True)
class Wanting:
    """What is still missing: the levels, lowest first, or a number of desks more."""

    levels: tuple[str, ...] = ()
    desks: int = 0

    @property
    def nothing(self) -> bool:
        """Whether the case is acknowledged."""
        return not self.levels and not self.desks


def level_of(area: str) -> str:
    """Name the tower that an account of an area answers for; those below a township belong to it."""
    return next((name for name, digits in reversed(TOWERS.items()) if len(area) <= digits), "township")


def desk_at(policy: Policy, number: int, place: str, post: str) -> Desk | None:
    """Name the desk that a step pages; None when its tower lies below the place of the case.

    The last step always has one, that of the place itself if need be: nobody is left alone.
    """
    tower = TOWERS[policy.steps[number].level]
    if len(place) >= tower:
        return Desk(up_to(place, tower), post)
    return Desk(place, post) if number == len(policy.steps) - 1 else None


def wanting(policy: Policy, place: str, post: str, acks: tuple[Ack, ...], roster: Roster) -> Wanting:
    """Tell what is missing of the acknowledgements that a policy asks for."""
    there = {
        step.level
        for number, step in enumerate(policy.steps)
        if (desk := desk_at(policy, number, place, post)) is not None and roster.find(desk)
    }
    given = {ack.level for ack in acks}
    if policy.acknowledged_by:
        levels = tuple(
            level for level in policy.levels if level in policy.acknowledged_by and level in there - given
        )
        return Wanting(levels, 0 if acks or levels else 1)
    needed = min(policy.desks, max(len(there), 1))
    return Wanting((), max(needed - len({ack.desk for ack in acks}), 0))


def has_answered(acks: tuple[Ack, ...], level: str, user: UUID) -> bool:
    """Say whether a person, or a colleague at the same level, acknowledged: neither is paged again."""
    return any(ack.user == user or ack.level == level for ack in acks)
