"""What every detector in River's form promises, with River's own checks where they apply.

River 0.26 offers no data sets for supervised anomaly detectors (its checks know `score_one(x)` only), and those for others
need scikit-learn: the checks that infer from a data set are replaced by the ones below, the general ones are River's.
"""

import copy
import pickle
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pytest
from river.checks import common, yield_checks

from detectors.counts.glm import CountGLM
from detectors.counts.scan_score import ClusterScore
from detectors.series.innovation import Innovation

Detector = Innovation | CountGLM | ClusterScore
DETECTORS: list[Detector] = [Innovation(), CountGLM(), ClusterScore()]
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
WITH_DATA = [
    common.check_learn_one,
    common.check_no_state_aliasing_with_input,
    common.check_bounded_memory_growth,
    common.check_clone_is_independent,
]


def every(detector: Detector) -> str:
    """Name a detector in the test's id."""
    return type(detector).__name__


def dataset(count: int = 300) -> list[tuple[dict[Hashable, Any], int]]:
    """Make counts with the features that the detectors know."""
    generator = np.random.default_rng(1)
    return [({"at": 60.0 * n, "exposure": 1.0}, int(generator.poisson(4.0))) for n in range(count)]


@pytest.mark.parametrize("detector", DETECTORS, ids=every)
@pytest.mark.parametrize("check", GENERAL, ids=lambda check: check.__name__)
def test_river_general_checks(detector: Detector, check: Callable[[Any], None]) -> None:
    """Each of River's general checks passes."""
    check(detector.clone())


@pytest.mark.parametrize("detector", DETECTORS, ids=every)
def test_no_general_check_is_left_out(detector: Detector) -> None:
    """The list above is what River itself would run before it asks for a data set."""
    offered = []
    try:
        for check in yield_checks(detector):
            offered += [check]
    except ModuleNotFoundError as missing:  # the data sets come last
        assert missing.name == "sklearn"
    assert [check.__name__ for check in offered] == [check.__name__ for check in GENERAL]


@pytest.mark.parametrize("detector", DETECTORS, ids=every)
@pytest.mark.parametrize("check", WITH_DATA, ids=lambda check: check.__name__)
def test_river_checks_with_data(detector: Detector, check: Callable[[Any, Any], None]) -> None:
    """Each of River's checks passes that only learns from a data set."""
    check(detector.clone(), dataset())


@pytest.mark.parametrize("detector", DETECTORS, ids=every)
def test_scoring_changes_nothing(detector: Detector) -> None:
    """A score may be asked for as often as one likes, with the same answer, in [0, 1], from the first moment."""
    detector = detector.clone()
    for x, y in dataset():
        before, given = pickle.dumps(detector), copy.deepcopy(x)
        first = detector.score_one(x, y)
        assert 0.0 <= first <= 1.0
        assert detector.score_one(x, y) == first
        assert (pickle.dumps(detector), x) == (before, given)
        detector.learn_one(x, y)


@pytest.mark.parametrize("detector", DETECTORS, ids=every)
@pytest.mark.parametrize("odd", [float("nan"), float("inf"), None])
def test_one_bad_value_poisons_nothing(detector: Detector, odd: float | None) -> None:
    """After a value that is no number every score is still one."""
    detector = detector.clone()
    for number, (x, y) in enumerate(dataset()):
        detector.learn_one(x, odd if number == 100 else y)
    assert 0.0 <= detector.score_one({}, 4) < 0.5
    assert detector.score_one({}, 400) > 0.3


@pytest.mark.parametrize("detector", DETECTORS, ids=every)
def test_the_state_is_plain_numbers(detector: Detector) -> None:
    """What is written is numbers and lists of numbers with a version, and goes on exactly."""
    detector = detector.clone()
    for x, y in dataset():
        detector.learn_one(x, y)
    state = detector.dump()
    assert state["version"] >= 1
    assert all(isinstance(value, int | float | list) for value in state.values())
    other = detector.clone()
    other.restore(state)
    assert other.score_one({}, 12) == detector.score_one({}, 12)
