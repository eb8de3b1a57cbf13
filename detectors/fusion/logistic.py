"""A logistic regression for tens of verdicts a year: a Gaussian belief about each weight, moved verdict by verdict."""

import math
from collections.abc import Mapping
from typing import Any

from river import base

VERSION = 1
MOST_LOGIT = 30.0
"""Beyond it a float cannot tell the probability from 0 or 1."""


class OnlineLogistic(base.Classifier):
    """Tells how probable it is that `y` is true, from features about as large as 1; the weights begin at 0.

    `x[offset]`, a logit, is what is believed before anything was learned; it is added as it is. Each weight is a mean and a
    variance, moved as an extended Kalman filter with a diagonal covariance moves them: dynamic logistic regression
    (McCormick, Raftery, Madigan & Burd 2012, doi 10.1111/j.1541-0420.2011.01645.x). `forget` below 1 lets the variances
    of the features at hand grow again, so that old verdicts count less; never above the prior's.

    Fails where features are much larger than 1, and knows no interaction of features. Values that are no finite number are
    taken as 0; beyond `most` names no new one is learned.
    """

    def __init__(
        self, prior_variance: float = 0.2, forget: float = 0.998, offset: str = "offset", most: int = 200
    ) -> None:
        """Take the prior's variance of each weight, in logits squared, and how much of the past counts."""
        self.prior_variance = prior_variance
        self.forget = forget
        self.offset = offset
        self.most = most
        self.weights: dict[str, float] = {}
        self.variances: dict[str, float] = {}

    def logit_one(self, x: Mapping[Any, Any]) -> float:
        """Tell the logit; changes nothing."""
        known = sum(self.weights.get(name, 0.0) * value for name, value in self._features(x).items())
        offset = x.get(self.offset, 0.0)
        return _bounded(known + (offset if _is_number(offset) else 0.0))

    def predict_proba_one(self, x: Mapping[Any, Any], **_: Any) -> dict[base.typing.ClfTarget, float]:
        """Tell the probabilities of False and True; changes nothing."""
        chance = probability(self.logit_one(x))
        return {False: 1.0 - chance, True: chance}

    def learn_one(self, x: Mapping[Any, Any], y: Any, **_: Any) -> None:
        """Learn that `y` came of the features; what is neither true nor false teaches nothing."""
        if not isinstance(y, bool | int) or y not in (0, 1):
            return
        chance = probability(self.logit_one(x))
        features = {
            name: value
            for name, value in self._features(x).items()
            if value != 0.0 and (name in self.weights or len(self.weights) < self.most)
        }
        before = {
            name: min(self.variances.get(name, self.prior_variance) / self.forget, self.prior_variance)
            for name in features
        }
        news = chance * (1.0 - chance)  # Fisher's information in one verdict
        scale = 1.0 + news * sum(before[name] * value * value for name, value in features.items())
        for name, value in features.items():
            pull = before[name] * value / scale
            self.weights[name] = _bounded(self.weights.get(name, 0.0) + pull * (float(y) - chance))
            self.variances[name] = before[name] * (1.0 - news * pull * value)

    def dump(self) -> dict[str, Any]:
        """Write the state as plain numbers."""
        return {"version": VERSION, "weights": dict(self.weights), "variances": dict(self.variances)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up a written state; ValueError for another version, or for weights that are no numbers."""
        if state.get("version") != VERSION:
            raise ValueError(f"version {state.get('version')} of a ranking's weights is not {VERSION}")
        weights, variances = dict(state["weights"]), dict(state["variances"])
        if weights.keys() != variances.keys() or not all(
            map(_is_number, [*weights.values(), *variances.values()])
        ):
            raise ValueError("a ranking's weights and variances are not finite numbers of the same names")
        self.weights, self.variances = weights, variances

    def _features(self, x: Mapping[Any, Any]) -> dict[str, float]:
        return {
            str(name): float(value) for name, value in x.items() if name != self.offset and _is_number(value)
        }


def probability(logit: float) -> float:
    """Tell the probability of a logit."""
    return 1.0 / (1.0 + math.exp(-_bounded(logit)))


def logit_of(chance: float) -> float:
    """Tell the logit of a probability; 0 and 1 are taken as the nearest that has one."""
    inside = min(max(chance, 1e-9), 1.0 - 1e-9)
    return math.log(inside / (1.0 - inside))


def _bounded(logit: float) -> float:
    return min(max(logit, -MOST_LOGIT), MOST_LOGIT)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
