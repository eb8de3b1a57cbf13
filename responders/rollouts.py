"""What new duties and policies would change before anybody rolls them out: whose work, who is paged when; pure."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from config.data import Data, Duty
from config.policies import TOWERS, Policy
from domain.areas import AreaLevel
from domain.levels import Grade
from responders import words


class DutyChange(Struct, frozen=True, kw_only=True):
    """A category that gets another owner: the desk before and after with level and minutes, where, and the open cases there.

    What is open keeps the desk that it has; `open_cases` tells how many there are to talk about.
    """

    category: str
    before: str
    after: str
    areas: tuple[str, ...]
    open_cases: int


class PolicyChange(Struct, frozen=True, kw_only=True):
    """A category and grade that climbs otherwise: before and after in words, and how many open cases keep what they have."""

    category: str
    grade: Grade
    before: str
    after: str
    open_cases: int


def compare_duties(
    before: Data, after: Data, areas: Mapping[str, str], cases: Mapping[tuple[str, str], int]
) -> list[DutyChange]:
    """Say for each category whose owner changes where that is; townships stand for what lies in them."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for slug in before.categories:
        for area in [code for code in areas if len(code) == AreaLevel.TOWNSHIP] or [""]:
            was, will_be = _owner(before, slug, area), _owner(after, slug, area)
            if was != will_be:
                found.setdefault((slug, was, will_be), []).append(area)
    return [
        DutyChange(
            category=slug,
            before=was,
            after=will_be,
            areas=tuple(areas.get(area, area) for area in places),
            open_cases=sum(
                count
                for (category, place), count in cases.items()
                if category == slug and any(place.startswith(area) for area in places)
            ),
        )
        for (slug, was, will_be), places in found.items()
    ]


def _owner(data: Data, category: str, area: str) -> str:
    return describe_duty(data.owner(category, area))


def describe_duty(duty: Duty) -> str:
    """Write an owner in one line: level, desk, minutes."""
    clock = "，工作时间" if duty.clock == "working" else ""
    return f"{words.TOWER[duty.level]}{words.post_name(duty.post)} {duty.due_minutes:g} min{clock}"


def compare_policies(before: Data, after: Data, cases: Mapping[tuple[str, int], int]) -> list[PolicyChange]:
    """Say for each category and grade that would climb otherwise how."""
    return list(_policy_changes(before, after, cases))


def _policy_changes(
    before: Data, after: Data, cases: Mapping[tuple[str, int], int]
) -> Iterator[PolicyChange]:
    for slug in before.categories:
        for grade in Grade:
            was, will_be = before.policy(slug, grade.value), after.policy(slug, grade.value)
            if was != will_be:
                yield PolicyChange(
                    category=slug,
                    grade=grade,
                    before=describe_policy(was),
                    after=describe_policy(will_be),
                    open_cases=cases.get((slug, grade.value), 0),
                )


def describe_policy(policy: Policy) -> str:
    """Write a policy in one line: entry, then each step with its waits and channels."""
    steps = " → ".join(
        f"{words.TOWER[step.level]} {f'{step.times}×' if step.times > 1 else ''}{step.wait_minutes:g} min"
        f" ({', '.join(step.channels)})"
        for step in policy.steps
    )
    return f"{policy.slug}: {words.TOWER[policy.entry]} ▸ {steps}"


def unstaffed(data: Data, areas: Sequence[str], desks: frozenset[tuple[str, str]]) -> list[tuple[str, str]]:
    """Name the desks (area, post) that duties give work to and that nobody's account sits at, general desks included.

    A post without an account falls to the general desk of its area, so only areas without that are a gap.
    """
    found = set()
    for area in areas:
        for duty in data.duties:
            level = TOWERS[duty.level]
            if duty.area and not area.startswith(duty.area):
                continue
            if len(area) == level and not {(area, duty.post), (area, "")} & desks:
                found.add((area, duty.post))
    return sorted(found)
