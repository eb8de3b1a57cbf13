"""How tasks are brought up again that are far beyond their time (催办): data, and what is wrong with it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from config.policies import TOWERS, URGENT, Clock
from domain.errors import Fault


class Reminder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a task of some grades is brought up again once it is beyond 150 % of its time, and how far up.

    Every `every_minutes` its unit hears of it, and with it one level above: each level `rounds` times, then the one above
    that, up to `highest`, which goes on hearing of it until the task ends. Nobody on duty there: the next level up.
    """

    grades: Annotated[tuple[Annotated[int, Meta(ge=1, le=4)], ...], Meta(min_length=1)]
    every_minutes: Annotated[float, Meta(ge=5)]
    clock: Clock = "natural"
    rounds: Annotated[int, Meta(ge=1, le=100)] = 1
    highest: str = "province"
    source: str = ""


def check_reminders(reminders: Sequence[Reminder]) -> Iterator[Fault]:
    """Find grades without a rule or with two, unknown levels, and grave tasks whose reminders would rest at night."""
    grades = Counter(grade for reminder in reminders for grade in reminder.grades)
    yield from (
        Fault("reminder", f"grade {grade} is there {grades[grade]} times, must be once")
        for grade in range(1, 5)
        if grades[grade] != 1
    )
    for number, reminder in enumerate(reminders):
        place = f"reminder[{number}]"
        if reminder.highest not in TOWERS:
            yield Fault(f"{place}.highest", f"must be one of {', '.join(TOWERS)}")
        urgent = sorted(URGENT.intersection(reminder.grades))
        if urgent and reminder.clock == "working":
            told = " and ".join(map(str, urgent))
            yield Fault(f"{place}.clock", f"must be natural: grade {told} stops for no night")
