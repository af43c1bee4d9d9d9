"""Ridges that did not see some folds: what a row is told never comes from its own fold or one left out."""

from itertools import combinations

import numpy as np
import pytest
from scipy.special import expit

from models.ml.arrays import BoolArray, Float32Array, Int64Array
from models.ml.ranker import cold_start as module
from models.ml.ranker.cold_start import NO_FOLDS, CrossFittedRidge, fit_cold_start
from models.ml.ranker.linear import LinearModel, fit_ridge

ROWS, FOLDS = 600, 5
RANDOM = np.random.default_rng(3)
X: Float32Array = RANDOM.normal(size=(ROWS, 4)).astype(np.float32)
LIKED: BoolArray = RANDOM.random(ROWS) < expit(1.5 * X[:, 0] - X[:, 1])
FOLD: Int64Array = RANDOM.integers(0, FOLDS, ROWS)


@pytest.fixture(autouse=True)
def one_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which strength is best is learned from all folds; everything else must not be."""
    monkeypatch.setattr(module, "RIDGE_STRENGTHS", (1e-2,))


def without(*folds: int) -> frozenset[int]:
    return frozenset(folds)


def test_there_is_a_ridge_without_none_one_and_two_folds() -> None:
    cold = fit_cold_start(X, LIKED, FOLD)
    ones = [without(each) for each in range(FOLDS)]
    assert set(cold.by_excluded_fold) == {NO_FOLDS, *ones, *(one | other for one, other in combinations(ones, 2))}
    for left_out, ridge in cold.by_excluded_fold.items():
        seen = ~np.isin(FOLD, list(left_out))
        np.testing.assert_array_equal(ridge.weights, fit_ridge(X[seen], LIKED[seen], 1e-2).weights)
    assert cold.full is cold.by_excluded_fold[NO_FOLDS]


@pytest.mark.parametrize("left_out", [NO_FOLDS, without(1), without(4)])
def test_each_row_is_told_by_the_ridge_without_its_own_fold_and_those_left_out(left_out: frozenset[int]) -> None:
    cold = fit_cold_start(X, LIKED, FOLD)
    told = cold.log_odds(X, FOLD, left_out)
    for each in range(FOLDS):
        rows = each == FOLD
        np.testing.assert_array_equal(told[rows], cold.by_excluded_fold[left_out | {each}].log_odds(X[rows]))


@pytest.mark.parametrize("changed", range(FOLDS))
def test_the_decisions_of_a_fold_tell_nothing_of_it_nor_of_others_while_it_is_left_out(changed: int) -> None:
    """Were all of them the opposite, the same would be said; of other folds, not left out, it would not."""
    here = changed == FOLD
    one, other = fit_cold_start(X, LIKED, FOLD), fit_cold_start(X, LIKED ^ here, FOLD)
    np.testing.assert_array_equal(other.log_odds(X, FOLD, without(changed)), one.log_odds(X, FOLD, without(changed)))
    plain, moved = one.log_odds(X, FOLD), other.log_odds(X, FOLD)
    np.testing.assert_array_equal(moved[here], plain[here])
    assert not np.isclose(moved[~here], plain[~here]).any()


def test_the_strength_is_that_of_the_least_held_out_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain truth wants little penalty; noise much."""
    monkeypatch.setattr(module, "RIDGE_STRENGTHS", (1e-4, 1e-2))
    noise = np.random.default_rng(1).random(ROWS) < 0.5
    for liked, best in ((LIKED, 1e-2), (noise, 1e-4)):
        np.testing.assert_array_equal(fit_cold_start(X, liked, FOLD).full.weights, fit_ridge(X, liked, best).weights)


def test_a_fold_nobody_had_seen_is_told_by_the_ridge_that_saw_everything_else() -> None:
    cold = CrossFittedRidge({NO_FOLDS: LinearModel(np.zeros(4), 1.0), without(0): LinearModel(np.zeros(4), 2.0)})
    seven = np.full(3, 7)
    assert cold.log_odds(X[:3], seven).tolist() == [1, 1, 1]
    assert cold.log_odds(X[:3], seven, without(0)).tolist() == [2, 2, 2]


@pytest.mark.parametrize("folds", [2, 3])
def test_few_folds(folds: int) -> None:
    """Of two folds, who saw neither knows nothing but that likes and passes are as likely."""
    fold = np.arange(ROWS) % folds
    cold = fit_cold_start(X, LIKED, fold)
    assert np.isfinite(cold.log_odds(X, fold, without(0))).all()
    if folds == 2:
        assert not cold.log_odds(X, fold, without(0))[fold == 1].any()


def test_a_fold_of_likes_only() -> None:
    """The others hold likes and passes; who saw that fold alone knows only that people like."""
    fold = np.arange(ROWS) % 3
    liked = LIKED | (fold == 0)
    told = fit_cold_start(X, liked, fold).log_odds(X, fold, without(1))[fold == 2]
    assert len(set(told)) == 1
    assert told[0] > 2
