import numpy as np
import pytest

from models.ml.market.outcomes.list_likes import compute_list_likes, compute_two_sided_likes
from tests.models_ml.market.enumeration import of_rows


def test_two_sides_are_numbered_one_after_the_other() -> None:
    """Proposer 0 puts receiver 1 first. The receivers, 2 and 3, like proposer 1 better."""
    like, liked_back = np.array([[0.2, 0.4], [0.6, 0.8]]), np.array([[0.1, 0.5], [0.3, 0.7]])
    likes = compute_two_sided_likes(like, liked_back, np.array([[1, 0], [0, 1]]))
    assert likes.viewer.tolist() == [1, 0, 1, 0]
    assert likes.receiver.tolist() == [2, 2, 3, 3]
    assert likes.sent.tolist() == [0.6, 0.1, 0.4, 0.4]
    assert likes.welcome.tolist() == [0.3, 0.1, 0.7, 0.5]


def test_equally_welcome_likes_have_one_order_that_is_not_by_number() -> None:
    viewer, candidate = np.arange(1, 1001), np.zeros(1000, np.int64)
    chance, position = np.full(1000, 0.5), np.ones(1000, np.int64)
    first = compute_list_likes(viewer, candidate, chance, chance, position).viewer
    turned = viewer[np.random.default_rng(1).permutation(1000)]
    np.testing.assert_array_equal(compute_list_likes(turned, candidate, chance, chance, position).viewer, first)
    assert np.corrcoef(first, viewer)[0, 1] == pytest.approx(0, abs=0.1)


def test_a_probability_above_one_counts_as_one_and_lists_may_be_empty() -> None:
    """0.9 / ln 2 is 1.3."""
    assert sorted(of_rows([(0, 1, 0.5, 1, 1), (2, 1, 0.9, 1, 1)], lists="log").sent) == [0.5 / np.log(2), 1]
    assert of_rows([]).sizes.tolist() == []
    assert of_rows([(0, 1, 0.5, 0.5, 0)]).viewer.tolist() == []
