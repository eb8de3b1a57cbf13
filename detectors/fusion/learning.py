"""What a county has learned from its officers, and what follows for an alert: its chance, and whether it is held back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct, field

from config.data import Category
from config.settings import FusionSettings
from detectors.fusion.budget import Ledger, worth_of
from detectors.fusion.calibration import calibration_of
from detectors.fusion.case import OpenAlert
from detectors.fusion.features import features_of
from detectors.fusion.levels import Kind, kind_of
from detectors.fusion.memory import OF_TRUTH, Record, Records
from detectors.fusion.ranking import Promise, Ranking, RankingState
from detectors.fusion.shadow import Trials
from domain.errors import Fault, InvalidInput
from domain.findings import Calibration, Finding, HeldBack
from domain.incidents import Verdict
from domain.levels import Level

VERSION = 1
LOOKED_AT = 10
"""Of alerts that their chance would hold back, each tenth is told all the same: else nobody would ever find out that the
model is wrong, or that times have changed, since nobody judges what nobody sees."""
HIGHEST_BY_CHANCE = Level.YELLOW
"""Orange and red are never held back by their chance: several streams agree, and few such verdicts were learned from."""


class LearnedState(Struct):
    """What a county has learned, as it is written down."""

    version: int = VERSION
    ranking: RankingState = field(default_factory=RankingState)
    records: Records = field(default_factory=Records)
    ledger: Ledger = field(default_factory=Ledger)
    trials: Trials = field(default_factory=Trials)
    below_floor: int = 0


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is to be said of an alert: without a promise it rests on more than statistics, and is never held back."""

    promise: Promise | None
    held_back: HeldBack | None
    is_below_floor: bool = False


class Learned:
    """The ranking, the remembered alerts, the week's budget and the findings on trial of one county."""

    def __init__(self, settings: FusionSettings, state: LearnedState | None = None) -> None:
        """Begin with nothing learned, or go on from a state; ValueError for one of another version."""
        state = LearnedState() if state is None else state
        if state.version != VERSION:
            raise ValueError(f"version {state.version} of what was learned is not {VERSION}")
        self._settings = settings
        self.ranking = Ranking(state.ranking)
        self.records = state.records
        self.ledger = state.ledger
        self.trials = state.trials
        self._below_floor = state.below_floor

    def weigh(
        self,
        alert: OpenAlert,
        category: Category,
        place: str,
        holding: Sequence[Finding],
        around: tuple[int, int],
        now: datetime,
    ) -> Weighed:
        """Tell an alert's chance and whether it is to be held back; changes nothing.

        One that officers were told of is never held back afterwards. `around` counts neighbours that move along, and
        neighbours that see nothing.
        """
        if not may_be_held_back(holding):
            return Weighed(None, None)
        features = features_of(
            category.slug,
            place,
            alert.level,
            holding,
            (record for record in self.records.known.values() if record.alert != alert.id),
            nearby=around[0],
            quiet=around[1],
            now=now,
        )
        promise = self.ranking.promise(category.base_rate, features)
        if alert.told:
            return Weighed(promise, None)
        is_below = (
            self.ranking.verdicts >= self._settings.least_verdicts
            and alert.level <= HIGHEST_BY_CHANCE
            and promise.chance < self._settings.chance_floor
        )
        is_new = alert.id not in self.records.known
        if is_below and not (is_new and (self._below_floor + 1) % LOOKED_AT == 0):
            return Weighed(promise, HeldBack.CHANCE, is_below)
        worth = worth_of(promise.chance, alert.level)
        if self.ledger.has_room(alert.id, alert.level, worth, self._budget(alert.level), now):
            return Weighed(promise, None, is_below)
        return Weighed(promise, HeldBack.BUDGET, is_below)

    def speak(
        self,
        alert: OpenAlert,
        category: Category,
        place: str,
        holding: Iterable[Finding],
        weighed: Weighed,
        now: datetime,
    ) -> Record:
        """Write down that a version goes out as it was weighed; the alert knows its chance and reason afterwards."""
        if alert.id not in self.records.known and weighed.is_below_floor:
            self._below_floor += 1
        record = self.records.open(alert.id, category.slug, place, alert.level, alert.opened_at)
        record.level, record.spoken_at = alert.level, now
        record.detectors = sorted({*record.detectors, *(finding.detector for finding in holding)})
        alert.held_back = weighed.held_back
        alert.told = alert.told or weighed.held_back is None
        alert.chance = None
        if weighed.promise is not None:
            alert.chance = weighed.promise.chance if weighed.promise.told else None
            if record.verdict is None:
                record.promise = weighed.promise
            if weighed.held_back is not HeldBack.CHANCE:
                worth = worth_of(weighed.promise.chance, alert.level)
                self.ledger.enter(
                    alert.id, alert.level, worth, self._budget(alert.level), now, told=alert.told
                )
        return record

    def judge(self, alert: UUID, verdict: Verdict) -> bool:
        """Learn an officer's verdict; says whether it was news.

        True and false are labels; duplicate and drill are not, they say nothing of whether it was so. A verdict that comes
        again teaches nothing; one that is revised teaches what it says now, and the calibration counts it as it is now.
        """
        record = self.records.judge(alert, verdict)
        if record is None:
            return False
        if record.promise is not None and verdict in OF_TRUTH:
            self.ranking.learn(record.promise, true=verdict is Verdict.TRUE)
        return True

    def end(self, alert: UUID, now: datetime) -> None:
        """Write down that an alert is over."""
        record = self.records.known.get(alert)
        if record is not None:
            record.is_over, record.spoken_at = True, now

    def calibration(self, county: str, at: datetime) -> Calibration:
        """Compare what was promised with what was found."""
        return calibration_of(county, at, self.records.known.values(), self.trials.alone)

    def dump(self) -> bytes:
        """Write everything down as plain numbers and names."""
        return msgspec.msgpack.encode(
            LearnedState(
                ranking=self.ranking.dump(),
                records=self.records,
                ledger=self.ledger,
                trials=self.trials,
                below_floor=self._below_floor,
            )
        )

    def _budget(self, level: Level) -> int:
        return self._settings.budget_per_week if level > Level.BLUE else self._settings.blue_per_week


def read_learned(name: str, piece: bytes, settings: FusionSettings) -> Learned:
    """Take up what was written down; InvalidInput when it is of another form."""
    try:
        return Learned(settings, msgspec.msgpack.decode(piece, type=LearnedState))
    except (msgspec.DecodeError, ValueError) as error:
        raise InvalidInput([Fault(name, f"is not what a fusion has learned: {error}")]) from error


def may_be_held_back(holding: Sequence[Finding]) -> bool:
    """Say whether an alert rests on statistics alone: no legal limit, no critical phrase, no bulletin, no device's fault."""
    return bool(holding) and all(kind_of(finding) is Kind.STATISTICAL for finding in holding)
