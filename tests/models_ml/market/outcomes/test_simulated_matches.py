"""Lots drawn: they come to what all that can happen does, and to the same for the same seed."""

import numpy as np
import pytest

from models.ml.market.outcomes import simulated_matches as module
from models.ml.market.outcomes.simulated_matches import SimulationEstimate, estimate_mean, simulate_matches
from tests.models_ml.market.enumeration import outcomes
from tests.models_ml.market.towns import mutual, of_rows

INV = [1 / k for k in range(1, 9)]


@pytest.mark.parametrize("seed", range(3))
def test_a_tiny_town_comes_to_what_all_that_can_happen_in_it_does(seed: int) -> None:
    rows = mutual(people=4, length=2, seed=seed)
    drawn = simulate_matches(of_rows(rows), runs=20_000, seed=seed)
    matches = people = 0.0
    for chance, matched in outcomes(rows, INV, INV):
        matches += chance * len(matched)
        people += chance * len({who for couple in matched for who in couple})
    assert drawn.matches.standard_error < 0.02
    assert abs(drawn.matches.mean - matches) < 3 * drawn.matches.standard_error
    assert abs(drawn.matched_people.mean - people) < 3 * drawn.matched_people.standard_error


def test_a_pair_that_matches_through_both_lists_counts_once() -> None:
    always = of_rows([(0, 1, 1, 1, 1), (1, 0, 1, 1, 1)])
    drawn = simulate_matches(always, runs=5)
    assert drawn.matches == SimulationEstimate(1, 0)
    assert drawn.matched_people == SimulationEstimate(2, 0)


def test_the_seed_decides_and_the_size_of_the_parts_does_not_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    town = of_rows(mutual(people=20, length=6, seed=1))
    first = simulate_matches(town, runs=500, seed=7)
    assert simulate_matches(town, runs=500, seed=7) == first
    assert simulate_matches(town, runs=500, seed=8) != first
    monkeypatch.setattr(module, "DRAWS_PER_BATCH", 1000)
    parted = simulate_matches(town, runs=500, seed=9)
    assert abs(parted.matches.mean - first.matches.mean) < 4 * first.matches.standard_error


def test_nothing_listed_is_nothing() -> None:
    assert simulate_matches(of_rows([]), runs=3).matches == SimulationEstimate(0, 0)


def test_a_mean_and_its_error_by_hand() -> None:
    of_four = estimate_mean(np.array([1.0, 2, 3, 4]))
    assert of_four.mean == 2.5
    assert of_four.standard_error == pytest.approx(np.sqrt(5 / 3) / 2)
    assert np.isnan(estimate_mean(np.array([1.0])).standard_error)
