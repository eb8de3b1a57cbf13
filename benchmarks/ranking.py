"""Whether the learned ranking helps: made-up counties whose officers judge alerts, beside simpler ways to give chances.

`python -m benchmarks.ranking [--json] [--quick]`. The truth of an alert hangs on its evidence in a way that the model does
not know; officers err now and then. Each learner tells its chance before it learns the verdict (prequential).
"""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from river import linear_model, optim

from benchmarks.results import Table, arguments, publish, results_of
from detectors.fusion.features import BIAS
from detectors.fusion.logistic import logit_of, probability
from detectors.fusion.ranking import Promise, Ranking

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEEDS = range(1_000, 1_040)
"""Not those by which the prior's variance was chosen (0 to 19)."""
ALERTS = 400
PRIOR = 0.2
FIRST, LATER = 50, 150
WORKLOAD = 0.5
"""Share of the alerts that officers have time for, when the question is how many true ones are among them."""
TRIED = (
    "About 40 variants were tried on other seeds (0-19) of this and a like simulation: the prior's variance, the bias, "
    "forgetting, Platt's recalibration always or when it did better, averages of up to three models, River's SGD and "
    "AdaGrad at several rates. Chosen was what is good where evidence tells much and does little harm where it does not."
)
EDGES = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
DETECTORS = ("innovation", "counts", "glm", "scan", "river", "rising-terms")


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert's features, what it was in truth, and what an officer said."""

    features: dict[str, float]
    true: bool
    verdict: bool


@dataclass(frozen=True, slots=True)
class World:
    """How a county's alerts come about: the share that is true, how much evidence tells, how often officers err."""

    name: str
    strength: float = 1.0
    share: float = PRIOR
    error: float = 0.1
    turns: bool = False


WORLDS = (
    World("evidence tells much"),
    World("evidence tells little", strength=0.3),
    World("evidence tells nothing", strength=0.0),
    World("few are true (4 %)", share=0.04, error=0.03),
    World("half way everything turns", turns=True),
)


class Learner(Protocol):
    """Tells a chance, then learns what came of it."""

    def chance(self, features: Mapping[str, float]) -> float:
        """Tell the chance that an alert is true."""
        ...

    def learn(self, features: Mapping[str, float], *, true: bool) -> None:
        """Learn a verdict."""
        ...


@dataclass
class Ours:
    """The fusion's ranking."""

    ranking: Ranking = field(default_factory=Ranking)
    promised: Promise | None = None

    def chance(self, features: Mapping[str, float]) -> float:
        """Promise, and remember what was promised."""
        self.promised = self.ranking.promise(PRIOR, features)
        return self.promised.chance

    def learn(self, features: Mapping[str, float], *, true: bool) -> None:
        """Learn the verdict on what was promised."""
        if self.promised is not None:
            self.ranking.learn(self.promised, true=true)


@dataclass
class Share:
    """The county's share of true alerts so far, begun with five verdicts of the prior: no evidence is looked at."""

    true: float = 5.0 * PRIOR
    count: float = 5.0

    def chance(self, features: Mapping[str, float]) -> float:
        """Tell the share."""
        return self.true / self.count

    def learn(self, features: Mapping[str, float], *, true: bool) -> None:
        """Count a verdict."""
        self.true, self.count = self.true + true, self.count + 1


class Stock:
    """River's own logistic regression, with SGD at the rate given, over the same features."""

    def __init__(self, rate: float, l2: float = 0.0) -> None:
        """Begin with the prior as intercept."""
        self._model = linear_model.LogisticRegression(
            optim.SGD(rate), l2=l2, intercept_init=logit_of(PRIOR), intercept_lr=rate
        )

    def chance(self, features: Mapping[str, float]) -> float:
        """Tell its probability, kept off 0 and 1 as ours is."""
        told: dict[bool, float] = self._model.predict_proba_one(dict(features))  # type: ignore[no-untyped-call]  # River's
        return min(max(told[True], 0.001), 0.999)

    def learn(self, features: Mapping[str, float], *, true: bool) -> None:
        """Learn a verdict."""
        self._model.learn_one(dict(features), true)


LEARNERS: dict[str, Callable[[], Learner]] = {
    "ours": Ours,
    "share of true alerts": Share,
    "River LR, SGD(0.01)": lambda: Stock(0.01),
    "River LR, SGD(0.1), l2 0.01": lambda: Stock(0.1, 0.01),
}


def county(world: World, seed: int, alerts: int) -> list[Judged]:
    """Make a county's alerts with the truth behind them, in the order in which they came."""
    generator = random.Random(seed)
    weights = {name: generator.gauss(0, 1) for name in ("rarity", "streams", "nearby", "quiet", "night")}
    weights |= {f"detector:{name}": generator.gauss(0, 1) for name in DETECTORS}
    weights |= {f"category:{number}": generator.gauss(0, 1) for number in range(6)}
    weights = {name: weight * world.strength for name, weight in weights.items()}
    places = [generator.gauss(0, 0.7) * world.strength for _ in range(12)]
    earlier: dict[tuple[int, int], tuple[int, int]] = {}
    judged = []
    base = logit_of(world.share)
    for number in range(alerts):
        features, place, category = _alert(generator)
        logit = places[place] + sum(weights.get(name, 0.0) * value for name, value in features.items())
        if world.turns and number >= alerts // 2:
            logit = -logit
        true = generator.random() < probability(base + logit)
        verdict = true if generator.random() >= world.error else not true
        found, count = earlier.get((category, place), (0, 0))
        features["verdicts:place"] = (2 * found - count) / (count + 2)
        earlier[category, place] = found + verdict, count + 1
        judged.append(Judged(features, true, verdict))
    return judged


def _alert(generator: random.Random) -> tuple[dict[str, float], int, int]:
    """Draw the evidence of an alert, its place and its category."""
    detectors = generator.sample(DETECTORS, generator.choice([1, 1, 1, 2, 3]))
    category, place = generator.randrange(6), generator.randrange(12)
    features = {
        "bias": BIAS,
        f"category:{category}": 1.0,
        "rarity": min(generator.expovariate(4.0), 1.5),
        "streams": (len(detectors) - 1) / 3.0,
        "nearby": generator.choice([0.0, 0.0, 0.2, 0.4]),
        "quiet": generator.choice([0.0, 0.4, 1.0]),
        "night": generator.uniform(-0.5, 0.5),
    }
    return features | {f"detector:{name}": 1.0 for name in detectors}, place, category


Told = list[tuple[float, bool, bool]]
"""Chance told, verdict, truth: alert by alert."""


def tell(learner: Learner, judged: list[Judged]) -> Told:
    """Let a learner tell the chance of each alert before it learns the verdict."""
    told = []
    for one in judged:
        told.append((learner.chance(one.features), one.verdict, one.true))
        learner.learn(one.features, true=one.verdict)
    return told


def brier(told: Told) -> float:
    """Tell the mean squared error of chances against verdicts."""
    return sum((chance - verdict) ** 2 for chance, verdict, _ in told) / len(told)


def kept(told: Told, share: float = WORKLOAD) -> float:
    """Tell which share of the true alerts is among those with the best chances; of equals the earlier."""
    best = sorted(range(len(told)), key=lambda number: -told[number][0])[: math.ceil(share * len(told))]
    true = sum(one[2] for one in told)
    return sum(told[number][2] for number in best) / true if true else math.nan


def measure(alerts: int, seeds: range) -> dict[str, dict[str, list[Told]]]:
    """Let every learner tell the chances of every county."""
    return {
        world.name: {
            name: [tell(make(), county(world, seed, alerts)) for seed in seeds]
            for name, make in LEARNERS.items()
        }
        for world in WORLDS
    }


def mean(values: list[float]) -> float:
    """Average what is a number."""
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan


def table_of(measured: dict[str, dict[str, list[Told]]]) -> Table:
    """Put the figures of all worlds and learners into one table."""
    rows = [
        (
            world,
            name,
            mean([brier(one[:FIRST]) for one in told]),
            mean([brier(one[FIRST:LATER]) for one in told]),
            mean([brier(one[LATER:]) for one in told]),
            100.0 * mean([kept(one[FIRST:]) for one in told]),
        )
        for world, learners in measured.items()
        for name, told in learners.items()
    ]
    return Table(
        caption="Brier score of chances told before the verdict (less is better), and what the ranking keeps",
        columns=(
            "county",
            "learner",
            f"Brier, verdicts 1–{FIRST}",
            f"{FIRST + 1}–{LATER}",
            f"{LATER + 1} on",
            f"% of true alerts in the best half, from {FIRST + 1} on",
        ),
        rows=tuple(rows),
    )


def reliability(told: Told) -> list[tuple[float, float, int, float]]:
    """Tell, for each bin of chances: lower edge, mean chance, how many, and the share that officers found true."""
    bins = []
    for low, high in pairwise(EDGES):
        inside = [(chance, verdict) for chance, verdict, _ in told if low <= chance < high]
        if inside:
            count = len(inside)
            bins.append(
                (low, sum(one for one, _ in inside) / count, count, sum(one for _, one in inside) / count)
            )
    return bins


def reliability_table(measured: dict[str, dict[str, list[Told]]]) -> Table:
    """Put our reliability in all worlds into a table, from the fiftieth verdict on."""
    rows = []
    for world, learners in measured.items():
        told = [one for each in learners["ours"] for one in each[FIRST:]]
        rows += [(world, low, chance, found, count) for low, chance, count, found in reliability(told)]
    return Table(
        caption=f"Reliability of our chances, from verdict {FIRST + 1} on",
        columns=("county", "chance from", "mean chance", "found true", "alerts"),
        rows=tuple(rows),
    )


def draw(measured: dict[str, dict[str, list[Told]]], figure: "Figure") -> None:
    """Draw our reliability curves, and the Brier score as verdicts come in."""
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for world, learners in measured.items():
        told = [one for each in learners["ours"] for one in each[FIRST:]]
        curve = [(chance, found) for _, chance, count, found in reliability(told) if count >= 50]
        left.plot(*zip(*curve, strict=True), marker="o", markersize=3, label=world)
    left.set(
        xlabel="chance told", ylabel="share found true", title=f"Reliability from verdict {FIRST + 1} on"
    )
    left.legend(fontsize=7)
    first = next(iter(measured))
    for name, counties in measured[first].items():
        size = len(counties[0]) // 8
        scores = [mean([brier(one[at : at + size]) for one in counties]) for at in range(0, size * 8, size)]
        right.plot(
            [size * (number + 0.5) for number in range(8)], scores, marker="o", markersize=3, label=name
        )
    right.set(xlabel="verdicts", ylabel="Brier score", title=first)
    right.legend(fontsize=7)


def main() -> None:
    """Measure, and publish what was found."""
    asked = arguments("Measure what learning from verdicts brings.").parse_args()
    seeds = SEEDS[:5] if asked.quick else SEEDS
    measured = measure(ALERTS, seeds)
    results = results_of(
        "ranking",
        "The learned chance of an alert, in made-up counties",
        [table_of(measured), reliability_table(measured)],
        notes=(
            "The counties are made up: how much real evidence tells of real alerts is not known here.",
            TRIED,
            "Half of the counties' alerts kept at random would keep 50 % of the true ones.",
        ),
        setup={"counties": len(seeds), "alerts": ALERTS, "seeds from": seeds[0], "prior": PRIOR},
        quick=asked.quick,
    )
    publish(results, lambda figure: draw(measured, figure), as_json=asked.as_json)


if __name__ == "__main__":
    main()
