"""Findings of all detectors about one category and place become one alert, with a level, evidence and a reason.

Up at once, down only after the category's hold time; a version only for a new level, a new state or a new kind of evidence.
Nothing depends on the order of findings but the alert's id (that of the finding which raised it): of each finding the
newest word counts, and an old word that comes again changes nothing.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from config.data import Category
from detectors.fusion.alerts import build_alert
from detectors.fusion.case import (
    VERSION,
    Case,
    Closed,
    County,
    Held,
    OpenAlert,
    Word,
    is_live,
    is_news,
)
from detectors.fusion.levels import Reason, is_flat, kind_of, level_of
from detectors.fusion.sentences import NameOf, by_itself
from domain.areas import county_of, covers, township_of
from domain.errors import Fault, InvalidInput
from domain.findings import Alert, AlertChange, Finding, FindingState, SubjectKind
from domain.identity import alert_id
from domain.incidents import Disposition, Verdict
from domain.levels import Level

HELD_BACK = timedelta(hours=24)
"""How long statistical findings of a place are not listened to after an officer found them false."""
MOST_KEPT = 60
"""Findings that are over and kept for an open alert: a flapping device must not fill the memory."""
REMEMBERED = timedelta(days=8)
"""Findings and alerts that are over; longer than the broker keeps findings."""


class Fusion:
    """Fuses the findings of the counties of one partition. `now` is county time, and never goes back."""

    def __init__(self, categories: Mapping[str, Category], name_of: NameOf = by_itself) -> None:
        """Take the categories, and how to call an area or a series in a sentence."""
        self._categories = categories
        self._name_of = name_of
        self._counties: dict[str, County] = {}
        self._changed: set[str] = set()

    def apply(self, finding: Finding, now: datetime) -> list[Alert]:
        """Take in a finding; one of an unknown category is nobody's evidence."""
        targets = [
            category
            for category in self._categories.values()
            if finding.category == category.slug or finding.category in category.raised_by
        ]
        return [alert for category in targets for alert in self._apply(category, finding, now)]

    def tick(self, now: datetime) -> list[Alert]:
        """Do what time makes due: lower, clear, expire, forget."""
        alerts = []
        for name, county in self._counties.items():
            for case in list(county.cases):
                alert = self._decide(name, case, now, now)
                alerts.extend([] if alert is None else [alert])
                self._tidy(name, case, now)
            self._forget(name, now)
        return alerts

    def dispose(self, disposition: Disposition, now: datetime) -> list[Alert]:
        """Learn an officer's verdict: what was false is not listened to for a while, limits and phrases always are."""
        county = self._counties.get(disposition.county)
        if county is None or disposition.verdict is not Verdict.FALSE:
            return []
        for case in county.cases:
            if case.alert is not None and case.alert.id == disposition.alert:
                break
        else:
            closed = county.closed.get(disposition.alert)
            if closed is None:
                return []
            case = county.case(closed.category, closed.place)
        until = disposition.decided_at + HELD_BACK
        case.held_back_until = max(until, case.held_back_until or until)
        self._changed.add(disposition.county)
        alert = self._decide(disposition.county, case, now, now)
        return [] if alert is None else [alert]

    def open_alerts(self) -> list[tuple[UUID, str, str, Level]]:
        """List id, category, place and level of what is open."""
        return [
            (case.alert.id, case.category, case.place, case.alert.level)
            for county in self._counties.values()
            for case in county.cases
            if case.alert is not None
        ]

    def dump(self) -> dict[str, bytes]:
        """Write the counties that changed since the last dump, a piece each."""
        changed, self._changed = self._changed, set()
        return {name: msgspec.msgpack.encode(self._counties[name]) for name in sorted(changed)}

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Take up written counties; InvalidInput when one is of another form."""
        for name, piece in pieces.items():
            try:
                county = msgspec.msgpack.decode(piece, type=County)
            except msgspec.DecodeError as error:
                raise InvalidInput([Fault(name, f"is no state of a fusion: {error}")]) from error
            if county.version != VERSION:
                raise InvalidInput([Fault(name, f"version {county.version} is not {VERSION}")])
            self._counties[name] = county

    def _apply(self, category: Category, finding: Finding, now: datetime) -> Iterator[Alert]:
        name, place = county_of(finding.area), township_of(finding.area)
        county = self._counties.setdefault(name, County())
        case = county.case(category.slug, place)
        known = case.findings.get(finding.id)
        if not is_news(finding, known.finding if known else county.settled.get(finding.id)):
            return
        if _begins_anew(category, case, finding, now):
            yield from self._end(name, case, now, finding.received_at)
        case.findings[finding.id] = Held(finding, known.seen_at if known else now)
        county.settled.pop(finding.id, None)
        self._changed.add(name)
        if _changes_nothing(category, case, finding, now):
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
        self._tidy(name, case, now)

    def _decide(self, name: str, case: Case, now: datetime, received_at: datetime) -> Alert | None:
        """Compare what holds with what was said; None when there is nothing to say."""
        category = self._categories.get(case.category)
        if category is None:
            return None
        holding = case.holding(category, now)
        wider = self._wider(name, case, category, now) if holding else []
        judged = level_of(category, holding, wider)
        if judged is not None:
            holding = [*holding, *wider]
        kinds = {f"{kind_of(finding)}/{finding.feed}" for finding in holding}
        alert = case.alert
        if alert is None:
            if judged is None:
                return None
            case.alert = alert = self._raise(name, case, judged, holding, now)
            alert.kinds = kinds
            change = AlertChange.RAISED
        elif judged is not None and judged[0] >= alert.level:
            if alert.below_since is not None:
                alert.below_since = None
                self._changed.add(name)
            if judged[0] == alert.level and kinds <= alert.kinds:
                return None
            alert.level, alert.reason = judged
            alert.kinds |= kinds
            alert.version += 1
            change = AlertChange.CHANGED
        else:
            if alert.below_since is None:
                alert.below_since = now
                self._changed.add(name)
            if now - alert.below_since < timedelta(minutes=category.hold_minutes):
                return None
            alert.version += 1
            alert.below_since = None
            change = AlertChange.CLEARED if judged is None else AlertChange.CHANGED
            alert.reason = Reason.EVIDENCE_GONE
            if judged is not None:
                alert.level, alert.reason = judged[0], Reason.EVIDENCE_WEAKER
        self._changed.add(name)
        said = build_alert(
            category,
            name,
            case,
            alert,
            change,
            holding,
            now=now,
            received_at=received_at,
            name_of=self._name_of,
        )
        if change is AlertChange.CLEARED:
            self._counties[name].closed[alert.id] = Closed(alert.version, case.category, case.place, now)
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

    def _raise(
        self, name: str, case: Case, judged: tuple[Level, Reason], holding: list[Finding], now: datetime
    ) -> OpenAlert:
        own = [finding for finding in holding if finding.id in case.findings]
        first = min(own, key=lambda finding: (case.findings[finding.id].seen_at, finding.id))
        identity = alert_id(first.id)
        closed = self._counties[name].closed.pop(identity, None)
        return OpenAlert(identity, closed.version + 1 if closed else 1, *judged, opened_at=now, kinds=set())

    def _wider(self, name: str, case: Case, category: Category, now: datetime) -> list[Finding]:
        """List the bulletins for wider areas: they weigh where there is evidence, and raise nothing by themselves."""
        return [
            finding
            for other in self._counties[name].cases
            if other.category == case.category
            and other.place != case.place
            and covers(other.place, case.place)
            for finding in other.holding(category, now)
            if finding.subject_kind is SubjectKind.BULLETIN
        ]

    def _tidy(self, name: str, case: Case, now: datetime) -> None:
        """Settle what is over but the newest evidence of an open alert; drop cases that hold nothing."""
        county, category = self._counties[name], self._categories.get(case.category)
        if category is None:
            return
        gone_by = sorted(case.over(category, now), key=lambda gone: case.findings[gone].finding.observed_at)
        for gone in gone_by if case.alert is None else gone_by[:-MOST_KEPT]:
            finding = case.findings.pop(gone).finding
            county.settled[gone] = Word(finding.observed_at, finding.received_at, finding.state, now)
            self._changed.add(name)
        if (
            not case.findings
            and case.alert is None
            and (case.held_back_until is None or case.held_back_until <= now)
        ):
            county.cases.remove(case)
            self._changed.add(name)

    def _forget(self, name: str, now: datetime) -> None:
        county = self._counties[name]
        for memory in (county.settled, county.closed):
            for old in [key for key, kept in memory.items() if now - kept.at > REMEMBERED]:
                del memory[old]
                self._changed.add(name)


def _changes_nothing(category: Category, case: Case, finding: Finding, now: datetime) -> bool:
    """Say whether a word can change nothing: one finding more or less where any one of them gives the only level.

    When a network goes dark a thousand devices fall silent at once; judging the case again for each would take a thousand
    times a thousand steps, and stop everything else for as long.
    """
    alert = case.alert
    if alert is None or alert.below_since is not None or case.held_back_until or not is_flat(category):
        return False
    if finding.state is FindingState.CLEARED:
        return any(is_live(held, category, now) for held in case.findings.values())
    return f"{kind_of(finding)}/{finding.feed}" in alert.kinds


def _begins_anew(category: Category, case: Case, finding: Finding, now: datetime) -> bool:
    """Say whether a finding belongs to another happening than the open alert tells of.

    What that told of was over, by event time, for longer than the hold time when this one began: so it is in a backlog or
    a replay, which comes faster than the clock goes.
    """
    if case.alert is None or finding.state is FindingState.CLEARED or not case.findings:
        return False
    newest = max(held.finding.observed_at for held in case.findings.values())
    return finding.period_start - newest > timedelta(minutes=category.hold_minutes) and not case.holding(
        category, now
    )
