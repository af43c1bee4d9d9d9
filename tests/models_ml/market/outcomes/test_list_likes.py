"""Which likes lists can bring, and how they wait in inboxes."""

import numpy as np
import pytest

from models.ml.market.outcomes.list_likes import compute_list_likes, compute_two_sided_likes
from tests.models_ml.market.towns import of_rows


def test_a_town_by_hand() -> None:
    """Person 0 gets likes from 1 and 2, 2 the more welcome; 0 and 1 list each other; 2's second place is 1."""
    town = of_rows(
        [(0, 1, 0.9, 0.5, 1), (1, 0, 0.5, 0.9, 2), (2, 0, 0.4, 0.95, 1), (2, 1, 1.0, 0.1, 2), (1, 2, 0.3, 1, 0)]
    )
    assert town.receiver.tolist() == [0, 0, 1, 1]
    assert town.viewer.tolist() == [2, 1, 0, 2]
    assert town.sent.tolist() == [0.4, 0.25, 0.9, 0.5]
    assert town.welcome.tolist() == [0.95, 0.9, 0.5, 0.1]
    assert town.starts.tolist() == [0, 2]
    assert town.sizes.tolist() == [2, 2]
    assert town.couple[1] == town.couple[2]
    assert len(set(town.couple.tolist())) == 3


def test_the_two_sides_are_numbered_one_after_the_other() -> None:
    """Proposer 0 puts receiver 1 first. The receivers, 2 and 3, like proposer 1 better."""
    like, liked_back = np.array([[0.2, 0.4], [0.6, 0.8]]), np.array([[0.1, 0.5], [0.3, 0.7]])
    market = compute_two_sided_likes(like, liked_back, np.array([[1, 0], [0, 1]]))
    assert market.viewer.tolist() == [1, 0, 1, 0]
    assert market.receiver.tolist() == [2, 2, 3, 3]
    assert market.sent.tolist() == [0.6, 0.1, 0.4, 0.4]
    assert market.welcome.tolist() == [0.3, 0.1, 0.7, 0.5]


def test_equally_welcome_likes_stand_by_lot_and_always_the_same_way() -> None:
    viewer, candidate = np.arange(1, 1001), np.zeros(1000, np.int64)
    chance, place = np.full(1000, 0.5), np.ones(1000, np.int64)
    first = compute_list_likes(viewer, candidate, chance, chance, place).viewer
    turned = np.random.default_rng(1).permutation(1000)
    np.testing.assert_array_equal(compute_list_likes(viewer[turned], candidate, chance, chance, place).viewer, first)
    assert np.corrcoef(first, viewer)[0, 1] == pytest.approx(0, abs=0.1)


def test_what_exceeds_one_is_certain() -> None:
    """0.9 / ln 2 is 1.3. The two are equally welcome; the lot falls so."""
    assert of_rows([(0, 1, 0.5, 1, 1), (2, 1, 0.9, 1, 1)], lists="log").sent.tolist() == [0.5 / np.log(2), 1]


def test_nobody_listed() -> None:
    assert of_rows([]).sizes.tolist() == []
    assert of_rows([(0, 1, 0.5, 0.5, 0)]).viewer.tolist() == []
