"""A roster as somebody hands it in: rotations and single shifts, and what became of each desk."""

from dataclasses import dataclass
from enum import StrEnum

from responders.cases import Desk
from responders.rotations import Rotation
from responders.views import Shift


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a file says of desks.

    The rotations of a desk replace those that begin on the first one's day or later. Its shifts replace the shifts that
    begin between the first one's start and the last one's end; what has passed stays as it was.
    """

    rotations: tuple[Rotation, ...] = ()
    shifts: tuple[Shift, ...] = ()

    @property
    def desks(self) -> tuple[Desk, ...]:
        """Name the desks that the plan is about."""
        named: tuple[Rotation | Shift, ...] = (*self.rotations, *self.shifts)
        desks = {Desk(one.area, one.post) for one in named}
        return tuple(sorted(desks, key=lambda desk: (desk.area, desk.post)))


class What(StrEnum):
    """What became of a desk."""

    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Done:
    """What a plan did to a desk; `past` shifts of it are over and were left alone."""

    desk: Desk
    what: What
    rotations: int
    added: int
    removed: int
    past: int
