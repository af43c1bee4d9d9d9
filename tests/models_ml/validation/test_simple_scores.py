"""Scores that need no training, by hand."""

import numpy as np
import pytest

from models.ml.features.decision_history import PairHistory
from models.ml.features.pair_features import Pairs
from models.ml.validation import simple_scores
from tests.models_ml.conftest import crowd, positions, specification, strangers, tally, unknown

TOWN = crowd(3, specification(interests={"cats": 1.0, "dogs": 1.0}), interests=[[0.6, 0.8], [0.8, 0.6], [0, 0]])


def test_popularity_is_the_share_of_likes_received_shrunk() -> None:
    """Liked by 6 of 7, with 3 more decisions at the rate of 0.4; by nobody yet."""
    known = PairHistory(unknown(2), unknown(2), unknown(2), tally([7, 0], [6, 0]))
    pairs = Pairs(TOWN, positions(0, 0), positions(1, 2), known)
    assert simple_scores.score_popularity(pairs, base_rate=0.4) == pytest.approx([0.72, 0.4])


def test_interest_cosine_is_the_dot_product_of_both_people_s_interests() -> None:
    assert simple_scores.score_interest_cosine(strangers(TOWN, [0, 0, 0], [1, 2, 0])) == pytest.approx([0.96, 0, 1])


def test_random_is_uniform_and_the_same_for_the_same_seed() -> None:
    pairs = strangers(TOWN, [0] * 10_000, [1] * 10_000)
    scores = simple_scores.score_at_random(pairs, seed=1)
    np.testing.assert_array_equal(scores, simple_scores.score_at_random(pairs, seed=1))
    assert (scores != simple_scores.score_at_random(pairs, seed=2)).all()
    assert np.quantile(scores, [0, 0.25, 0.5, 0.75, 1]) == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.02)
