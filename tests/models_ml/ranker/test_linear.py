"""Ridge logistic regression: lines by hand, what is held back and what is free, and calibration."""

import math

import numpy as np
import pytest
from scipy.special import expit

from models.ml.arrays import BoolArray, Float32Array, Float64Array
from models.ml.ranker import linear as module
from models.ml.ranker.linear import LinearModel, compute_log_loss, fit_platt, fit_ridge

ROWS = 2_000


def drawn(seed: int, rows: int = ROWS, features: int = 4) -> Float32Array:
    return np.random.default_rng(seed).normal(size=(rows, features)).astype(np.float32)


def decided(log_odds: Float64Array, seed: int) -> BoolArray:
    return np.asarray(np.random.default_rng(seed).random(len(log_odds)) < expit(log_odds), np.bool_)


X = drawn(1)
LIKED = decided(0.8 * X[:, 0] - 0.5 * X[:, 1], 2)
# Of those with the feature 3 in 4 like, of those without 1 in 4: odds of 3 and of 1/3.
FEATURE = np.repeat([1, 1, 1, 1, 0, 0, 0, 0], 10).astype(np.float32)
THREE_IN_FOUR = np.repeat([True, True, True, False, True, False, False, False], 10)


def test_log_odds_by_hand() -> None:
    line = LinearModel(np.array([2.0, -1.0]), 0.5)
    assert line.log_odds(np.array([[1, 3], [0, 0]], np.float32)).tolist() == [-0.5, 0.5]


def test_a_straight_line_by_hand() -> None:
    line = fit_ridge(np.column_stack([FEATURE, np.full(80, 5, np.float32)]), THREE_IN_FOUR, strength=1e6)
    assert line.weights == pytest.approx([2 * math.log(3), 0], abs=1e-3)
    assert line.intercept == pytest.approx(-math.log(3), abs=1e-3)


def test_what_is_held_back_by_hand() -> None:
    """Where the slope of the penalty is that of the likelihood: w / C is the sum of feature · (liked - p)."""
    line = fit_ridge(FEATURE[:, None] * 2 - 1, THREE_IN_FOUR, strength=0.01)
    assert line.intercept == pytest.approx(0, abs=1e-6)
    weight = line.weights[0]
    assert weight / 0.01 == pytest.approx(80 * (0.75 - expit(weight)), rel=1e-4)
    assert 0.1 < weight < math.log(3) / 2


@pytest.mark.parametrize("constant", [0.0, 7.0, -1e6])
def test_a_feature_that_is_always_the_same_has_no_weight(constant: float) -> None:
    same = np.full(ROWS, constant, np.float32)
    with_it, without = (fit_ridge(each, LIKED, 1e-2) for each in (np.column_stack([X, same]), X))
    assert with_it.weights == pytest.approx([*without.weights, 0])
    assert with_it.intercept == pytest.approx(without.intercept)


@pytest.mark.parametrize("rows", range(20, 200, 12))
def test_of_features_that_tell_nothing_the_rate_is_learned_without_a_warning(rows: int) -> None:
    """A warning is an error here: in single precision the solver has no better step than the first, which is right."""
    liked = np.arange(rows) % 3 == 0
    line = fit_ridge(np.ones((rows, 2), np.float32), liked, 1e-4)
    assert expit(line.intercept) == pytest.approx(liked.mean(), abs=1e-4)
    assert line.weights.tolist() == [0, 0]


@pytest.mark.parametrize(("likes", "passes", "rate"), [(0, 0, 0.5), (4, 0, 0.9), (0, 9, 0.05)])
def test_from_one_kind_of_decision_only_a_rate_is_learned(likes: int, passes: int, rate: float) -> None:
    line = fit_ridge(X[: likes + passes], np.repeat([True, False], [likes, passes]), 1e-2)
    assert line.weights.tolist() == [0] * 4
    assert expit(line.intercept) == pytest.approx(rate)


@pytest.mark.parametrize("strength", [1e-4, 1e-2, 10.0])
def test_a_line_does_not_depend_on_units(strength: float) -> None:
    stretched = X * np.array([1, 1000, 1e-3, 1], np.float32) + np.array([0, 50, 0, -3], np.float32)
    one, other = (fit_ridge(each, LIKED, strength).log_odds(each) for each in (X, stretched))
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_single_precision_gives_the_same_line(monkeypatch: pytest.MonkeyPatch) -> None:
    line = fit_ridge(X, LIKED, 1e-2)
    monkeypatch.setattr(module, "PENALISED_SCALE", 0.0)
    exact = fit_ridge(X, LIKED, 1e-2)
    assert line.weights == pytest.approx(exact.weights, abs=1e-5)
    assert line.weights.tolist() != exact.weights.tolist()


def test_a_free_feature_is_not_held_back() -> None:
    """The first two matter as much as the last two; only the last two may say so."""
    liked = decided(X.sum(axis=1), 3)
    held, free = fit_ridge(X, liked, 1e-5), fit_ridge(X, liked, 1e-5, unpenalised=2)
    assert np.abs(held.weights).max() < 0.02
    assert np.abs(free.weights[:2]).max() < 0.02
    alone = fit_ridge(X[:, 2:], liked, 1e6)
    assert free.weights[2:] == pytest.approx(alone.weights, rel=0.1)


def test_at_strength_zero_only_free_features_count() -> None:
    line = fit_ridge(X, LIKED, 0, unpenalised=3)
    alone = fit_ridge(X[:, 1:], LIKED, 1.0)
    assert line.weights.tolist() == [0, *alone.weights]
    assert line.intercept == alone.intercept


@pytest.mark.parametrize(("stretch", "moved"), [(1.0, 0.0), (2.0, 0.0), (0.5, 1.0), (-1.0, 0.5)])
def test_calibration_undoes_a_stretch_and_a_shift(stretch: float, moved: float) -> None:
    log_odds = np.random.default_rng(9).normal(size=100_000)
    slope, shift = fit_platt(stretch * log_odds + moved, decided(log_odds, 10))
    assert slope * stretch == pytest.approx(1, abs=0.05)
    assert shift + slope * moved == pytest.approx(0, abs=0.05)


def test_loss_by_hand() -> None:
    log_odds, liked = np.array([0.0, math.log(3), 800.0]), np.array([True, False, True])
    assert compute_log_loss(log_odds, liked) == pytest.approx((math.log(2) + math.log(4)) / 3)
    assert compute_log_loss(log_odds, ~liked) == pytest.approx((math.log(2) + math.log(4 / 3) + 800) / 3)
