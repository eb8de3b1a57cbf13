"""Closed sets that every part of the platform shares: domains, classes, levels and grades."""

from enum import IntEnum, StrEnum


class Domain(StrEnum):
    """What kind of risk a category belongs to."""

    ENVIRONMENT = "environment"
    HEALTH = "health"
    STABILITY = "stability"
    SAFETY = "safety"


class EventClass(StrEnum):
    """The four statutory classes of emergencies (GB/T 35561-2017)."""

    NATURAL_DISASTER = "natural-disaster"
    ACCIDENT = "accident"
    PUBLIC_HEALTH = "public-health"
    SOCIAL_SECURITY = "social-security"


class Level(IntEnum):
    """Warning level 蓝黄橙红; a higher number is a higher risk."""

    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def slug(self) -> str:
        """Name the level in lower case, as in reports, addresses and style sheets."""
        return self.name.lower()


class Grade(IntEnum):
    """Grade of an incident Ⅰ特别重大 Ⅱ重大 Ⅲ较大 Ⅳ一般; a lower number is graver."""

    I = 1  # noqa: E741  the standard's own name
    II = 2
    III = 3
    IV = 4


def proposed_grade(level: Level) -> Grade:
    """Propose a grade from a warning level: 蓝→Ⅳ 黄→Ⅲ 橙→Ⅱ 红→Ⅰ; an officer decides."""
    return Grade(5 - level)


class Feed(StrEnum):
    """The ways by which input comes in."""

    READINGS = "readings"
    TICKETS = "tickets"
    REPORTS = "reports"
    BULLETINS = "bulletins"
