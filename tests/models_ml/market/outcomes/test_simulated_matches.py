import numpy as np
import pytest

from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.simulated_matches import SimulationEstimate, estimate_mean, simulate_matches
from tests.models_ml.market.enumeration import INV, mutual, of_rows, outcomes


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
