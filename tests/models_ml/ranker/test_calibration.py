"""Log-odds that say too much or too little become chances that come true."""

import numpy as np
import pytest
from scipy.special import expit

from models.ml.arrays import BoolArray, Float64Array
from models.ml.ranker.calibration import calibrate
from models.ml.ranker.linear import fit_platt
from models.ml.validation.score_metrics import compute_calibration_error


def decided(log_odds: Float64Array, seed: int) -> BoolArray:
    return np.asarray(np.random.default_rng(seed).random(len(log_odds)) < expit(log_odds), np.bool_)


def test_pairs_of_whose_likes_nothing_is_known_are_calibrated_apart() -> None:
    """What is said of them is twice as sure as it may be, and too low."""
    log_odds = np.random.default_rng(1).normal(size=40_000)
    cold = np.arange(40_000) % 4 == 0
    liked = decided(np.where(cold, 0.5 * log_odds + 1, log_odds), 2)
    found = calibrate(log_odds, liked, cold)
    assert found.warm == pytest.approx((1, 0), abs=0.05)
    assert found.cold == pytest.approx((0.5, 1), abs=0.08)
    assert compute_calibration_error(liked[cold], expit(found.apply(log_odds, cold))[cold]) < 0.02


@pytest.mark.parametrize(
    ("cold", "turned"), [(np.arange(2_000) < 30, 1.0), (np.arange(2_000) >= 30, 1.0), (np.arange(2_000) % 2 == 0, -1.0)]
)
def test_all_are_calibrated_together_where_one_kind_is_few_or_the_wrong_way_round(
    cold: BoolArray, turned: float
) -> None:
    log_odds = np.random.default_rng(1).normal(size=2_000)
    liked = decided(np.where(cold, turned, 1.5) * log_odds, 2)
    found = calibrate(log_odds, liked, cold)
    assert found.cold is None
    assert found.warm == fit_platt(log_odds, liked)
