import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.outcomes.expected_matches import (
    compute_couple_probabilities,
    compute_expected_matches,
    compute_match_probabilities,
    compute_response_probabilities,
)
from models.ml.market.outcomes.inequality import (
    compute_expected_exposure,
    compute_gini,
    compute_match_coverage,
    compute_top_share,
)
from models.ml.market.outcomes.list_likes import compute_list_likes, compute_two_sided_likes
from models.ml.market.outcomes.simulated_matches import SimulationEstimate, estimate_mean, simulate_matches
from tests.models_ml.market.enumeration import INV, mutual, of_rows, outcomes


def test_two_sides_are_numbered_one_after_the_other() -> None:
    """Proposer 0 puts receiver 1 first. The receivers, 2 and 3, like proposer 1 better."""
    like, liked_back = np.array([[0.2, 0.4], [0.6, 0.8]]), np.array([[0.1, 0.5], [0.3, 0.7]])
    likes = compute_two_sided_likes(like, liked_back, np.array([[1, 0], [0, 1]]))
    assert likes.viewer.tolist() == [1, 0, 1, 0]
    assert likes.receiver.tolist() == [2, 2, 3, 3]
    assert likes.sent.tolist() == [0.6, 0.1, 0.4, 0.4]
    assert likes.welcome.tolist() == [0.3, 0.1, 0.7, 0.5]


def test_equally_welcome_likes_have_one_order_not_by_number() -> None:
    viewer, candidate = np.arange(1, 1001), np.zeros(1000, np.int64)
    chance, position = np.full(1000, 0.5), np.ones(1000, np.int64)
    first = compute_list_likes(viewer, candidate, chance, chance, position).viewer
    turned = viewer[np.random.default_rng(1).permutation(1000)]
    np.testing.assert_array_equal(compute_list_likes(turned, candidate, chance, chance, position).viewer, first)
    assert np.corrcoef(first, viewer)[0, 1] == pytest.approx(0, abs=0.1)


def test_probabilities_above_one_and_empty_lists() -> None:
    """0.9 / ln 2 is 1.3."""
    assert sorted(of_rows([(0, 1, 0.5, 1, 1), (2, 1, 0.9, 1, 1)], lists="log").sent) == [0.5 / np.log(2), 1]
    assert of_rows([]).sizes.tolist() == []
    assert of_rows([(0, 1, 0.5, 0.5, 0)]).viewer.tolist() == []


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("inbox", ["inv", "flat", "log", [0.9, 0.9, 0.2]], ids=str)
def test_the_mean_over_all_that_can_happen(inbox: Curve, seed: int) -> None:
    """Four users with two positions each: eight likes, most of the pairs in both lists."""
    rows = mutual(people=4, length=2, seed=seed)
    mean = sum(chance * len(matched) for chance, matched in outcomes(rows, INV, evaluate_curve(inbox, 8).tolist()))
    assert compute_expected_matches(of_rows(rows), inbox) == pytest.approx(mean, abs=1e-11)


def test_batches_change_nothing() -> None:
    likes = of_rows(mutual(people=30, length=9, seed=4))
    in_batches = compute_response_probabilities(likes, inboxes_per_batch=7)
    np.testing.assert_allclose(in_batches, compute_response_probabilities(likes), atol=1e-11)


def test_a_long_inbox_is_cut_where_nothing_is_lost() -> None:
    """2,000 likes of one in a hundred each: 20 arrive, and the sum over ranks can be had from the binomial."""
    rows = [(viewer, 0, 0.01, 1 - viewer / 4000, 1) for viewer in range(1, 2001)]
    chances = compute_match_probabilities(of_rows(rows))
    k = np.arange(2000)
    log_choose = np.cumsum(np.log(np.append(1.0, (1999 - k[:-1]) / (k[1:]))))
    last = np.exp(log_choose + k * np.log(0.01) + (1999 - k) * np.log(0.99)) @ (1 / (k + 1))
    assert chances[-1] == pytest.approx(0.01 * 0.5 * last, rel=1e-9)


def test_nothing_and_certainty() -> None:
    assert compute_expected_matches(of_rows([])) == 0
    assert compute_couple_probabilities(of_rows([(0, 1, 1, 1, 0)])).tolist() == []
    assert compute_expected_matches(of_rows([(0, 1, 1, 1, 1), (1, 0, 1, 1, 1), (2, 0, 1, 0, 1)])) == 1


def test_the_mean_is_that_over_all_that_can_happen() -> None:
    rows = mutual(people=4, length=2, seed=1)
    drawn = simulate_matches(of_rows(rows), runs=20_000, seed=1)
    matches = people = 0.0
    for chance, matched in outcomes(rows, INV, INV):
        matches += chance * len(matched)
        people += chance * len(set().union(*matched))
    assert drawn.matches.standard_error < 0.02
    assert abs(drawn.matches.mean - matches) < 4 * drawn.matches.standard_error
    assert abs(drawn.matched_people.mean - people) < 4 * drawn.matched_people.standard_error


def test_a_pair_that_matches_through_both_lists_counts_once() -> None:
    drawn = simulate_matches(of_rows([(0, 1, 1, 1, 1), (1, 0, 1, 1, 1)]), runs=5)
    assert drawn.matches == SimulationEstimate(1, 0)
    assert drawn.matched_people == SimulationEstimate(2, 0)
    assert simulate_matches(of_rows([]), runs=3).matches == SimulationEstimate(0, 0)


def test_the_seed_decides_and_batches_do_not_bias() -> None:
    likes = of_rows(mutual(people=40, length=12, seed=3))
    first = simulate_matches(likes, runs=500, seed=7)
    assert simulate_matches(likes, runs=500, seed=7) == first
    assert simulate_matches(likes, runs=500, seed=8) != first
    for drawn in (first, simulate_matches(likes, runs=500, seed=9, draws_per_batch=1000)):
        assert abs(drawn.matches.mean - compute_expected_matches(likes)) < 4 * drawn.matches.standard_error


def test_a_mean_and_its_error_by_hand() -> None:
    of_four = estimate_mean(np.array([1.0, 2, 3, 4]))
    assert of_four.mean == 2.5
    assert of_four.standard_error == pytest.approx(np.sqrt(5 / 3) / 2)
    assert np.isnan(estimate_mean(np.array([1.0])).standard_error)


AMOUNTS = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=30).map(np.array)


def test_exposure_by_hand() -> None:
    candidate, position = np.array([1, 2, 0, 1, 3]), np.array([1, 2, 3, 4, 0])
    assert compute_expected_exposure(candidate, position, 5).tolist() == pytest.approx([1 / 3, 1.25, 0.5, 0, 0])
    assert compute_expected_exposure(candidate[:0], position[:0], 2).tolist() == [0, 0]


@given(AMOUNTS)
def test_gini_is_half_the_mean_difference_over_the_mean(amounts: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    difference = np.abs(amounts[:, None] - amounts[None, :]).mean()
    expected = difference / (2 * amounts.mean()) if amounts.any() else 0
    assert compute_gini(amounts) == pytest.approx(expected, abs=1e-9)


def test_the_share_of_the_top_by_hand() -> None:
    amounts = np.arange(1, 201)
    assert compute_top_share(amounts) == pytest.approx(399 / amounts.sum())
    assert compute_top_share(amounts, 1.0) == 1
    assert compute_top_share(np.array([2, 6])) == 0.75
    for nothing in (np.zeros(3), np.empty(0)):
        assert compute_top_share(nothing) == compute_gini(nothing) == 0


def test_match_coverage_is_exact_where_nobody_competes() -> None:
    """Each like is the only one in its inbox; users 3 and 4 are in no list."""
    rows = [(0, 1, 0.9, 0.8, 1), (1, 0, 0.8, 0.9, 1), (0, 2, 0.7, 0.6, 2), (3, 4, 1, 1, 0)]
    matched = sum(chance * len(set().union(*couples)) for chance, couples in outcomes(rows, [1, 0.5], [1]))
    assert compute_match_coverage(of_rows(rows), 5) == pytest.approx(matched / 5)
    assert compute_match_coverage(of_rows([]), 5) == 0
    assert compute_match_coverage(of_rows([]), 0) == 0
