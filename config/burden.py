"""What people may be burdened with before the burden meter says so: data, by role."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from domain.errors import Fault

Count = Annotated[int, Meta(ge=1)]
ROLES = ("grid", "officer", "commander")


class Budget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The budget of an account of a role for one day, and for ten minutes (`peak`, messages)."""

    role: Literal["grid", "officer", "commander"]
    messages: Count
    taps: Count
    forms: Count
    peak: Count
    source: str


def check_budgets(budgets: Sequence[Budget]) -> Iterator[Fault]:
    """Find roles without a budget, or with two."""
    there: Counter[str] = Counter(budget.role for budget in budgets)
    for role in ROLES:
        if there[role] != 1:
            yield Fault("budget", f"{role} has {there[role]} budgets, needs one")
