"""Detectors and thresholds on trial: what they find is put on record beside the alerts and weighs nothing."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct, structs

from detectors.fusion.case import is_news
from detectors.fusion.levels import Kind, kind_of, rarity_of
from detectors.fusion.memory import Record
from domain.areas import covers, township_of
from domain.findings import Finding

BESIDE = timedelta(hours=24)
"""A finding on trial belongs to an alert of its category and place that was open so long before or after."""
REMEMBERED = timedelta(days=8)
"""As long as other findings: the broker keeps them for seven days and may send them again."""
MOST_TRIALS = 300
"""Findings on trial of one county; beyond, the oldest is counted as it stands and forgotten."""
MOST_NAMES = 50


class Rule(Struct, frozen=True):
    """What is on trial: a detector, or what it finds below a rarity; `text` is how the settings say it."""

    text: str
    detector: str
    below: float | None = None


class Trial(Struct):
    """A finding on trial: of whom, when it was first heard (county time), and whether an alert stood beside it."""

    finding: Finding
    rule: str
    category: str
    seen_at: datetime
    joined: bool = False
    counted: bool = False

    def is_beside(self, record: Record, now: datetime) -> bool:
        """Say whether it fell together with an alert in category, place and time."""
        if record.category != self.category:
            return False
        finding = self.finding
        places = {township_of(place) for place in (finding.area, *finding.places)}
        if not any(covers(place, record.place) or covers(record.place, place) for place in places):
            return False
        end = record.spoken_at if record.is_over else now
        began, ended = (
            finding.period_start,
            max(finding.observed_at, finding.period_end or finding.observed_at),
        )
        return began - BESIDE <= end and record.opened_at <= ended + BESIDE


class Trials(Struct):
    """The findings on trial of one county, and how often each rule spoke with no alert beside it."""

    open: dict[str, Trial] = {}
    alone: dict[str, int] = {}

    def take(
        self, finding: Finding, rule: str, category: str, records: Iterable[Record], now: datetime
    ) -> bool:
        """Take in a finding on trial; says whether it was news."""
        key = f"{finding.id}/{category}"
        known = self.open.get(key)
        if not is_news(finding, known.finding if known else None):
            return False
        if known is None:
            known = self.open[key] = Trial(finding, rule, category, now)
        known.finding = finding
        for record in records:
            self._join(known, record, now)
        while len(self.open) > MOST_TRIALS:
            self._count(self.open.pop(min(self.open, key=lambda name: (self.open[name].seen_at, name))))
        return True

    def beside(self, record: Record, now: datetime) -> list[Finding]:
        """List the findings that stand beside an alert, and put their names on its record; newest first."""
        found = [trial for trial in self.open.values() if self._join(trial, record, now)]
        found.sort(key=lambda trial: (trial.finding.observed_at, trial.finding.id), reverse=True)
        return [trial.finding for trial in found]

    def tick(self, now: datetime) -> bool:
        """Count what stayed alone and forget what is over; says whether a count or the memory changed."""
        changed = False
        for key, trial in list(self.open.items()):
            ended = max(trial.seen_at, trial.finding.period_end or trial.seen_at)
            if not trial.counted and now - ended > BESIDE:
                self._count(trial)
                changed = True
            if now - ended > REMEMBERED:
                del self.open[key]
                changed = True
        return changed

    def _join(self, trial: Trial, record: Record, now: datetime) -> bool:
        if not trial.is_beside(record, now):
            return False
        trial.joined = True
        if trial.rule not in record.trials:
            record.trials.append(trial.rule)
        return True

    def _count(self, trial: Trial) -> None:
        if (
            not trial.counted
            and not trial.joined
            and (trial.rule in self.alone or len(self.alone) < MOST_NAMES)
        ):
            self.alone[trial.rule] = self.alone.get(trial.rule, 0) + 1
        trial.counted = True


def read_rules(texts: Iterable[str]) -> tuple[Rule, ...]:
    """Read what the settings put on trial: `NAME`, or `NAME<RARITY`; their form was checked when they were loaded."""
    rules = []
    for text in texts:
        detector, sign, below = text.partition("<")
        rules.append(Rule(text, detector, float(below) if sign else None))
    return tuple(rules)


def on_trial(finding: Finding, rules: Iterable[Rule]) -> str | None:
    """Name the rule that puts a finding on trial, None when nothing does; a detector may do so itself.

    Limits, phrases and bulletins are never on trial, whatever they are marked: they are told at once, or not said at all.
    """
    if kind_of(finding) not in (Kind.STATISTICAL, Kind.DEVICE):
        return None
    if finding.shadow:
        return finding.detector
    for rule in rules:
        if rule.detector == finding.detector and (rule.below is None or _is_below(finding, rule.below)):
            return rule.text
    return None


def _is_below(finding: Finding, rarity: float) -> bool:
    return finding.p_value is not None and rarity_of([finding]) < rarity


def marked(finding: Finding) -> Finding:
    """Mark a finding as one on trial."""
    return finding if finding.shadow else structs.replace(finding, shadow=True)
