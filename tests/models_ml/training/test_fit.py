"""Fitting: a planted truth is found and calibrated, by no more trees than it needs."""

import numpy as np
import pytest
from scipy.special import expit

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.features.pair_features import HISTORY_FEATURES
from models.ml.ranker.calibration import MIN_ROWS
from models.ml.ranker.cold_start import Folds, fit_cold_start
from models.ml.ranker.linear import fit_platt
from models.ml.training import fit
from models.ml.validation.score_metrics import compute_auc, compute_calibration_error
from tests.models_ml.conftest import specification

ROWS, FOLDS = 2_000, 5


def decided(log_odds: Float64Array) -> BoolArray:
    return np.asarray(np.random.default_rng(3).random(len(log_odds)) < expit(log_odds), np.bool_)


RANDOM = np.random.default_rng(1)
X: Float32Array = RANDOM.normal(size=(ROWS, 4)).astype(np.float32)
H: Float32Array = RANDOM.normal(size=(ROWS, HISTORY_FEATURES)).astype(np.float32)
LINES = 0.8 * X[:, 0] - 0.5 * X[:, 1]
# A feature counts in the middle only, and one does not count.
TRUTH = LINES + 0.6 * H[:, 6] + np.where(np.abs(X[:, 2]) < 0.7, 1.5, -1.5)
LIKED = decided(TRUTH)
FOLD: Int64Array = RANDOM.integers(0, FOLDS, ROWS)


def fitted(profiles: Float32Array, history: Float32Array, liked: BoolArray, fold: Int64Array) -> fit.FittedRanker:
    cold = fit_cold_start(profiles, liked, fold)

    def known(left_out: Folds) -> fit.ObservedHistory:
        return fit.ObservedHistory(cold.log_odds(profiles, fold, left_out), history)

    return fit.fit_ranker(specification(), cold, fit.TrainingSet(profiles, profiles, liked, fold, known), seed=0)


@pytest.fixture(scope="module")
def planted() -> fit.FittedRanker:
    return fitted(X, H, LIKED, FOLD)


def test_a_planted_truth_is_found(planted: fit.FittedRanker) -> None:
    """Nearly as well as the truth itself, and better than by straight lines."""
    reached = compute_auc(LIKED, planted.held_out)
    assert reached > compute_auc(LIKED, TRUTH) - 0.03
    assert reached > compute_auc(LIKED, planted.held_out_linear) + 0.04 > 0.65
    for held_out in (planted.held_out, planted.held_out_linear):
        assert compute_calibration_error(LIKED, expit(held_out)) < 0.03
        assert expit(held_out).mean() == pytest.approx(LIKED.mean(), abs=1e-3)


def test_held_out_log_odds_are_of_the_ranker_without_the_fold(planted: fit.FittedRanker) -> None:
    features, full = np.hstack([X, H]), planted.rankers.full
    assert set(planted.rankers.by_fold) == set(range(FOLDS))
    assert full.means == pytest.approx(features.mean(axis=0, dtype=float))
    for fold, ranker in planted.rankers.by_fold.items():
        here = fold == FOLD
        log_odds = ranker.predict_log_odds(features[here])
        np.testing.assert_allclose(log_odds, planted.held_out[here], atol=1e-5)
        assert np.abs(log_odds - full.predict_log_odds(features[here])).max() > 0.1
        assert ranker.booster is not None
        assert full.booster is not None
        assert ranker.booster.num_trees() == full.booster.num_trees() > 10


def test_each_ranker_is_calibrated_on_other_folds(planted: fit.FittedRanker) -> None:
    """The full ranker on all that was held out."""
    before = np.empty(ROWS)
    for fold, ranker in planted.rankers.by_fold.items():
        before[fold == FOLD] = (planted.held_out[fold == FOLD] - ranker.shift) / ranker.slope
    for fold, ranker in {-1: planted.rankers.full, **planted.rankers.by_fold}.items():
        seen = fold != FOLD
        assert (ranker.slope, ranker.shift) == pytest.approx(fit_platt(before[seen], LIKED[seen]), abs=1e-3)


def test_trees_hardly_change_what_the_ridge_says_alone() -> None:
    liked = decided(LINES)
    found = fitted(X, H, liked, FOLD)
    assert compute_auc(liked, found.held_out) == pytest.approx(compute_auc(liked, found.held_out_linear), abs=0.01)


def test_trees_learn_only_what_the_start_missed() -> None:
    """And the same in any number of threads."""

    def added(start: Float64Array, threads: int = 1) -> Float64Array:
        parameters = fit.TREE_PARAMETERS | {"seed": 0, "num_threads": threads}
        return np.asarray(fit.train_trees(parameters, X, LIKED, start, 20).predict(X, raw_score=True))

    nothing = np.zeros(ROWS)
    assert compute_auc(LIKED, added(nothing)) > 0.65
    np.testing.assert_array_equal(added(nothing, threads=3), added(nothing))
    assert np.ptp(added(np.where(LIKED, 30.0, -30.0))) < 1e-6


def test_too_few_rows_to_split_still_fit() -> None:
    """Of 100 rows no tree may split: the one there is says the same of all."""
    features, history = X[:100], np.zeros((100, HISTORY_FEATURES), np.float32)
    found = fitted(features, history, np.arange(100) % 2 == 0, np.arange(100) // 20)
    booster, rows = found.rankers.full.booster, np.hstack([features, history])
    assert booster is not None
    assert booster.num_trees() == 1
    assert np.ptp(np.asarray(booster.predict(rows, raw_score=True))) == 0
    assert np.isfinite(found.held_out).all()
    assert found.rankers.full.predict_p_like(rows).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("first", "second", "enough"),
    [
        (MIN_ROWS, 100 - MIN_ROWS, True),
        (MIN_ROWS - 1, 50, False),
        (50, 101 - MIN_ROWS, False),
    ],
)
def test_each_fold_s_others_need_both_kinds(first: int, second: int, enough: bool) -> None:
    """Two folds of 100 rows with so many likes in each; without folds nothing can be held out."""
    liked: BoolArray = np.arange(200) % 100 < np.repeat([first, second], 100)
    assert fit.has_enough_data(liked, np.repeat([3, 8], 100)) is enough
    assert not fit.has_enough_data(liked, np.zeros(200, np.int64))
    assert not fit.has_enough_data(liked[:0], np.empty(0, np.int64))


@pytest.mark.parametrize(
    ("gains", "rows", "rounds"),
    [
        ([[0.1, 0.3, 0.2], [0.1, 0.2, 0.1, 0.9]], [10, 10], 2),  # 0.5 together, 0.1 apart
        ([[0.1, 0.9], [0.1, -0.9]], [30, 10], 1),  # the most is gained by two, but not by all alike
        ([[-0.2, -0.1], [-0.2, -0.1]], [10, 10], 1),
    ],
)
def test_trees_are_as_many_as_gain_most_or_one(gains: list[list[float]], rows: list[int], rounds: int) -> None:
    assert fit._choose_rounds([np.array(gain) for gain in gains], rows) == rounds
