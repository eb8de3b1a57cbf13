"""Grades of cases: proposed from the alert's level, decided by officers; pure.

A case may be made graver by whoever may act on it, and it is paged anew. Making it less grave takes a commander and a
reason, and stops no clock that the law has started.
"""

from collections.abc import Iterator

from domain.errors import Fault
from domain.levels import Grade, Level


def speaks_for_itself(level: Level, graded_level: int | None) -> bool:
    """Say whether an alert's level may still raise the grade: once an officer decided it, only a graver one than he saw."""
    return graded_level is None or level > graded_level


def objections(present: Grade, wanted: Grade, reason: str) -> Iterator[Fault]:
    """Say what speaks against a grade, who asks aside."""
    if wanted == present:
        yield Fault("grade", f"is {wanted.name} already")
    if wanted > present and not reason.strip():
        yield Fault("reason", "is missing: a less grave case needs one")


def needs_commander(present: Grade, wanted: Grade) -> bool:
    """Say whether only a commander may decide it: the number grows as a case becomes less grave."""
    return wanted > present
