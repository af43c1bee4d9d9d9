"""Exposure: bounds that hold, what they cost, and who cannot be helped."""

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

# Where the inbox does not matter, a star is in everybody's list: the case that needs bounds.
STARS = AttentionModel("inv", "flat", length=20, inbox_weight=1)


def test_views_by_hand() -> None:
    """Everybody likes 0 best: two see 0 first, 0 sees 1 first."""
    chances = np.array([[0.0, 0.9, 0.1], [0.9, 0.0, 0.1], [0.9, 0.5, 0.0]])
    town = of_chances(chances, ~np.eye(3, dtype=bool)).town()
    placed = compute_positions(town, town.p_like, 2)
    assert compute_exposure(town, placed, np.array([1.0, 0.5])).tolist() == [2.0, 1.5, 1.0]


@pytest.mark.parametrize(("cap", "floor"), [(1.5, 0.0), (1.5, 0.5), (99.0, 0.5), (1.2, 0.8)])
@pytest.mark.parametrize("policy", ["product", "naive", "best_response"])
def test_bounds_hold(policy: str, cap: float, floor: float) -> None:
    town = crowded(200, seed=4).town()
    shared = bound_exposure(town, STARS, POLICIES[policy](town, STARS), cap, floor)
    mean = shared.exposure.mean()
    assert shared.violation_count == 0
    assert shared.exposure.max() <= cap * mean + 1e-6
    assert (shared.exposure >= shared.low - 1e-6).all()
    if floor <= 0.5:  # above, some have too few eligible viewers
        assert shared.exposure.min() >= floor * mean - 1e-6
    np.testing.assert_allclose(
        shared.exposure, compute_exposure(town, shared.positions, STARS.compute_list_examination())
    )


def test_without_bounds_the_few_have_it_all_and_bounds_cost_some_matches() -> None:
    town = crowded(200, seed=4).town()
    by_product = POLICIES["product"](town, STARS)
    before = compute_positions(town, by_product, 20)
    seen = compute_exposure(town, before, STARS.compute_list_examination())
    assert seen.max() > 3.5 * seen.mean()
    assert seen.min() < 0.1 * seen.mean()
    shared = bound_exposure(town, STARS, by_product, cap=1.5, floor=0.5)
    assert 0.005 < shared.cost_of_cap < 0.15
    assert 0 < shared.cost_of_floor < 0.05
    left = 1 - shared.cost_of_cap - shared.cost_of_floor
    assert count_expected_matches(town, STARS, shared.positions) == pytest.approx(
        left * count_expected_matches(town, STARS, before), rel=1e-6
    )


def test_bounds_that_nobody_breaks_change_nothing() -> None:
    town = crowded(60, seed=5).town()
    scores = POLICIES["naive"](town, STARS)
    shared = bound_exposure(town, STARS, scores, cap=60, floor=0)
    np.testing.assert_array_equal(shared.positions, compute_positions(town, scores, 20))
    assert (shared.cost_of_cap, shared.cost_of_floor) == (0, 0)


def test_somebody_with_one_viewer_gets_their_fair_share_of_that_list() -> None:
    """Person 0 is shown to 1 only, among 9 others: half of the mean is more than 1 can give."""
    eligible = ~np.eye(10, dtype=bool)
    eligible[2:, 0] = False
    chances = np.random.default_rng(1).random((10, 10))
    chances[:, 0] = 0.01
    town = of_chances(chances, eligible).town()
    attention = AttentionModel("inv", length=9, inbox_weight=1)
    shared = bound_exposure(town, attention, town.p_like, cap=99, floor=0.5)
    fair = (1 / np.arange(1, 10)).mean()
    assert shared.low[0] == pytest.approx(fair)
    assert shared.exposure[0] == pytest.approx(1 / 3)  # the first place that is as much
    assert shared.violation_count == 0


@given(pairs(), st.sampled_from([0.0, 0.3, 0.8]), st.sampled_from([1.1, 1.5]))
def test_any_town_keeps_whole_lists(scored: Pairs, floor: float, cap: float) -> None:
    town, attention = scored.town(), AttentionModel("inv", length=3, inbox_weight=1)
    shared = bound_exposure(town, attention, town.p_like, cap, floor)
    for who in range(scored.people):
        own = shared.positions[town.viewer == who]
        assert sorted(own[own >= 0].tolist()) == list(range(min(3, len(own))))
    assert np.isfinite([shared.cost_of_cap, shared.cost_of_floor]).all()


def test_the_cheapest_swap_is_made_and_the_partner_keeps_their_floor() -> None:
    """2 is last in the lists of 0 and 1, and needs a quarter of a look more."""
    scored = of_chances(np.full((5, 5), 0.5), np.array([[0, 0, 1, 1, 1], [0, 0, 1, 1, 1]] + [[0] * 5] * 3, bool))
    town = scored.town()
    wanted = {(0, 3): 0, (0, 4): 1, (0, 2): 2, (1, 4): 0, (1, 3): 1, (1, 2): 2}
    worth = {(0, 3): 0.9, (0, 4): 0.8, (0, 2): 0.1, (1, 4): 0.5, (1, 3): 0.4, (1, 2): 0.1}
    couples = list(zip(town.viewer.tolist(), town.candidate.tolist(), strict=True))
    placed = np.array([wanted[couple] for couple in couples], np.int32)
    value = np.array([worth[couple] for couple in couples], np.float32)
    looks, high = np.array([1.0, 0.5, 0.25]), np.full(5, 9.0)
    now = compute_exposure(town, placed, looks)
    low = np.array([0, 0, 0.75, 1.4, 0])
    after = swap_into_bounds(town, placed, value, np.array([2]), now, low, high, looks)
    # 3 in the middle of 1's list costs least, but would fall below their floor; 4 at its top costs 0.4 by three
    # quarters of a look, 4 in the middle of 0's list 0.7 by the quarter that is needed.
    assert {couple: int(place) for couple, place in zip(couples, after, strict=True)} == wanted | {(0, 4): 2, (0, 2): 1}
    assert compute_exposure(town, after, looks)[2] == 0.75
