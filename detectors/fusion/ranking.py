"""How probable it is that an officer will find an alert true: learned by each county from its officers' verdicts."""

import math
from collections.abc import Mapping

from msgspec import Struct, field

from detectors.fusion.logistic import VERSION as WEIGHTS_VERSION
from detectors.fusion.logistic import OnlineLogistic, logit_of, probability

VERSION = 1
OFFSET = "offset"
LEAST_CHANCE = 0.001
"""Nothing is impossible and nothing certain: a chance of 0 could never be revised."""
STEEPEST, FLATTEST = 2.0, 0.3
"""How far the recalibration may stretch or shrink logits: on few verdicts it must not make certainty of a tendency."""
BELIEVED = 2.0
"""The recalibrated chance is told once the verdicts are e² (7) times as probable under it as under the model's own: the
prequential likelihood ratio (Dawid 1984, doi 10.2307/2981683). Recalibrating always made good chances worse."""
MOST_BELIEVED = 6.0
"""The ratio's logarithm stays within this, either way: what was right for years must not take years to be given up."""


class Weights(Struct):
    """A logistic regression in plain numbers."""

    version: int = WEIGHTS_VERSION
    weights: dict[str, float] = {}
    variances: dict[str, float] = {}


class RankingState(Struct):
    """What a county's ranking has learned: `verdicts` it learned from, and how much better recalibration did (nats)."""

    version: int = VERSION
    verdicts: int = 0
    better: float = 0.0
    model: Weights = field(default_factory=Weights)
    recalibration: Weights = field(default_factory=Weights)


class Promise(Struct, array_like=True):
    """What was expected of an alert when it spoke: the features, the model's own chance, and the chance that was told."""

    features: dict[str, float]
    raw: float
    chance: float
    told: bool


class Ranking:
    """Gives alerts their chance; deterministic: the same verdicts in the same order give the same chances."""

    def __init__(self, state: RankingState | None = None) -> None:
        """Begin with the base rates of the categories, or go on from a state; ValueError for one of another version."""
        state = state or RankingState()
        if state.version != VERSION:
            raise ValueError(f"version {state.version} of a ranking is not {VERSION}")
        self.verdicts = state.verdicts
        self._better = state.better
        self._model = OnlineLogistic(offset=OFFSET)
        self._recalibration = OnlineLogistic(offset=OFFSET)
        for learner, weights in ((self._model, state.model), (self._recalibration, state.recalibration)):
            learner.restore(
                {
                    "version": weights.version,
                    "weights": weights.weights,
                    "variances": weights.variances,
                }
            )

    def promise(self, base_rate: float, features: Mapping[str, float]) -> Promise:
        """Tell what to expect of an alert with these features; `base_rate` is its category's, in (0, 1)."""
        known = {**features, OFFSET: logit_of(base_rate)}
        raw = _inside(probability(self._model.logit_one(known)))
        chance = self._recalibrated(raw) if self.is_recalibrated else raw
        return Promise(known, raw, chance, told=self.verdicts > 0)

    def learn(self, promise: Promise, *, true: bool) -> None:
        """Learn a verdict from the alert's features as they were when it spoke."""
        again = self._recalibrated(promise.raw)
        gain = _log_loss(promise.raw, true=true) - _log_loss(again, true=true)
        self._better = min(max(self._better + gain, -MOST_BELIEVED), MOST_BELIEVED)
        self._recalibration.learn_one(_stretch(promise.raw), int(true))
        self._model.learn_one(promise.features, int(true))
        self.verdicts += 1

    @property
    def is_recalibrated(self) -> bool:
        """Say whether chances are told as the recalibration has them."""
        return self._better > BELIEVED

    @property
    def weights(self) -> dict[str, float]:
        """Tell the weight of each feature, in logits; plus or minus 0.7 doubles or halves the odds."""
        return dict(self._model.weights)

    def dump(self) -> RankingState:
        """Write what was learned as plain numbers."""
        return RankingState(
            verdicts=self.verdicts,
            better=self._better,
            model=Weights(weights=dict(self._model.weights), variances=dict(self._model.variances)),
            recalibration=Weights(
                weights=dict(self._recalibration.weights), variances=dict(self._recalibration.variances)
            ),
        )

    def _recalibrated(self, raw: float) -> float:
        """Stretch and shift the logit (Platt 1999), within bounds."""
        own = logit_of(raw)
        learned = self._recalibration.logit_one(_stretch(raw)) - own
        steep = min(max(1.0 + self._recalibration.weights.get("slope", 0.0), FLATTEST), STEEPEST)
        shift = learned - self._recalibration.weights.get("slope", 0.0) * own
        return _inside(probability(own * steep + shift))


def _stretch(raw: float) -> dict[str, float]:
    """Give the features of the recalibration: a shift, and a stretch beyond that of the logit itself."""
    own = logit_of(raw)
    return {OFFSET: own, "shift": 1.0, "slope": own}


def _inside(chance: float) -> float:
    """Round a chance, and keep it off 0 and 1."""
    return round(min(max(chance, LEAST_CHANCE), 1.0 - LEAST_CHANCE), 6)


def _log_loss(chance: float, *, true: bool) -> float:
    return -math.log(chance if true else 1.0 - chance)
