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

    `level` is the highest that was told, `first` the one that was told first. `displaced` is one above blue that had to give
    its room to a graver one: it cannot be taken back, but no longer counts.
    """

    alert: UUID
    at: datetime
    level: Level
    worth: float
    told: bool = False
    displaced: bool = False
    first: Level | None = None

    def asks_beside(self, level: Level) -> bool:
        """Say whether it takes room of the same budget as one of that level.

        One that was told as blue and rose takes room of both: officers hear of its rise in any case, since it is theirs
        already, and what it took of the blue ones' week stays taken.
        """
        return self.level > Level.BLUE if level > Level.BLUE else (self.first or self.level) is Level.BLUE

    def counts(self, level: Level, now: datetime) -> bool:
        """Say whether it takes room of the week before now, beside one of that level."""
        is_there = self.told and now - self.at < WEEK and not (self.displaced and level > Level.BLUE)
        return is_there and self.asks_beside(level)


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
        kin = [entry for entry in self.entries if entry.asks_beside(level) and entry.alert != alert]
        counted = [entry for entry in kin if entry.counts(level, now)]
        lowest = min((entry.level for entry in counted), default=level)
        if level > lowest:  # never so for blue, which is no graver than anything
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
        entry.level = max(entry.level, level) if entry.told else level
        entry.worth = worth
        if told and not entry.told:
            entry.at, entry.told, entry.first = (
                now,
                True,
                level,
            )  # the week counts from when officers heard of it
        counted = [other for other in self.entries if other.counts(level, now)]
        if entry.told and level > Level.BLUE and len(counted) > budget:
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
