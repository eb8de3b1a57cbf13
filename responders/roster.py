"""Who is on duty at a desk, from its shifts and the people who stand in for others; pure.

A shift is what the plan says, a stand-in what was agreed on afterwards. Whoever stands in for somebody may be stood in for
himself: the arrangement is kept by whose duty it was at first, so that finding who is on duty takes one step, never a chain.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Span:
    """A person's time on duty, from `starts_at` up to `ends_at`, which is not in it."""

    user: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class StandIn:
    """Whenever `away` would be on duty in this time, `instead` is."""

    away: UUID
    instead: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody is on duty."""

    starts_at: datetime
    ends_at: datetime


def on_duty(shifts: Iterable[Span], stand_ins: Collection[StandIn], at: datetime) -> tuple[UUID, ...]:
    """Say who is on duty at an instant, each once, in the order of the shifts."""
    instead = {one.away: one.instead for one in stand_ins if one.starts_at <= at < one.ends_at}
    there = [shift.user for shift in shifts if shift.starts_at <= at < shift.ends_at]
    return tuple(dict.fromkeys(instead.get(user, user) for user in there))


def effective(shifts: Iterable[Span], stand_ins: Collection[StandIn]) -> list[Span]:
    """Say who is on duty when: the shifts with everybody who stands in put in his place, in order of time."""
    spans: list[Span] = []
    for shift in shifts:
        rest = shift.starts_at
        others = [one for one in stand_ins if one.away == shift.user]
        for one in sorted(others, key=lambda other: other.starts_at):
            first, last = max(one.starts_at, rest), min(one.ends_at, shift.ends_at)
            if first < last:
                if rest < first:
                    spans.append(Span(shift.user, rest, first))
                spans.append(Span(one.instead, first, last))
                rest = last
        if rest < shift.ends_at:
            spans.append(Span(shift.user, rest, shift.ends_at))
    return sorted(spans, key=lambda span: (span.starts_at, span.ends_at, span.user))


def times_of(spans: Iterable[Span], user: UUID, since: datetime, until: datetime) -> list[Gap]:
    """Give the times in a stretch in which a person is on duty, those that meet put together."""
    return _merged(
        Gap(max(span.starts_at, since), min(span.ends_at, until)) for span in spans if span.user == user
    )


def is_there_throughout(spans: Iterable[Span], user: UUID, since: datetime, until: datetime) -> bool:
    """Say whether a person is on duty in the whole of a stretch of time."""
    return times_of(spans, user, since, until) == [Gap(since, until)]


def gaps(spans: Iterable[Span], since: datetime, until: datetime) -> Iterator[Gap]:
    """Find the times in a stretch in which nobody is on duty."""
    rest = since
    for covered in _merged(Gap(max(span.starts_at, since), min(span.ends_at, until)) for span in spans):
        if rest < covered.starts_at:
            yield Gap(rest, covered.starts_at)
        rest = covered.ends_at
    if rest < until:
        yield Gap(rest, until)


def put_in(
    stand_ins: Iterable[StandIn], away: UUID, instead: UUID, since: datetime, until: datetime
) -> list[StandIn]:
    """Let one person take over whatever another one has to do in a stretch of time, own duties and those he stands in for.

    Where he would only give a duty back to whose it was, the arrangement ends instead. What others stand in for him already
    stays with them.
    """
    after: list[StandIn] = []
    covered: list[Gap] = []
    for one in stand_ins:
        first, last = max(one.starts_at, since), min(one.ends_at, until)
        if one.away == away and first < last:
            covered.append(Gap(first, last))
        if one.instead != away or first >= last:
            after.append(one)
            continue
        if one.starts_at < first:
            after.append(replace(one, ends_at=first))
        if one.away != instead:
            after.append(StandIn(one.away, instead, first, last))
        if last < one.ends_at:
            after.append(replace(one, starts_at=last))
    own = gaps((Span(away, gap.starts_at, gap.ends_at) for gap in covered), since, until)
    after += [StandIn(away, instead, gap.starts_at, gap.ends_at) for gap in own]
    return sorted(after, key=lambda one: (one.away, one.starts_at))


def _merged(stretches: Iterable[Gap]) -> list[Gap]:
    """Put together what overlaps or meets; what has no length is left out."""
    merged: list[Gap] = []
    for one in sorted(
        (one for one in stretches if one.starts_at < one.ends_at), key=lambda each: each.starts_at
    ):
        if merged and one.starts_at <= merged[-1].ends_at:
            merged[-1] = Gap(merged[-1].starts_at, max(merged[-1].ends_at, one.ends_at))
        else:
            merged.append(one)
    return merged
