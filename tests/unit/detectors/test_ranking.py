"""Chances of alerts: the prior, what verdicts change, when they are recalibrated, and what is written down."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.fusion.ranking import Ranking, RankingState

BASE = 0.2


def test_the_base_rate_is_the_chance_until_something_is_learned() -> None:
    """It is not told, however: a model that learned nothing has nothing to say."""
    promise = Ranking().promise(BASE, {"bias": 1.0, "rarity": 1.0})
    assert promise.chance == pytest.approx(BASE)
    assert promise.told is False


def test_verdicts_move_chances_the_way_they_went() -> None:
    """What was found false becomes less likely, what was found true more, and a stranger follows the county."""
    ranking = Ranking()
    for _ in range(15):
        ranking.learn(ranking.promise(BASE, {"bias": 1.5, "detector:a": 1.0}), true=False)
        ranking.learn(ranking.promise(BASE, {"bias": 1.5, "detector:b": 1.0}), true=True)
    names = ("detector:a", "detector:new", "detector:b")
    false, new, true = (ranking.promise(BASE, {"bias": 1.5, name: 1.0}).chance for name in names)
    assert false < 0.7 * new
    assert BASE < new < 0.7 * true
    assert ranking.verdicts == 30
    assert ranking.weights["detector:a"] < 0 < ranking.weights["detector:b"]


def test_good_chances_are_not_recalibrated() -> None:
    """Where verdicts come as often as promised the model's own chance is told."""
    generator = random.Random(5)
    ranking = Ranking()
    for _ in range(200):
        ranking.learn(ranking.promise(BASE, {"bias": 1.0}), true=generator.random() < BASE)
    assert not ranking.is_recalibrated


def test_chances_that_break_their_word_are_recalibrated() -> None:
    """When verdicts show that chances are far too high, and the model is slow, what is told comes nearer."""
    ranking, plain = Ranking(), Ranking()
    names = [f"detector:{number}" for number in range(40)]
    missed = []
    for number in range(80):  # each time something new, so the weights of names never help
        promise = ranking.promise(0.6, {names[number % 40]: 1.0})
        missed.append((promise.chance - 0.0) ** 2)
        ranking.learn(promise, true=False)
    assert ranking.is_recalibrated
    again = ranking.promise(0.6, {"detector:new": 1.0})
    assert again.chance < 0.5 * again.raw
    assert plain.promise(0.6, {"detector:new": 1.0}).chance == pytest.approx(0.6)
    assert sum(missed[40:]) < 0.5 * sum(missed[:40])


VERDICTS = st.lists(
    st.tuples(
        st.floats(0.01, 0.99), st.dictionaries(st.sampled_from("abcd"), st.floats(-1.5, 1.5)), st.booleans()
    ),
    max_size=40,
)


@settings(deadline=None)
@given(VERDICTS, st.integers(0, 40))
def test_a_written_ranking_goes_on_exactly(
    verdicts: list[tuple[float, dict[str, float], bool]], cut: int
) -> None:
    """Through bytes and back at any moment, every later chance is the same to the last bit, and inside (0, 1)."""
    whole, going = Ranking(), Ranking()
    for number, (base, features, true) in enumerate(verdicts):
        if number == cut:
            written = msgspec.msgpack.encode(going.dump())
            going = Ranking(msgspec.msgpack.decode(written, type=RankingState))
        said = [ranking.promise(base, features) for ranking in (whole, going)]
        assert said[0] == said[1]
        assert 0.0 < said[0].chance < 1.0
        whole.learn(said[0], true=true)
        going.learn(said[1], true=true)
    assert msgspec.msgpack.encode(whole.dump()) == msgspec.msgpack.encode(going.dump())


def test_states_of_two_counties_are_apart() -> None:
    """What one county learns another does not know."""
    one, other = Ranking(), Ranking()
    one.learn(one.promise(BASE, {"a": 1.0}), true=True)
    assert other.weights == {}
    assert Ranking().weights == {}


def test_a_state_of_another_version_is_refused() -> None:
    """A newer release's ranking is not read as something else."""
    with pytest.raises(ValueError, match="version 9"):
        Ranking(RankingState(version=9))
