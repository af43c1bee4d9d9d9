import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market import bound_exposure
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.exposure.exposure_bounds import compute_exposure
from models.ml.market.exposure.swaps import swap_into_bounds
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.best_response import count_expected_matches
from models.ml.market.policies.policy_registry import POLICIES
from tests.models_ml.market.scored import Pairs, crowded, of_chances, pairs

# Where the inbox does not matter, a popular user is in everybody's list: the case that needs bounds.
POPULAR = AttentionModel("inv", "flat", length=20, inbox_weight=1)


@pytest.mark.parametrize(
    ("policy", "cap", "floor"),
    [
        ("product", 1.5, 0.0),
        ("naive", 1.5, 0.5),
        ("best_response", 1.5, 0.5),
        ("product", 99.0, 0.5),
        ("best_response", 1.2, 0.8),
    ],
)
def test_bounds_hold(policy: str, cap: float, floor: float) -> None:
    graph = crowded(200, seed=4).graph()
    bounded = bound_exposure(graph, POPULAR, POLICIES[policy](graph, POPULAR), cap, floor)
    mean = bounded.exposure.mean()
    assert bounded.violation_count == 0
    assert bounded.exposure.max() <= cap * mean + 1e-6
    assert (bounded.exposure >= bounded.low - 1e-6).all()
    if floor <= 0.5:  # above, some have too few eligible viewers
        assert bounded.exposure.min() >= floor * mean - 1e-6
    exposure = compute_exposure(graph, bounded.positions, POPULAR.compute_list_examination())
    np.testing.assert_allclose(bounded.exposure, exposure)


def test_without_bounds_few_have_most_and_bounds_cost_some_matches() -> None:
    graph = crowded(200, seed=4).graph()
    scores = POLICIES["product"](graph, POPULAR)
    before = compute_positions(graph, scores, 20)
    exposure = compute_exposure(graph, before, POPULAR.compute_list_examination())
    assert exposure.max() > 3.5 * exposure.mean()
    assert exposure.min() < 0.1 * exposure.mean()
    bounded = bound_exposure(graph, POPULAR, scores, cap=1.5, floor=0.5)
    assert 0.005 < bounded.cost_of_cap < 0.15
    assert 0 < bounded.cost_of_floor < 0.05
    left = (1 - bounded.cost_of_cap - bounded.cost_of_floor) * count_expected_matches(graph, POPULAR, before)
    assert count_expected_matches(graph, POPULAR, bounded.positions) == pytest.approx(left, rel=1e-6)


def test_bounds_that_nobody_breaks_change_nothing() -> None:
    graph = crowded(60, seed=5).graph()
    scores = POLICIES["naive"](graph, POPULAR)
    bounded = bound_exposure(graph, POPULAR, scores, cap=60, floor=0)
    np.testing.assert_array_equal(bounded.positions, compute_positions(graph, scores, 20))
    assert (bounded.cost_of_cap, bounded.cost_of_floor) == (0, 0)


def test_a_user_with_one_viewer_gets_a_fair_share_of_that_list() -> None:
    """User 0 is shown to 1 only, among 9 others: half of the mean is more than 1 can give."""
    eligible = ~np.eye(10, dtype=bool)
    eligible[2:, 0] = False
    chances = np.random.default_rng(1).random((10, 10))
    chances[:, 0] = 0.01
    graph = of_chances(chances, eligible).graph()
    attention = AttentionModel("inv", length=9, inbox_weight=1)
    bounded = bound_exposure(graph, attention, graph.p_like, cap=99, floor=0.5)
    assert bounded.low[0] == pytest.approx((1 / np.arange(1, 10)).mean())
    assert bounded.exposure[0] == pytest.approx(1 / 3)  # the first position that is as much
    assert bounded.violation_count == 0


@given(pairs(), st.sampled_from([0.0, 0.3, 0.8]), st.sampled_from([1.1, 1.5]))
def test_bounded_lists_are_whole(scored: Pairs, floor: float, cap: float) -> None:
    graph, attention = scored.graph(), AttentionModel("inv", length=3, inbox_weight=1)
    bounded = bound_exposure(graph, attention, graph.p_like, cap, floor)
    for viewer in range(scored.people):
        own = bounded.positions[graph.viewer == viewer]
        assert sorted(own[own >= 0].tolist()) == list(range(min(3, len(own))))
    assert np.isfinite([bounded.cost_of_cap, bounded.cost_of_floor]).all()


def test_the_cheapest_swap_that_keeps_the_partner_s_floor_is_made() -> None:
    """2 is last in the lists of 0 and 1, and needs a quarter of a look more."""
    eligible = np.array([[0, 0, 1, 1, 1], [0, 0, 1, 1, 1]] + [[0] * 5] * 3, bool)
    graph = of_chances(np.full((5, 5), 0.5), eligible).graph()
    index = {(0, 3): 0, (0, 4): 1, (0, 2): 2, (1, 4): 0, (1, 3): 1, (1, 2): 2}
    value = {(0, 3): 0.9, (0, 4): 0.8, (0, 2): 0.1, (1, 4): 0.5, (1, 3): 0.4, (1, 2): 0.1}
    edges = list(zip(graph.viewer.tolist(), graph.candidate.tolist(), strict=True))
    placed = np.array([index[edge] for edge in edges], np.int32)
    values = np.array([value[edge] for edge in edges], np.float32)
    looks, low, high = np.array([1.0, 0.5, 0.25]), np.array([0, 0, 0.75, 1.4, 0]), np.full(5, 9.0)
    now = compute_exposure(graph, placed, looks)
    after = swap_into_bounds(graph, placed, values, np.array([2]), now, low, high, looks)
    # 3 in the middle of 1's list costs least, but would fall below their floor; 4 at its top costs 0.4 by three
    # quarters of a look, 4 in the middle of 0's list 0.7 by the quarter that is needed.
    assert dict(zip(edges, after.tolist(), strict=True)) == index | {(0, 4): 2, (0, 2): 1}
    assert compute_exposure(graph, after, looks)[2] == 0.75
