"""Findings of all detectors about one category and place become one alert, with a level, evidence and a reason.

Up at once, down only after the category's hold time; a version only for a new level, a new state or a new kind of evidence,
and when an alert that was held back is told. Nothing depends on the order of findings but the alert's id (that of the
finding which raised it), and what is held back, which follows from what was told and judged before: of each finding the
newest word counts, and an old word that comes again changes nothing.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from config.data import Category
from config.settings import FusionSettings
from detectors.fusion.case import Case, Closed, County, Held, OpenAlert, begins_anew, changes_nothing, is_news
from detectors.fusion.clauses import NameOf, by_itself
from detectors.fusion.counties import Counties
from detectors.fusion.explanation import Facts, knows_nobody
from detectors.fusion.levels import Reason, is_weak, kind_of, level_of
from detectors.fusion.memory import OF_TRUTH
from detectors.fusion.shadow import marked, on_trial, read_rules
from detectors.fusion.speaking import Speaker, is_due
from detectors.fusion.steps import Step, next_step, take_step
from domain.areas import county_of, covers, township_of
from domain.findings import Alert, Calibration, Finding, SubjectKind
from domain.identity import alert_id
from domain.incidents import Disposition, Verdict
from domain.levels import Level

HELD_BACK = timedelta(hours=24)
"""How long statistical findings of a place are not listened to after an officer found them false."""


class Fusion:
    """Fuses the findings of the counties of one partition. `now` is county time, and never goes back."""

    def __init__(
        self,
        categories: Mapping[str, Category],
        name_of: NameOf = by_itself,
        settings: FusionSettings | None = None,
        facts: Facts = knows_nobody,
    ) -> None:
        """Take the categories, how to call an area or a series, what alerts may cost, and whom to ask about neighbours."""
        settings = settings or FusionSettings()
        self._categories = categories
        self._speaker = Speaker(name_of, facts)
        self._rules = read_rules(settings.shadow)
        self._counties = Counties(settings)

    def apply(self, finding: Finding, now: datetime) -> list[Alert]:
        """Take in a finding; one of an unknown category is nobody's evidence, one on trial weighs nothing."""
        targets = [
            category
            for category in self._categories.values()
            if finding.category == category.slug or finding.category in category.raised_by
        ]
        return [alert for category in targets for alert in self._apply(category, finding, now)]

    def mark(self, finding: Finding) -> Finding:
        """Mark a finding that is on trial, for those who read it before it is applied."""
        return finding if self._rule_for(finding) is None else marked(finding)

    def tick(self, now: datetime) -> list[Alert]:
        """Do what time makes due: lower, clear, expire, tell what need not be held back any more, forget."""
        alerts = []
        for name, county in self._counties.known.items():
            for case in list(county.cases):
                alert = self._decide(name, case, now, now, by_time=True)
                alerts.extend([] if alert is None else [alert])
                self._tidy(name, county, case, now)
            if county.forget(now):
                self._counties.changed(name)
        for name, learned in self._counties.learned.items():
            if learned.trials.tick(now):
                self._counties.taught(name, calibrated=True)
        return alerts

    def dispose(self, disposition: Disposition, now: datetime) -> list[Alert]:
        """Learn an officer's verdict; what was false is not listened to for a while, limits and phrases always are.

        Who finds it true after all is listened to again at once.
        """
        name = disposition.county
        learned = self._counties.learned.get(name)
        is_news = learned is not None and learned.judge(disposition.alert, disposition.verdict)
        if is_news:
            self._counties.taught(name, calibrated=True)
        county = self._counties.known.get(name)
        if county is None or disposition.verdict not in OF_TRUTH:
            return []
        case = county.find(disposition.alert)
        is_false = disposition.verdict is Verdict.FALSE
        if case is None or not (is_false or (is_news and case.held_back_until is not None)):
            return []
        until = disposition.decided_at + HELD_BACK
        case.held_back_until = max(until, case.held_back_until or until) if is_false else None
        self._counties.changed(name)
        alert = self._decide(name, case, now, now)
        return [] if alert is None else [alert]

    def calibrations(self, now: datetime) -> list[Calibration]:
        """Hand out the calibrations that changed since the last time, one for each county."""
        return self._counties.calibrations(now)

    def open_alerts(self) -> list[tuple[UUID, str, str, Level]]:
        """List id, category, place and level of what is open, told or held back."""
        return [
            (case.alert.id, case.category, case.place, case.alert.level)
            for county in self._counties.known.values()
            for case in county.cases
            if case.alert is not None
        ]

    def dump(self) -> dict[str, bytes]:
        """Write what changed since the last dump: for each county what goes on, and what was learned."""
        return self._counties.dump()

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up written counties; InvalidInput when one is of another form."""
        self._counties.restore(pieces)

    def _rule_for(self, finding: Finding) -> str | None:
        """Name what puts a finding on trial; one that is evidence already stays so, else its end would not be heard."""
        rule = on_trial(finding, self._rules)
        county = self._counties.known.get(county_of(finding.area))
        if rule is None or county is None:
            return rule
        return None if any(finding.id in case.findings for case in county.cases) else rule

    def _apply(self, category: Category, finding: Finding, now: datetime) -> Iterator[Alert]:
        name, place = county_of(finding.area), township_of(finding.area)
        rule = self._rule_for(finding)
        if rule is not None:
            learned = self._counties.learn(name)
            records = learned.records.known.values()
            if learned.trials.take(marked(finding), rule, category.slug, records, now):
                self._counties.taught(name)
            return
        county = self._counties.open(name)
        case = county.case(category.slug, place)
        known = case.findings.get(finding.id)
        if not is_news(finding, known.finding if known else county.settled.get(finding.id)):
            return
        if begins_anew(category, case, finding, now):
            yield from self._end(name, case, now, finding.received_at)
        case.findings[finding.id] = Held(finding, known.seen_at if known else now)
        county.settled.pop(finding.id, None)
        self._counties.changed(name)
        if changes_nothing(category, case, finding, now):
            return  # what is over is tidied away at the next tick
        concerned = [case]
        if finding.subject_kind is SubjectKind.BULLETIN:  # what is open below hears of it too
            concerned += [
                other
                for other in county.cases
                if other is not case and other.category == category.slug and covers(place, other.place)
            ]
        for touched in concerned:
            alert = self._decide(name, touched, now, finding.received_at)
            if alert is not None:
                yield alert
        self._tidy(name, county, case, now)

    def _decide(
        self, name: str, case: Case, now: datetime, received_at: datetime, *, by_time: bool = False
    ) -> Alert | None:
        """Compare what holds with what was said; None when there is nothing to say."""
        category = self._categories.get(case.category)
        if category is None:
            return None
        county = self._counties.open(name)
        holding = case.holding(category, now)
        wider = county.wider(case, category, now) if holding else []
        judged = level_of(category, holding, wider)
        if judged is not None:
            holding = [*holding, *wider]
        kinds = {f"{kind_of(finding)}/{finding.feed}" for finding in holding if not is_weak(finding)}
        alert = case.alert
        if alert is None:
            if judged is None:
                return None
            step = Step.BEGINS
            case.alert = alert = _raise(county, case, judged, holding, now)
            alert.kinds = kinds
            self._counties.changed(name)
        else:
            step = next_step(alert, judged, kinds, category.hold_minutes, now)
            if take_step(alert, step, judged, kinds, now):
                self._counties.changed(name)
            if step is Step.WAITS or (step is Step.STAYS and not is_due(alert, now, by_time=by_time)):
                return None
        self._counties.changed(name)
        said = self._speaker.say(
            name,
            category,
            case,
            alert,
            step,
            holding,
            self._counties.learn(name),
            now=now,
            received_at=received_at,
        )
        if said is not None:
            self._counties.taught(name)
        if step is Step.ENDS:
            county.closed[alert.id] = Closed(alert.version, case.category, case.place, now, alert.told)
            case.alert = None
        return said

    def _end(self, name: str, case: Case, now: datetime, received_at: datetime) -> Iterator[Alert]:
        """Clear an alert whose hold time is over by event time, before the clock has come to it."""
        category = self._categories.get(case.category)
        if case.alert is not None and category is not None:
            case.alert.below_since = now - timedelta(minutes=category.hold_minutes)
            alert = self._decide(name, case, now, received_at)
            if alert is not None:
                yield alert

    def _tidy(self, name: str, county: County, case: Case, now: datetime) -> None:
        category = self._categories.get(case.category)
        if category is not None and county.tidy(case, category, now):
            self._counties.changed(name)


def _raise(
    county: County, case: Case, judged: tuple[Level, Reason], holding: list[Finding], now: datetime
) -> OpenAlert:
    own = [finding for finding in holding if finding.id in case.findings and not is_weak(finding)]
    first = min(own, key=lambda finding: (case.findings[finding.id].seen_at, finding.id))
    identity = alert_id(first.id)
    closed = county.closed.pop(identity, None)
    return OpenAlert(
        identity,
        closed.version if closed else 0,
        *judged,
        opened_at=now,
        kinds=set(),
        told=closed is not None and closed.told,
    )
