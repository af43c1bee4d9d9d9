import numpy as np
import pytest

from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.outcomes.expected_matches import (
    compute_couple_probabilities,
    compute_expected_matches,
    compute_match_probabilities,
    compute_response_probabilities,
)
from tests.models_ml.market.enumeration import INV, mutual, of_rows, outcomes


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
