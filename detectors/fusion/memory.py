"""What a county remembers of its alerts: how they spoke, what was expected of them, and what officers found."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from detectors.fusion.ranking import Promise
from domain.areas import covers
from domain.incidents import Verdict
from domain.levels import Level

MOST_JUDGED = 200
MOST_WAITING = 200
"""Alerts with a verdict, and without one yet; beyond, the oldest is forgotten."""
LONGEST = timedelta(days=400)
"""A year and a month: what comes every spring is found again."""
OF_TRUTH = (Verdict.TRUE, Verdict.FALSE)
"""Duplicate and drill say nothing of whether what was told was so: they are no labels."""


class Record(Struct):
    """An alert as it is remembered. `promise` is of the newest version that rested on statistics alone, if one did.

    `detectors` and `trials` name all whose findings held while it was open, and all on trial that spoke beside it.
    """

    alert: UUID
    category: str
    place: str
    level: Level
    opened_at: datetime
    spoken_at: datetime
    detectors: list[str] = []
    trials: list[str] = []
    promise: Promise | None = None
    verdict: Verdict | None = None
    is_over: bool = False

    def like(self, category: str, place: str, level: Level, detectors: Iterable[str]) -> float:
        """Tell how much an alert of that kind is like this one, from 0; 0 for one of another category.

        The same township counts 3 and one of the same county 1, each step of the level takes half a point of one, shared
        detectors count up to 2, and 1 that officers said whether it was true.
        """
        if category != self.category:
            return 0.0
        ours, theirs = set(self.detectors), set(detectors)
        near = 3.0 if place == self.place else 2.0 if _within(place, self.place) else 1.0
        level_counts = max(0.0, 1.0 - 0.5 * abs(level - self.level))
        evidence = 2.0 * len(ours & theirs) / max(1, len(ours | theirs))
        return near + level_counts + evidence + (self.verdict in OF_TRUTH)


def _within(one: str, other: str) -> bool:
    return covers(one, other) or covers(other, one)


class Records(Struct):
    """The alerts of one county by their ids, in the order in which they opened."""

    known: dict[UUID, Record] = {}

    def open(self, alert: UUID, category: str, place: str, level: Level, opened_at: datetime) -> Record:
        """Find an alert's record or begin one; one that rises again goes on, with its verdict."""
        record = self.known.get(alert)
        if record is None:
            self._forget(opened_at)
            record = self.known[alert] = Record(alert, category, place, level, opened_at, opened_at)
            self._bound()
        record.is_over = False
        return record

    def precedent(self, own: Record) -> Record | None:
        """Find the earlier alert that was most like one; of equals the newest."""
        return max(
            (
                record
                for record in self.known.values()
                if record.alert != own.alert
                and record.category == own.category
                and (record.opened_at, record.alert) < (own.opened_at, own.alert)
            ),
            key=lambda record: (
                record.like(own.category, own.place, own.level, own.detectors),
                record.opened_at,
                record.alert,
            ),
            default=None,
        )

    def judge(self, alert: UUID, verdict: Verdict) -> Record | None:
        """Write down a verdict; None when the alert is not known any more, or the same was said before."""
        record = self.known.get(alert)
        if record is None or record.verdict is verdict:
            return None
        record.verdict = verdict
        self._bound()
        return record

    def _forget(self, now: datetime) -> None:
        """Forget what was over too long ago."""
        self.known = {
            name: record
            for name, record in self.known.items()
            if not record.is_over or now - record.spoken_at <= LONGEST
        }

    def _bound(self) -> None:
        """Keep so many of each sort; the ones that are over go before those that are open."""
        for judged, most in ((True, MOST_JUDGED), (False, MOST_WAITING)):
            kept = [record for record in self.known.values() if (record.verdict is not None) is judged]
            if len(kept) > most:
                kept.sort(key=lambda record: (not record.is_over, record.opened_at, record.alert))
                for record in kept[: len(kept) - most]:
                    del self.known[record.alert]
