import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market import bound_exposure
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.exposure.exposure_bounds import compute_exposure
from models.ml.market.exposure.swaps import swap_into_bounds
from models.ml.market.exposure.vote_bounds import bound_positions
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.match_model import count_expected_matches
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.policy_registry import POLICIES
from tests.models_ml.market.scored import SEEDS, Pairs, crowded, of_chances, pairs


def count_listed(graph: MarketGraph, placed: np.ndarray, depth: int) -> np.ndarray:
    return np.bincount(graph.candidate[(placed >= 0) & (placed < depth)], minlength=len(graph.keys))


def test_lists_by_hand() -> None:
    """Three viewers like 3 best and 4 next; 3 may have the mean of first positions, 1.5, so two."""
    chances = np.zeros((5, 5))
    chances[:3, 3], chances[:3, 4] = [0.9, 0.8, 0.7], 0.5
    graph = of_chances(chances, chances > 0).graph()
    placed = bound_positions(graph, graph.p_like, 2, np.ones(5))
    first = {(int(graph.viewer[edge]), int(graph.candidate[edge])) for edge in np.flatnonzero(placed == 0)}
    assert first == {(0, 3), (1, 3), (2, 4)}
    assert count_listed(graph, placed, 2).tolist() == [0, 0, 0, 3, 3]


def test_the_bound_holds_at_every_depth() -> None:
    graph = crowded(300, seed=4, share=0.5).graph()
    before = compute_positions(graph, graph.p_like, 20)
    placed = bound_positions(graph, graph.p_like, 20, np.full(300, 2.0))
    for depth in (1, 5, 20):
        mean = count_listed(graph, before, depth).mean()
        assert count_listed(graph, before, depth).max() > 3 * mean
        assert count_listed(graph, placed, depth).max() <= 2 * mean + 0.5


@given(pairs(), st.integers(1, 6))
def test_an_ample_bound_changes_no_list(scored: Pairs, length: int) -> None:
    graph = scored.graph()
    placed = bound_positions(graph, graph.p_like, length, np.full(scored.people, 1e6))
    for viewer in range(scored.people):
        edges = np.flatnonzero(graph.viewer == viewer)
        shown = edges[placed[edges] >= 0]
        best = np.sort(graph.p_like[edges])[::-1][:length]
        assert graph.p_like[shown[np.argsort(placed[shown])]].tolist() == best.tolist()


@given(pairs(), st.integers(1, 6), SEEDS)
def test_a_list_keeps_half_its_length_in_any_order_of_pairs(scored: Pairs, length: int, seed: int) -> None:
    def lists(of: Pairs) -> set[tuple[int, int, int]]:
        graph = of.graph()
        placed = bound_positions(graph, graph.p_like, length, np.ones(of.people))
        return set(zip(graph.viewer.tolist(), graph.candidate.tolist(), placed.tolist(), strict=True))

    found = lists(scored)
    assert found == lists(scored.take(np.random.default_rng(seed).permutation(len(scored.viewer))))
    for viewer in range(scored.people):
        own = [index for who, _, index in found if who == viewer]
        shown = sorted(index for index in own if index >= 0)
        assert shown == list(range(len(shown)))
        assert 2 * len(shown) >= min(len(own), length)


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
    scores = POLICIES[policy](graph, POPULAR)
    bounded = bound_exposure(graph, POPULAR, scores, cap, floor)
    mean = bounded.exposure.mean()
    assert bounded.violation_count == 0
    assert bounded.exposure.max() <= cap * mean + 1e-6
    assert (bounded.exposure >= bounded.low - 1e-6).all()
    if floor <= 0.5:  # above, some have too few eligible viewers
        assert bounded.exposure.min() >= floor * mean - 1e-6
    exposure = compute_exposure(graph, bounded.positions, POPULAR.compute_list_examination())
    np.testing.assert_allclose(bounded.exposure, exposure)
    unbounded = bound_exposure(graph, POPULAR, scores, cap=200)
    np.testing.assert_array_equal(unbounded.positions, compute_positions(graph, scores, 20))
    assert (unbounded.cost_of_cap, unbounded.cost_of_floor) == (0, 0)


def test_without_bounds_few_have_most_and_bounds_cost_matches() -> None:
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


def test_the_cheapest_swap_keeps_the_partner_s_floor() -> None:
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
