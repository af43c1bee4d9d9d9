from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.db.errors import InputError
from models.ml.arrays import Float64Array
from models.ml.market import rank_market
from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.list_likes import compute_two_sided_likes
from tests.models_ml.market.scored import SEEDS


def count_matches(like: Float64Array, back: Float64Array, order: NDArray[np.integer], curve: str = "inv") -> float:
    return compute_expected_matches(compute_two_sided_likes(like, back, order, curve), curve)


def draw_market(proposers: int, receivers: int, seed: int, crowding: float) -> tuple[Float64Array, Float64Array]:
    like, back = np.random.default_rng(seed).random((2, proposers, receivers))
    best, first = 1 - np.arange(receivers) / receivers, 1 - np.arange(proposers) / proposers
    return (1 - crowding) * like + crowding * best, (1 - crowding) * back + crowding * first[:, None]


@pytest.mark.parametrize("shape", [(3, 2), (3, 3)])
@pytest.mark.parametrize("curve", ["inv", "exp", "log2"])
def test_near_the_best_of_all_orders(shape: tuple[int, int], curve: str) -> None:
    shares = []
    for seed in range(0, 10, 2):
        like, back = draw_market(*shape, seed, crowding=seed / 10)
        choices = product(permutations(range(shape[1])), repeat=shape[0])
        best = max(count_matches(like, back, np.array(order), curve) for order in choices)
        shares.append(count_matches(like, back, rank_market(like, back, curve), curve) / best)
    assert 0.96 < min(shares) <= max(shares) < 1 + 1e-6


def test_an_inbox_that_is_read_to_the_end_leaves_the_product() -> None:
    like, back = draw_market(12, 9, 3, crowding=0.7)
    np.testing.assert_array_equal(rank_market(like, back, "inv", "flat"), np.argsort(-like * back, axis=1))


@given(SEEDS, st.integers(1, 8), st.integers(1, 8), st.sampled_from(["inv", "exp", "log2"]))
def test_permuted_users_get_the_same_lists(seed: int, proposers: int, receivers: int, curve: str) -> None:
    rng = np.random.default_rng(seed)
    like, back = rng.random((2, proposers, receivers))
    rows, columns = rng.permutation(proposers), rng.permutation(receivers)
    turned = rank_market(like[rows][:, columns], back[rows][:, columns], curve)
    np.testing.assert_array_equal(columns[turned], rank_market(like, back, curve)[rows])


@given(SEEDS, st.integers(0, 6), st.integers(0, 6), st.sampled_from([[0.5], [0, 1], [0, 0.5, 1]]))
def test_lists_of_any_market_are_whole(seed: int, proposers: int, receivers: int, values: list[float]) -> None:
    like, back = np.random.default_rng(seed).choice(values, (2, proposers, receivers))
    order = rank_market(like, back)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order, axis=1), np.tile(np.arange(receivers), (proposers, 1)))
    np.testing.assert_array_equal(order, rank_market(like.copy(), np.asfortranarray(back)))


def test_equals_are_spread_over_the_lists() -> None:
    """As many matches as where each list starts one further than the one before."""
    alike = np.full((40, 20), 0.5)
    shifted = (np.arange(40)[:, None] + np.arange(20)) % 20
    order = rank_market(alike, alike)
    assert count_matches(alike, alike, order) > 0.999 * count_matches(alike, alike, shifted)
    assert np.bincount(order[:, :2].ravel(), minlength=20).max() <= 7


@pytest.mark.parametrize(
    ("like", "back"),
    [
        (np.ones((2, 3)), np.ones((3, 2))),
        (np.ones(3), np.ones(3)),
        (np.ones((2, 2)), np.full((2, 2), 1.5)),
        (np.full((1, 1), np.nan), np.ones((1, 1))),
    ],
)
def test_what_is_no_market_is_refused(like: Float64Array, back: Float64Array) -> None:
    with pytest.raises(InputError, match="market"):
        rank_market(like, back)
