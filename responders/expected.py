"""What a scenario expected of those who took part, what came of it, and how that compares with earlier drills."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from msgspec import Struct, structs

from config.drills import Action, Expectation
from domain.inputs import AwareTime
from responders.review import CaseFile, Kept, end_of, judge, when


class Expected(Struct, frozen=True, kw_only=True):
    """An expected action of a scenario and what came of it, in minutes from the alert; None while there is none."""

    alert: str
    action: Action
    within: float
    since: AwareTime | None
    minutes: float | None
    kept: Kept
    earlier: int = 0
    """How many earlier drills of the scenario it is compared with."""
    last: float | None = None
    median: float | None = None
    """Minutes in the last one, and the median of all that did it."""


def expect(
    expectations: Iterable[Expectation],
    began: Mapping[str, datetime],
    files: Mapping[str, CaseFile],
    now: datetime,
    *,
    over: bool,
) -> tuple[Expected, ...]:
    """Tell what came of the expected actions; alerts by their names in the scenario, `over` when the drill has ended."""
    result = []
    for one in expectations:
        since, file = began.get(one.alert), files.get(one.alert)
        at = when(one.action, file, since) if since is not None and file is not None else None
        due = None if since is None else since + timedelta(minutes=one.within)
        ended_at = end_of(file) if file is not None else None
        unknown = one.action is Action.FIRST_REPORT and file is not None and file.reports is None
        if due is None:
            kept = Kept.NONE if over else Kept.OPEN
        elif unknown:
            kept = Kept.NONE
        else:
            kept = judge(due, at, now, ended_at or (now if over else None))
        minutes = None if at is None or since is None else (at - since).total_seconds() / 60
        result.append(
            Expected(
                alert=one.alert, action=one.action, within=one.within, since=since, minutes=minutes, kept=kept
            )
        )
    return tuple(result)


def compare(present: Iterable[Expected], earlier: Sequence[Iterable[Expected]]) -> tuple[Expected, ...]:
    """Put beside each expected action what earlier drills of the scenario came to, newest first.

    The median is of those in which it was done at all. An action that an earlier version of the scenario did not expect
    counts as one drill fewer.
    """
    result = []
    before = [{(one.alert, one.action): one for one in drill} for drill in earlier]
    for one in present:
        same = [drill[one.alert, one.action] for drill in before if (one.alert, one.action) in drill]
        done = [each.minutes for each in same if each.minutes is not None]
        result.append(
            structs.replace(
                one,
                earlier=len(same),
                last=same[0].minutes if same else None,
                median=median(done) if done else None,
            )
        )
    return tuple(result)
