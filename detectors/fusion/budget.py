"""How many alerts officers are told of: a budget for each county and week, spent on those expected to be worth most.

Pure functions of what was told before. Only what rests on statistics alone comes here; limits, phrases and bulletins are
told whatever the budget says.
"""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from domain.levels import Level

WEEK = timedelta(days=7)
WEEKS = 4
"""So many weeks before now say what is usual: which worth it takes to be among those that the budget has room for."""
MOST_KEPT = 400
"""Of four weeks; beyond, the oldest that was held back is forgotten first, and never what this week's budget went to."""
WORTH_OF = {Level.BLUE: 1.0, Level.YELLOW: 2.0, Level.ORANGE: 4.0, Level.RED: 8.0}
"""What a true alert of each level is worth to those who hear of it in time: twice as much a level."""


class Spent(Struct, array_like=True):
    """An alert that asked for room: when it first did, how grave it is, its worth, and whether officers were told.

    `displaced` is one that was told and had to give its room to a graver one: it cannot be taken back, but no longer counts.
    """

    alert: UUID
    at: datetime
    level: Level
    worth: float
    told: bool = False
    displaced: bool = False


def worth_of(chance: float, level: Level) -> float:
    """Tell what an alert is expected to be worth: its chance times the weight of its level."""
    return chance * WORTH_OF[level]


class Ledger(Struct):
    """What asked for room in a county in the last four weeks, oldest first; blue has room of its own."""

    entries: list[Spent] = []

    def find(self, alert: UUID) -> Spent | None:
        """Find what is known of an alert."""
        return next((entry for entry in self.entries if entry.alert == alert), None)

    def has_room(self, alert: UUID, level: Level, worth: float, budget: int, now: datetime) -> bool:
        """Say whether an alert is to be told.

        While the week has room, one that is among the most worthy of the last four weeks, as many as the budget has room
        for in four weeks; until so many have asked, any. When it has none, one that is graver than the least that was told.
        """
        kin = [
            entry
            for entry in self.entries
            if (entry.level > Level.BLUE) == (level > Level.BLUE) and entry.alert != alert
        ]
        counted = [entry for entry in kin if entry.told and not entry.displaced and now - entry.at < WEEK]
        lowest = min((entry.level for entry in counted), default=level)
        if level > lowest:
            return True
        if len(counted) >= budget:
            return False
        rivals = sorted((entry.worth for entry in kin if now - entry.at < WEEK * WEEKS), reverse=True)
        room = budget * WEEKS
        return len(rivals) < room or worth >= rivals[room - 1]

    def enter(
        self, alert: UUID, level: Level, worth: float, budget: int, now: datetime, *, told: bool
    ) -> None:
        """Write down what became of an alert that asked; one that was told stays told, and displaces when room lacked."""
        entry = self.find(alert)
        if entry is None:
            entry = Spent(alert, now, level, worth)
            self.entries.append(entry)
        if told and not entry.told:
            entry.at, entry.told = now, True  # the week counts from when officers heard of it
        entry.level, entry.worth = level, worth
        counted = [
            other
            for other in self.entries
            if (other.level > Level.BLUE) == (level > Level.BLUE)
            and other.told
            and not other.displaced
            and now - other.at < WEEK
        ]
        if entry.told and len(counted) > budget:
            least = min(counted, key=lambda other: (other.level, other.worth, other.at, other.alert))
            least.displaced = least is not entry
        self._forget(now)

    def _forget(self, now: datetime) -> None:
        self.entries = [entry for entry in self.entries if now - entry.at < WEEK * WEEKS]
        over = len(self.entries) - MOST_KEPT
        if over > 0:
            dropped = sorted(
                (entry for entry in self.entries if not entry.told or now - entry.at >= WEEK),
                key=lambda entry: (entry.told, entry.at, entry.alert),
            )[:over]
            names = {entry.alert for entry in dropped}
            self.entries = [entry for entry in self.entries if entry.alert not in names]
