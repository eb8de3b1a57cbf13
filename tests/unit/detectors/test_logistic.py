"""The classifier behind the ranking: River's form, honest priors, plain numbers."""

import copy
import math
import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.checks import common

from detectors.fusion.logistic import OnlineLogistic, logit_of, probability

GENERAL = [
    common.check_repr,
    common.check_str,
    common.check_tags,
    common.check_clone_same_class,
    common.check_clone_is_idempotent,
    common.check_init_has_default_params_for_tests,
    common.check_init_default_params_are_not_mutable,
    common.check_doc,
    common.check_clone_changes_memory_addresses,
    common.check_mutate_can_be_idempotent,
    common.check_pickling_supports_roundtrip,
    common.check_repr_roundtrips_clone,
    common.check_clone_with_new_params_applies,
    common.check_get_params_matches_signature,
]
FEATURES = st.dictionaries(st.sampled_from("abcdef"), st.floats(-2, 2), max_size=6)


def dataset(count: int = 300) -> list[tuple[dict[str, float], int]]:
    """Make verdicts that hang on one of three features."""
    generator = random.Random(3)
    rows = []
    for _ in range(count):
        x = {name: float(generator.random() < 0.5) for name in "abc"}
        rows.append((x, int(generator.random() < (0.8 if x["a"] else 0.1))))
    return rows


@pytest.mark.parametrize("check", GENERAL, ids=lambda check: check.__name__)
def test_river_general_checks(check: Callable[[Any], None]) -> None:
    """Each of River's general checks passes."""
    check(OnlineLogistic())


@pytest.mark.parametrize(
    "check",
    [common.check_learn_one, common.check_no_state_aliasing_with_input, common.check_clone_is_independent],
    ids=lambda check: check.__name__,
)
def test_river_checks_with_data(check: Callable[[Any, Any], None]) -> None:
    """Each of River's checks passes that only learns from a data set."""
    check(OnlineLogistic(), dataset())


def test_before_anything_is_learned_the_offset_is_the_chance() -> None:
    """The prior is told as it is, whatever the features."""
    chance = OnlineLogistic().predict_proba_one({"offset": logit_of(0.2), "a": 1.0, "b": -3.0})
    assert chance[True] == pytest.approx(0.2)
    assert chance[False] == pytest.approx(0.8)


def test_it_finds_out_which_feature_tells() -> None:
    """After some verdicts the chance is near the truth with the feature and without, and others matter little."""
    model = OnlineLogistic()
    for x, y in dataset():
        model.learn_one({**x, "bias": 1.5}, y)
    told = model.predict_proba_one({"bias": 1.5, "a": 1.0})[True]
    quiet = model.predict_proba_one({"bias": 1.5})[True]
    assert told > 0.6
    assert quiet < 0.3
    assert abs(model.weights["a"]) > 3 * abs(model.weights["b"])


@settings(deadline=None)
@given(st.lists(st.tuples(FEATURES, st.booleans()), max_size=40), FEATURES)
def test_chances_stay_chances_and_asking_changes_nothing(
    rows: list[tuple[dict[str, float], bool]], x: dict[str, float]
) -> None:
    """However odd the verdicts, a chance is a number in [0, 1], weights are finite, and a question may be put twice."""
    model = OnlineLogistic()
    for features, y in rows:
        model.learn_one(features, y)
    before = pickle.dumps(model)
    chance = model.predict_proba_one(x)[True]
    assert 0.0 <= chance <= 1.0
    assert model.predict_proba_one(x)[True] == chance
    assert pickle.dumps(model) == before
    assert all(math.isfinite(weight) for weight in model.weights.values())
    assert all(0.0 < variance <= model.prior_variance for variance in model.variances.values())


@settings(deadline=None)
@given(st.lists(st.tuples(FEATURES, st.booleans()), max_size=30), st.integers(0, 30))
def test_a_written_state_goes_on_exactly(rows: list[tuple[dict[str, float], bool]], cut: int) -> None:
    """Dumped anywhere and restored, it ends with the same weights to the last bit."""
    whole, going = OnlineLogistic(), OnlineLogistic()
    for number, (x, y) in enumerate(rows):
        if number == cut:
            written = going.dump()
            going = OnlineLogistic()
            going.restore(written)
        whole.learn_one(x, y)
        going.learn_one(x, y)
    assert going.dump() == whole.dump()


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), None, "x"])
def test_values_that_are_no_numbers_and_labels_that_are_none_teach_nothing(odd: Any) -> None:
    """A bad feature counts as 0; a verdict that is neither true nor false is no verdict."""
    model = OnlineLogistic()
    model.learn_one({"a": odd, "b": 1.0}, 1)
    assert "a" not in model.weights
    before = copy.deepcopy(model.dump())
    model.learn_one({"b": 1.0}, odd)
    model.learn_one({"b": 1.0}, 2)
    assert model.dump() == before
    assert model.predict_proba_one({"a": odd, "offset": odd})[True] == 0.5


def test_names_do_not_fill_the_memory() -> None:
    """Beyond so many names no new one is learned."""
    model = OnlineLogistic(most=10)
    for number in range(100):
        model.learn_one({f"name-{number}": 1.0, "bias": 1.0}, number % 2)
    assert len(model.weights) == len(model.variances) == 10


@pytest.mark.parametrize(
    "state",
    [
        {"version": 2, "weights": {}, "variances": {}},
        {"version": 1, "weights": {"a": 1.0}, "variances": {}},
        {"version": 1, "weights": {"a": float("nan")}, "variances": {"a": 1.0}},
    ],
)
def test_a_state_of_another_form_is_refused(state: dict[str, Any]) -> None:
    """Another version, or weights that are no numbers, are not taken up."""
    with pytest.raises(ValueError, match=r"ranking's weights"):
        OnlineLogistic().restore(state)


def test_logits_and_chances_are_each_others_inverse() -> None:
    """Also at the ends, where a logit would be infinite."""
    for chance in (0.001, 0.3, 0.999):
        assert probability(logit_of(chance)) == pytest.approx(chance)
    assert 0.0 < probability(logit_of(0.0)) < 1e-8
    assert 1.0 - 1e-8 < probability(logit_of(1.0)) < 1.0
