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


def test_where_evidence_tells_nothing_chances_draw_near_the_share() -> None:
    """Features that promised something and kept nothing lose their weight; chances come close to what is true."""
    generator = random.Random(5)
    ranking, chances = Ranking(), []
    for _ in range(300):
        features = {"bias": 1.5} | {name: generator.choice([-1.0, 0.0, 1.0]) for name in "abcdefgh"}
        promise = ranking.promise(BASE, features)
        chances.append(promise.chance)
        ranking.learn(promise, true=generator.random() < 0.3)
    assert ranking.trust < 0.3
    assert all(abs(chance - 0.3) < 0.15 for chance in chances[200:])


def test_where_evidence_tells_it_is_trusted() -> None:
    """A feature that parts true from false wins against the share within some verdicts."""
    ranking = Ranking()
    for number in range(40):
        features = {"bias": 1.5, "detector:a": float(number % 2)}
        ranking.learn(ranking.promise(BASE, features), true=number % 2 == 1)
    assert ranking.trust > 0.9


def test_trust_is_lost_when_times_change() -> None:
    """What foretold verdicts for a hundred alerts and then the contrary is no longer believed after some dozens."""
    ranking = Ranking()
    for number in range(200):
        features = {"bias": 1.5, "detector:a": float(number % 2)}
        true = (number % 2 == 1) is (number < 100)
        if number == 100:
            assert ranking.trust > 0.9
        if number == 130:
            assert ranking.trust < 0.5
        ranking.learn(ranking.promise(BASE, features), true=true)


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
