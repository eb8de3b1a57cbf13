"""A leak, a fair, and alerts about them: what tests of the back-test judge."""

from datetime import timedelta

from msgspec import structs

from domain.findings import Alert, AlertChange, HeldBack
from domain.identity import derived_id
from domain.levels import Domain, Level
from fenghuo.demo.county import START
from fenghuo.demo.truth import Happening

LEAK = Happening(
    slug="leak",
    kind="event",
    name="leak",
    domain=Domain.ENVIRONMENT,
    categories=("water-pollution",),
    areas=("990101101",),
    after_minutes=600,
    until_minutes=900,
    reference_minutes=660,
)
FAIR = structs.replace(
    LEAK, slug="fair", kind="distraction", categories=("noise-complaint",), areas=("990101102",)
)


def version(
    minutes: float,
    *,
    place: str = "990101101",
    category: str = "water-pollution",
    level: Level = Level.ORANGE,
    number: int = 1,
    held_back: HeldBack | None = None,
    opened: float | None = None,
) -> Alert:
    """One version of the alert of a category and place."""
    at = START + timedelta(minutes=minutes)
    return Alert(
        id=derived_id("alert", category, place, minutes if opened is None else opened),
        version=number,
        change=AlertChange.RAISED if number == 1 else AlertChange.CHANGED,
        domain=Domain.ENVIRONMENT,
        category=category,
        county="990101",
        place=place,
        level=level,
        reason="limit-broken",
        opened_at=START + timedelta(minutes=minutes if opened is None else opened),
        changed_at=at,
        received_at=at,
        evidence=(),
        zh="",
        en="",
        held_back=held_back,
    )
