"""Names for things, derived from their cause, so that doing it twice is doing it once (DESIGN.md, Identity)."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

NAMESPACE = UUID("7d1b7c5e-9a0f-5f7e-8f5d-2f6b0f1c9901")
"""Never change it: every stored id hangs on it."""


def derived_id(kind: str, *cause: object) -> UUID:
    """Make the UUIDv5 of a kind and its cause; parts are joined by a character that no part may hold."""
    return uuid5(NAMESPACE, "\x1f".join((kind, *map(str, cause))))


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("an id needs an aware time")
    return at.astimezone(UTC).isoformat()


def reading_id(series: str, observed_at: datetime) -> UUID:
    """Name a reading by its series and the time of observation (aware)."""
    return derived_id("reading", series, _instant(observed_at))


def input_id(feed: str, source: str, own_id: str) -> UUID:
    """Name a ticket, report or bulletin by its source and the id that the source gave it."""
    return derived_id(feed, source, own_id)


def finding_id(detector: str, version: int, subject: str, period_start: datetime) -> UUID:
    """Name a finding by who says it, of what, and since when."""
    return derived_id("finding", detector, version, subject, _instant(period_start))


def alert_id(first_finding: UUID) -> UUID:
    """Name an alert by the finding that raised it."""
    return derived_id("alert", first_finding)


def incident_id(cause: UUID) -> UUID:
    """Name an incident by its alert, or by the request of the officer who opened it by hand."""
    return derived_id("incident", cause)


def task_id(incident: UUID, unit: str, number: int) -> UUID:
    """Name a task by its incident, the unit that gets it, and its number there."""
    return derived_id("task", incident, unit, number)


def page_id(incident: UUID, step: int, loop: int, recipient: str, channel: str) -> UUID:
    """Name a page so that one step sends it to one person over one channel at most once."""
    return derived_id("page", incident, step, loop, recipient, channel)
