"""How probable it is that an officer will find an alert true: learned by each county from its officers' verdicts."""

import math
from collections.abc import Mapping

from msgspec import Struct, field

from detectors.fusion.logistic import VERSION as WEIGHTS_VERSION
from detectors.fusion.logistic import OnlineLogistic, logit_of, probability

VERSION = 1
OFFSET, BIAS = "offset", "bias"
LEAST_CHANCE = 0.001
"""Nothing is impossible and nothing certain: a chance of 0 could never be revised."""
FORGET = 0.99
"""Of the trust, with each verdict: what was right for years must not take years to be given up."""
MOST_TRUST = 6.0
"""Logits; a few hundred times as much, either way, is as good as all."""


class Weights(Struct):
    """A logistic regression in plain numbers."""

    version: int = WEIGHTS_VERSION
    weights: dict[str, float] = {}
    variances: dict[str, float] = {}


class RankingState(Struct):
    """What a county's ranking has learned: from how many verdicts, both models, and how far evidence is trusted (logits)."""

    version: int = VERSION
    verdicts: int = 0
    trust: float = 0.0
    evidence: Weights = field(default_factory=Weights)
    share: Weights = field(default_factory=Weights)


class Promise(Struct, array_like=True):
    """What was expected of an alert when it spoke: by its evidence, by the county's share alone, and what was told of both.

    `told` is False while nothing was learned: then `chance` is the category's base rate, and not told.
    """

    features: dict[str, float]
    by_evidence: float
    by_share: float
    chance: float
    told: bool


class Ranking:
    """Gives alerts their chance; deterministic: the same verdicts in the same order give the same chances.

    Two models learn side by side: one from all features, one only the share that is true. The chance is their mean, weighted
    by how well each foretold the verdicts so far, with forgetting (dynamic model averaging: McCormick et al. 2012, doi
    10.1111/j.1541-0420.2011.01645.x). So chances are recalibrated as verdicts come: where evidence promises more than it
    keeps, they draw near the county's share.
    """

    def __init__(self, state: RankingState | None = None) -> None:
        """Begin with the base rates of the categories, or go on from a state; ValueError for one of another version."""
        state = state or RankingState()
        if state.version != VERSION:
            raise ValueError(f"version {state.version} of a ranking is not {VERSION}")
        self.verdicts = state.verdicts
        self._trust = state.trust
        self._evidence = _learner(state.evidence)
        self._share = _learner(state.share)

    def promise(self, base_rate: float, features: Mapping[str, float]) -> Promise:
        """Tell what to expect of an alert with these features; `base_rate` is its category's, in (0, 1)."""
        known = {**features, OFFSET: logit_of(base_rate)}
        by_evidence = _inside(probability(self._evidence.logit_one(known)))
        by_share = _inside(probability(self._share.logit_one(_shared(known))))
        weight = self.trust
        chance = _inside(weight * by_evidence + (1.0 - weight) * by_share)
        return Promise(known, by_evidence, by_share, chance, told=self.verdicts > 0)

    def learn(self, promise: Promise, *, true: bool) -> None:
        """Learn a verdict from the alert's features as they were when it spoke."""
        gain = _log(promise.by_evidence, true=true) - _log(promise.by_share, true=true)
        self._trust = min(max(FORGET * self._trust + gain, -MOST_TRUST), MOST_TRUST)
        self._evidence.learn_one(promise.features, int(true))
        self._share.learn_one(_shared(promise.features), int(true))
        self.verdicts += 1

    @property
    def trust(self) -> float:
        """Say how much weight evidence has in the chance, in (0, 1); the rest is the county's share. Begins at a half."""
        return probability(self._trust)

    @property
    def weights(self) -> dict[str, float]:
        """Tell the weight of each feature, in logits; plus or minus 0.7 doubles or halves the odds."""
        return dict(self._evidence.weights)

    def dump(self) -> RankingState:
        """Write what was learned as plain numbers."""
        return RankingState(
            verdicts=self.verdicts,
            trust=self._trust,
            evidence=_written(self._evidence),
            share=_written(self._share),
        )


def _learner(state: Weights) -> OnlineLogistic:
    learner = OnlineLogistic(offset=OFFSET)
    learner.restore({"version": state.version, "weights": state.weights, "variances": state.variances})
    return learner


def _written(learner: OnlineLogistic) -> Weights:
    return Weights(weights=dict(learner.weights), variances=dict(learner.variances))


def _shared(features: Mapping[str, float]) -> dict[str, float]:
    """Leave only what all alerts have in common."""
    return {name: features[name] for name in (OFFSET, BIAS) if name in features}


def _inside(chance: float) -> float:
    """Round a chance, and keep it off 0 and 1."""
    return round(min(max(chance, LEAST_CHANCE), 1.0 - LEAST_CHANCE), 6)


def _log(chance: float, *, true: bool) -> float:
    return math.log(chance if true else 1.0 - chance)
