"""Ridges by hand, ridges that did not see some folds, and calibration."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.special import expit

from models.ml.arrays import BoolArray, Float32Array, Int64Array
from models.ml.ranker.calibration import calibrate
from models.ml.ranker.cold_start import NO_FOLDS, CrossFittedRidge, fit_cold_start
from models.ml.ranker.linear import LinearModel, compute_log_loss, fit_platt, fit_ridge

ROWS, FOLDS = 2_000, 5
RANDOM = np.random.default_rng(1)
X: Float32Array = RANDOM.normal(size=(ROWS, 4)).astype(np.float32)
LIKED: BoolArray = RANDOM.random(ROWS) < expit(1.5 * X[:, 0] - X[:, 1])
FOLD: Int64Array = RANDOM.integers(0, FOLDS, ROWS)
# Of those with the feature 3 in 4 like, of those without 1 in 4: odds of 3 and of 1/3.
FEATURE = np.repeat([1, 1, 1, 1, 0, 0, 0, 0], 10).astype(np.float32)
THREE_IN_FOUR = np.repeat([True, True, True, False, True, False, False, False], 10)


def test_line_by_hand_without_weight_for_constants() -> None:
    constants = np.tile(np.array([0.0, 7.0, -1e6], np.float32), (80, 1))
    line = fit_ridge(np.column_stack([FEATURE, constants]), THREE_IN_FOUR, strength=1e6)
    assert line.weights == pytest.approx([2 * math.log(3), 0, 0, 0], abs=1e-3)
    assert line.intercept == pytest.approx(-math.log(3), abs=1e-3)


def test_penalty_by_hand() -> None:
    """Where the slope of the penalty is that of the likelihood: w / C is the sum of feature · (liked - p)."""
    line = fit_ridge(FEATURE[:, None] * 2 - 1, THREE_IN_FOUR, strength=0.01)
    assert line.intercept == pytest.approx(0, abs=1e-6)
    weight = line.weights[0]
    assert weight / 0.01 == pytest.approx(80 * (0.75 - expit(weight)), rel=1e-4)
    assert 0.1 < weight < math.log(3) / 2


@pytest.mark.parametrize("rows", range(20, 200, 12))
def test_constants_alone_give_the_rate_without_a_warning(rows: int) -> None:
    """In single precision the solver has no better step than the first, which is right."""
    liked = np.arange(rows) % 3 == 0
    line = fit_ridge(np.ones((rows, 2), np.float32), liked, 1e-4)
    assert expit(line.intercept) == pytest.approx(liked.mean(), abs=1e-4)
    assert line.weights.tolist() == [0, 0]


@pytest.mark.parametrize(("likes", "passes", "rate"), [(0, 0, 0.5), (4, 0, 0.9), (0, 9, 0.05)])
def test_one_kind_of_decision_gives_a_rate(likes: int, passes: int, rate: float) -> None:
    line = fit_ridge(X[: likes + passes], np.repeat([True, False], [likes, passes]), 1e-2)
    assert line.weights.tolist() == [0] * 4
    assert expit(line.intercept) == pytest.approx(rate)


@pytest.mark.parametrize("strength", [1e-4, 1e-2, 10.0])
def test_units_change_nothing(strength: float) -> None:
    stretched = X * np.array([1, 1000, 1e-3, 1], np.float32) + np.array([0, 50, 0, -3], np.float32)
    one, other = (fit_ridge(each, LIKED, strength).log_odds(each) for each in (X, stretched))
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_free_features_are_not_held_back() -> None:
    """All four matter alike; only the last two are free."""
    liked = RANDOM.random(len(X)) < expit(X.sum(axis=1))
    held, free = fit_ridge(X, liked, 1e-5), fit_ridge(X, liked, 1e-5, unpenalised=2)
    assert np.abs(held.weights).max() < 0.02
    assert np.abs(free.weights[:2]).max() < 0.02
    assert free.weights[2:] == pytest.approx(fit_ridge(X[:, 2:], liked, 1e6).weights, rel=0.1)


def test_strength_zero_leaves_only_free_features() -> None:
    line, alone = fit_ridge(X, LIKED, 0, unpenalised=3), fit_ridge(X[:, 1:], LIKED, 1.0)
    assert line.weights.tolist() == [0, *alone.weights]
    assert line.intercept == alone.intercept


def test_loss_by_hand() -> None:
    log_odds, liked = np.array([0.0, math.log(3), 800.0]), np.array([True, False, True])
    assert compute_log_loss(log_odds, liked) == pytest.approx((math.log(2) + math.log(4)) / 3)
    assert compute_log_loss(log_odds, ~liked) == pytest.approx((math.log(2) + math.log(4 / 3) + 800) / 3)


def without(*folds: int) -> frozenset[int]:
    return frozenset(folds)


def test_a_ridge_without_none_one_and_two_folds() -> None:
    cold = fit_cold_start(X, LIKED, FOLD, [1e-2])
    ones = [without(each) for each in range(FOLDS)]
    assert set(cold.by_excluded_fold) == {NO_FOLDS, *ones, *(one | other for one, other in combinations(ones, 2))}
    for left_out, ridge in cold.by_excluded_fold.items():
        seen = ~np.isin(FOLD, list(left_out))
        np.testing.assert_array_equal(ridge.weights, fit_ridge(X[seen], LIKED[seen], 1e-2).weights)
    assert cold.full is cold.by_excluded_fold[NO_FOLDS]


def test_the_strength_has_the_least_held_out_loss() -> None:
    """A plain truth wants little penalty; noise much."""
    noise = np.arange(ROWS) // FOLDS % 2 == 0
    for liked, best in ((LIKED, 1e-2), (noise, 1e-4)):
        found = fit_cold_start(X, liked, FOLD, [1e-4, 1e-2]).full.weights
        np.testing.assert_array_equal(found, fit_ridge(X, liked, best).weights)


def test_an_unknown_fold_has_the_ridge_of_everything_else() -> None:
    cold = CrossFittedRidge({NO_FOLDS: LinearModel(np.zeros(4), 1.0), without(0): LinearModel(np.zeros(4), 2.0)})
    seven = np.full(3, 7)
    assert cold.log_odds(X[:3], seven).tolist() == [1, 1, 1]
    assert cold.log_odds(X[:3], seven, without(0)).tolist() == [2, 2, 2]


def test_two_folds_and_a_fold_of_likes_only() -> None:
    """A ridge that saw neither of two folds knows nothing; one that saw only likes knows only that people like."""
    fold = np.arange(ROWS) % 2
    nothing = fit_cold_start(X, LIKED, fold).log_odds(X, fold, without(0))
    assert np.isfinite(nothing).all()
    assert not nothing[fold == 1].any()
    fold = np.arange(ROWS) % 3
    found = fit_cold_start(X, LIKED | (fold == 0), fold).log_odds(X, fold, without(1))[fold == 2]
    assert len(set(found)) == 1
    assert found[0] > 2


# True log-odds of log 3 and -log 3, and decisions of exactly these frequencies.
EXACT = math.log(3) * np.repeat([1.0, -1.0], 400)
DECIDED = np.tile([True, True, True, False], 200) ^ (EXACT < 0)
COLD = np.arange(800) // 4 % 2 == 0


def test_pairs_without_history_are_calibrated_apart() -> None:
    """Their log-odds are twice as sure as they may be, and too low."""
    log_odds = np.where(COLD, 2 * (EXACT - 1), EXACT)
    found = calibrate(log_odds, DECIDED, COLD)
    assert found.warm == pytest.approx((1, 0), abs=1e-3)
    assert found.cold == pytest.approx((0.5, 1), abs=1e-3)
    assert found.apply(log_odds, COLD) == pytest.approx(EXACT, abs=1e-2)


@pytest.mark.parametrize(("cold", "sign"), [(np.arange(800) < 30, 1.0), (np.arange(800) >= 30, 1.0), (COLD, -1.0)])
def test_few_or_reversed_rows_are_calibrated_with_the_rest(cold: BoolArray, sign: float) -> None:
    log_odds = np.where(cold, sign, 1.5) * EXACT
    found = calibrate(log_odds, DECIDED, cold)
    assert found.cold is None
    assert found.warm == fit_platt(log_odds, DECIDED)
