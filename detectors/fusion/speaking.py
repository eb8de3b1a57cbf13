"""What goes out of an alert's step: weighed by what was learned, explained, and written out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from config.data import Category
from detectors.fusion.alerts import build_alert, past
from detectors.fusion.case import Case, OpenAlert
from detectors.fusion.clauses import NameOf
from detectors.fusion.explanation import Facts, around_of, explain
from detectors.fusion.learning import Learned
from detectors.fusion.steps import Step
from domain.findings import Alert, AlertChange, Finding

ASKED_AGAIN = {True: timedelta(minutes=15), False: timedelta(minutes=1)}
"""How often an alert that is held back is weighed again though its level stays: by time alone, as the week's budget or the
model may have moved (True), and by words on its findings, of which a storm brings thousands (False)."""
CHANGES = {
    Step.BEGINS: AlertChange.RAISED,
    Step.STAYS: AlertChange.CHANGED,
    Step.GROWS: AlertChange.CHANGED,
    Step.FALLS: AlertChange.CHANGED,
    Step.ENDS: AlertChange.CLEARED,
}


class Speaker:
    """Writes versions of alerts; remembers nothing itself."""

    def __init__(self, name_of: NameOf, facts: Facts) -> None:
        """Take how to call an area or a series, and whom to ask about neighbours."""
        self._name_of = name_of
        self._facts = facts

    def say(
        self,
        county: str,
        category: Category,
        case: Case,
        alert: OpenAlert,
        step: Step,
        holding: Sequence[Finding],
        learned: Learned,
        *,
        now: datetime,
        received_at: datetime,
    ) -> Alert | None:
        """Write the version that a step asks for; None when it only asked whether to tell what is still held back.

        An alert that was told stays told. One that falls or ends while it is held back is not told for that.
        """
        around = around_of(self._facts, case.place, category.slug, holding, now)
        if step is Step.ENDS:
            learned.end(alert.id, now)
        else:
            weighed = learned.weigh(alert, category, case.place, holding, (len(around[0]), around[1]), now)
            alert.weighed_at = now
            if step is Step.STAYS and weighed.held_back is not None:
                return None
            if step is Step.FALLS and alert.held_back is not None:
                weighed = replace(weighed, held_back=alert.held_back)
            learned.speak(alert, category, case.place, holding, weighed, now)
        alert.version += 1
        record = learned.records.known.get(alert.id)
        findings = holding or past(case, holding)
        return build_alert(
            category,
            county,
            case,
            alert,
            CHANGES[step],
            holding,
            learned.trials.beside(record, now) if record else (),
            explain(findings, around, learned.records.precedent(record) if record else None),
            now=now,
            received_at=received_at,
            name_of=self._name_of,
        )


def is_due(alert: OpenAlert, now: datetime, *, by_time: bool) -> bool:
    """Say whether an alert is held back and is to be weighed again, by time alone or by a word on one of its findings."""
    if alert.held_back is None:
        return False
    return alert.weighed_at is None or now - alert.weighed_at >= ASKED_AGAIN[by_time]
