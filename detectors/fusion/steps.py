"""What an alert does next: up at once, down only after the hold time, a version only for what is new."""

from datetime import datetime, timedelta
from enum import StrEnum

from detectors.fusion.case import OpenAlert
from detectors.fusion.levels import Reason
from domain.levels import Level


class Step(StrEnum):
    """What becomes of an alert when its evidence is judged again."""

    BEGINS = "begins"
    STAYS = "stays"
    GROWS = "grows"
    WAITS = "waits"  # less holds than was told, for less than the hold time
    FALLS = "falls"
    ENDS = "ends"


def next_step(
    alert: OpenAlert, judged: tuple[Level, Reason] | None, kinds: set[str], hold_minutes: float, now: datetime
) -> Step:
    """Decide what an alert does, by the level that holds now and the kinds of evidence behind it; changes nothing."""
    if judged is not None and judged[0] >= alert.level:
        return Step.STAYS if judged[0] == alert.level and kinds <= alert.kinds else Step.GROWS
    if now - (alert.below_since or now) < timedelta(minutes=hold_minutes):
        return Step.WAITS
    return Step.ENDS if judged is None else Step.FALLS


def take_step(
    alert: OpenAlert, step: Step, judged: tuple[Level, Reason] | None, kinds: set[str], now: datetime
) -> bool:
    """Bring an alert to where a step leads, without a new version; says whether anything in it changed."""
    before = alert.below_since
    match step:
        case Step.WAITS:
            alert.below_since = before or now
            return before is None
        case Step.STAYS:
            alert.below_since = None
            return before is not None
        case Step.GROWS if judged is not None:
            alert.level, alert.reason = judged
            alert.kinds |= kinds
        case Step.FALLS if judged is not None:
            alert.level, alert.reason = judged[0], Reason.EVIDENCE_WEAKER
        case _:
            alert.reason = Reason.EVIDENCE_GONE
    alert.below_since = None
    return True
