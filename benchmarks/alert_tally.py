"""What a method did over several county-weeks: alerts by what they were worth, events by whether they were found."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.results import Cell
from fenghuo.backtest.judged import Verdict
from fenghuo.demo.county import START
from fenghuo.demo.judging import FoundAlert, judge_events, touches
from fenghuo.demo.truth import Happening

COLUMNS = (
    "method",
    "false per county and week",
    "95 %",
    "above blue per week",
    "blue per week",
    "held back per week",
    "events found",
    "share true, %",
    "median lead, min",
)
"""Heads of the cells that `Tally.row` writes."""


@dataclass(slots=True)
class Tally:
    """What a method did over several runs; leads in minutes before an event's reference."""

    weeks: float = 0.0
    blue: int = 0
    above_blue: int = 0
    false: int = 0
    held_back: int = 0
    events: int = 0
    found: int = 0
    leads: list[float] = field(default_factory=list)
    by_kind: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add_verdict(self, verdict: Verdict) -> None:
        """Add a run of our own."""
        load = verdict.load
        self.weeks += verdict.weeks
        self.above_blue += load.above_blue
        self.blue += load.alerts - load.above_blue
        self.false += load.false or 0
        self.held_back += load.held_back
        for event in verdict.events or ():
            self._add_event(event.slug, event.found_at is not None, event.lead_minutes)

    def add_alerts(self, alerts: Sequence[FoundAlert], script: Sequence[Happening], weeks: float) -> None:
        """Add a run of a peer; its alerts all count as above blue."""
        worth = [one for one in script if one.kind == "event" or one.worth_an_alert]
        self.weeks += weeks
        self.above_blue += len(alerts)
        self.false += sum(not any(touches(alert, one, START) for one in worth) for alert in alerts)
        for event in judge_events(script, alerts, START):
            self._add_event(event.slug, event.found_at is not None, event.lead_minutes)

    def add(self, other: "Tally") -> None:
        """Add what the same method did over other weeks."""
        for name in ("weeks", "blue", "above_blue", "false", "held_back", "events", "found"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.leads += other.leads
        for kind, (there, seen) in other.by_kind.items():
            before = self.by_kind.get(kind, (0, 0))
            self.by_kind[kind] = (before[0] + there, before[1] + seen)

    def _add_event(self, slug: str, found: bool, lead: float | None) -> None:
        self.events += 1
        self.found += found
        if lead is not None:
            self.leads.append(lead)
        kind = slug.rpartition("-")[0]
        there, seen = self.by_kind.get(kind, (0, 0))
        self.by_kind[kind] = (there + 1, seen + found)

    @property
    def false_per_week(self) -> float:
        """Tell the false alerts above blue per county and week."""
        return self.false / self.weeks

    @property
    def bounds(self) -> tuple[float, float]:
        """Tell between what that rate lies with 95 %, the count being a Poisson's (exact limits)."""
        from scipy import stats  # type: ignore[import-untyped]  # comes with river

        low = stats.chi2.ppf(0.025, 2 * self.false) / 2 if self.false else 0.0
        return low / self.weeks, stats.chi2.ppf(0.975, 2 * self.false + 2) / 2 / self.weeks

    @property
    def share_true(self) -> float | None:
        """Tell the share of alerts above blue that were right."""
        return 1.0 - self.false / self.above_blue if self.above_blue else None

    def row(self, name: str) -> tuple[Cell, ...]:
        """Write one row of the tables."""
        low, high = self.bounds
        return (
            name,
            round(self.false_per_week, 3),
            f"{low:.2f}–{high:.2f}",
            round(self.above_blue / self.weeks, 3),
            round(self.blue / self.weeks, 3),
            round(self.held_back / self.weeks, 3),
            f"{self.found} of {self.events}" if self.events else None,
            None if self.share_true is None or not self.events else round(100 * self.share_true, 1),
            round(median(self.leads)) if self.leads else None,
        )
