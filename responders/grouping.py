"""Where a new alert belongs: in a case of its own, in an open one of the same key, or in a closed one that recurs; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from config.grouping import Grouping
from domain.incidents import OPEN_STATES, IncidentState


class Placement(StrEnum):
    """What becomes of a new alert, and why."""

    JOINS = "joins"
    RECURS = "recurs"
    FIRST = "first_of_its_key"
    FULL = "group_is_full"
    OVER = "group_is_over"
    LONG_CLOSED = "closed_too_long_ago"
    NOT_CLOSED = "ended_without_being_closed"  # a false alarm says nothing of the next alert
    NOTHING_NEW = "cleared_when_first_heard_of"


@dataclass(frozen=True, slots=True)
class Group:
    """The case that the newest alert of a key belongs to; `ended_at` is when it was closed last, if it is."""

    incident: UUID
    since: datetime
    members: int
    state: IncidentState
    ended_at: datetime | None


def place_alert(
    group: Group | None, rule: Grouping, raised_at: datetime, now: datetime, *, cleared: bool
) -> Placement:
    """Say where an alert belongs whose first version was raised at a time; bounds are included.

    The group's window begins with its first alert and is never moved on, so that a case does not swallow what comes days
    later; one that was raised before the first of the group, and came late, is as far from it as one after.
    """
    if group is None:
        return Placement.FIRST
    if group.state in OPEN_STATES:
        if group.members >= rule.members:
            return Placement.FULL
        within = abs(raised_at - group.since) <= timedelta(minutes=rule.minutes)
        return Placement.JOINS if within else Placement.OVER
    if group.state not in (IncidentState.CLOSED, IncidentState.REVIEWED) or group.ended_at is None:
        return Placement.NOT_CLOSED
    if cleared:
        return Placement.NOTHING_NEW
    return Placement.RECURS if is_recent(group.ended_at, now, rule.recurs_days) else Placement.LONG_CLOSED


def is_recent(ended_at: datetime, now: datetime, days: float) -> bool:
    """Say whether something ended at most so many days ago; 0 days is never."""
    return days > 0 and now - ended_at <= timedelta(days=days)
