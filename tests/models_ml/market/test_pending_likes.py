import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.pending_likes import NO_DECOYS, Decoys, count_decoys, draw_decoys, weigh_secret_likes
from tests.models_ml.market.scored import SEEDS


@given(st.floats(0.05, 1))
def test_a_like_among_its_decoys_is_told_no_more_than_allowed(most_telling: float) -> None:
    assert 1 / (1 + count_decoys(most_telling)) <= most_telling + 1e-9
    assert most_telling > 0.99 or 1 / count_decoys(most_telling) > most_telling


@given(SEEDS, st.integers(1, 3))
def test_decoys_are_different_candidates_of_the_receiver(seed: int, per_like: int) -> None:
    rng = np.random.default_rng(seed)
    people = 8
    viewer, candidate = np.nonzero(rng.random((people, people)) < 0.7)
    liked = rng.random(len(viewer)) < 0.3
    weight = np.where(liked, 0, rng.choice([0.0, 0.2, 5.0], len(viewer)))
    drawn = draw_decoys(viewer[liked], candidate[liked], viewer, candidate, weight, per_like, rng)
    pairs = list(zip(drawn.receiver.tolist(), drawn.decoy.tolist(), strict=True))
    possible = set(zip(viewer[weight > 0].tolist(), candidate[weight > 0].tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) <= possible
    served = list(zip(drawn.receiver.tolist(), drawn.sender.tolist(), strict=True))
    assert set(served) <= set(zip(viewer[liked].tolist(), candidate[liked].tolist(), strict=True))
    assert all(served.count(like) == per_like for like in served)
    for person in range(people):
        likes, room = (viewer[liked] == person).sum(), ((viewer == person) & (weight > 0)).sum()
        assert (drawn.receiver == person).sum() == per_like * min(likes, room // per_like)


def test_decoys_are_drawn_by_weight() -> None:
    likes, viewer, candidate = np.arange(20_000), np.repeat(np.arange(20_000), 2), np.tile([1, 2], 20_000)
    weight = np.tile([1.0, 3.0], 20_000)
    drawn = draw_decoys(likes, likes * 0, viewer, candidate, weight, 1, np.random.default_rng(0))
    assert (drawn.decoy == 2).mean() == pytest.approx(3 / 4, abs=4 * np.sqrt(3 / 16 / 20_000))


def test_a_like_and_its_decoys_weigh_the_same_until_each_is_decided() -> None:
    """User 0 has likes of 1, with the decoy 3, and of 2, for whom there was no decoy; 1 is decided in the end."""
    decoys = Decoys(np.array([0]), np.array([1]), np.array([3]))
    pair, pending = np.array([1, 2, 3, 4]), np.array([True, True, False, False])
    assert weigh_secret_likes(pair, pending, decoys, 5, 0.5).tolist() == [0.5, 0, 0.5, 0]
    assert weigh_secret_likes(pair[2:], pending[2:], decoys, 5, 0.5).tolist() == [0.5, 0]
    assert not weigh_secret_likes(pair, pending, NO_DECOYS, 5, 0.5).any()
