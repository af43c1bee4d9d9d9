"""Fitting: steps by hand, a planted truth that is found, noise that is not, and nothing known of who is held out."""

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from models.ml import fitting
from models.ml.fitting import ENOUGH, HeldOut, Split, fit, teaches
from models.ml.metrics import auc, calibration_error, log_loss
from models.ml.pairs import folds
from models.ml.people import Floats
from models.ml.ranker import Bools, Doubles, Ranker, save
from tests.models_ml.conftest import specification

ROWS, GROUPS, FEATURES = 2_000, 40, 4


def drawn(seed: int, rows: int = ROWS, features: int = FEATURES) -> Floats:
    return np.random.default_rng(seed).normal(size=(rows, features)).astype(np.float32)


def truth(features: Floats) -> Doubles:
    """Log-odds: two straight lines, a feature that counts in the middle only, and one that does not count."""
    lines = 0.8 * features[:, 0] - 0.5 * features[:, 1]
    return np.asarray(lines + np.where(np.abs(features[:, 2]) < 0.7, 1.5, -1.5), np.float64)


def decided(log_odds: Doubles, seed: int) -> Bools:
    return np.asarray(np.random.default_rng(seed).random(len(log_odds)) < expit(log_odds), np.bool_)


def splits_of(rows: int, groups: int) -> list[Split]:
    return folds(np.arange(rows) % groups)


SPLITS = splits_of(ROWS, GROUPS)
X = drawn(1)
LIKED = decided(truth(X), 2)


def fitted(features: Floats, liked: Bools, splits: list[Split], seed: int = 0) -> tuple[Ranker, HeldOut]:
    return fit(specification(), float(liked.mean()), features, liked, splits, seed)


@pytest.fixture(scope="module")
def planted() -> tuple[Ranker, HeldOut]:
    return fitted(X, LIKED, SPLITS)


def test_a_planted_truth_is_found(planted: tuple[Ranker, HeldOut]) -> None:
    """Nearly as good as the truth itself, and better than straight lines."""
    _, held_out = planted
    reached = auc(LIKED, held_out.p_like)
    assert reached > auc(LIKED, truth(X)) - 0.03
    assert reached > auc(LIKED, held_out.p_like_linear) + 0.05 > 0.65


def test_it_is_found_on_people_never_seen(planted: tuple[Ranker, HeldOut]) -> None:
    ranker, _ = planted
    features = drawn(7, rows=20_000)
    chance = ranker.p_like(features)
    liked = decided(truth(features), 8)
    assert auc(liked, chance) > auc(liked, truth(features)) - 0.02
    assert calibration_error(liked, chance) < 0.03
    assert log_loss(liked, chance) < log_loss(liked, expit(truth(features))) + 0.02


def test_held_out_chances_are_calibrated(planted: tuple[Ranker, HeldOut]) -> None:
    _, held_out = planted
    assert calibration_error(LIKED, held_out.p_like) < 0.03
    assert held_out.p_like.mean() == pytest.approx(LIKED.mean(), abs=1e-3)


def test_noise_is_not_learned() -> None:
    liked = decided(np.zeros(ROWS), 3)
    _, held_out = fitted(X, liked, SPLITS)
    assert auc(liked, held_out.p_like_linear) == pytest.approx(0.5, abs=0.04)
    assert auc(liked, held_out.p_like) == pytest.approx(0.5, abs=0.04)
    assert np.ptp(held_out.p_like) < 0.2


def test_what_identifies_a_row_does_not_help() -> None:
    """In the sample 200 columns tell 600 rows apart; held out they tell nothing."""
    hashes = drawn(6, rows=600, features=200)
    liked = decided(np.zeros(600), 5)
    _, held_out = fitted(hashes, liked, splits_of(600, 30))
    in_sample = fitting._fit_linear(hashes, liked, ridge=1.0).log_odds(hashes)
    assert auc(liked, in_sample) > 0.8
    assert auc(liked, held_out.p_like_linear) == pytest.approx(0.5, abs=0.06)
    assert auc(liked, held_out.p_like) == pytest.approx(0.5, abs=0.06)


def test_the_linear_start_of_a_row_knows_no_decision_of_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were all decisions held out together with it the opposite, it would be the same."""
    monkeypatch.setattr(fitting, "RIDGES", (1e-2,))
    _, start = fitting._cross_fit_linear(X, LIKED, SPLITS)
    for _, held in SPLITS:
        changed = LIKED.copy()
        changed[held] = ~changed[held]
        _, other = fitting._cross_fit_linear(X, changed, SPLITS)
        np.testing.assert_array_equal(other[held], start[held])
        assert not np.isclose(np.delete(other, held), np.delete(start, held)).any()


def test_the_same_rows_and_seed_give_the_same_files(planted: tuple[Ranker, HeldOut], tmp_path: Path) -> None:
    again, held_out = fitted(X, LIKED, SPLITS)
    save(planted[0], tmp_path / "once")
    save(again, tmp_path / "twice")
    for name in ("ranker.json", "trees.txt"):
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()
    np.testing.assert_array_equal(held_out.p_like, planted[1].p_like)


def test_the_means_are_the_features_own(planted: tuple[Ranker, HeldOut]) -> None:
    assert planted[0].means == pytest.approx(X.mean(axis=0, dtype=float))
    assert planted[0].base_rate == LIKED.mean()


@pytest.mark.parametrize("constant", [0.0, 7.0, -1e6])
def test_a_feature_that_is_always_the_same_has_no_weight(constant: float) -> None:
    same = np.full(ROWS, constant, np.float32)
    with_it, without = (fitting._fit_linear(each, LIKED, 1e-2) for each in (np.column_stack([X, same]), X))
    assert with_it.weights == pytest.approx([*without.weights, 0])
    assert with_it.intercept == pytest.approx(without.intercept)


def test_too_few_rows_to_split_still_fit() -> None:
    """48 rows: no tree may split, so that the trees say the same of everybody."""
    features = drawn(1, rows=48)
    liked = np.arange(48) % 2 == 0
    ranker, held_out = fitted(features, liked, splits_of(48, 6))
    assert ranker.booster is not None
    assert np.ptp(np.asarray(ranker.booster.predict(features, raw_score=True))) == 0
    assert np.isfinite(held_out.p_like).all()
    assert ranker.p_like(features).mean() == pytest.approx(0.5, abs=0.1)


def test_a_straight_line_by_hand() -> None:
    """Of those with the feature 3 in 4 like, of those without 1 in 4: odds of 3 and of 1/3."""
    feature = np.repeat([1, 1, 1, 1, 0, 0, 0, 0], 10)
    liked = np.repeat([True, True, True, False, True, False, False, False], 10)
    line = fitting._fit_linear(np.column_stack([feature, np.full(80, 5)]).astype(np.float32), liked, ridge=1e6)
    assert line.weights == pytest.approx([2 * math.log(3), 0], abs=1e-3)
    assert line.intercept == pytest.approx(-math.log(3), abs=1e-3)


def test_a_line_does_not_depend_on_units() -> None:
    stretched = X * np.array([1, 1000, 1e-3, 1], np.float32) + np.array([0, 50, 0, -3], np.float32)
    one, other = (fitting._fit_linear(each, LIKED, 1e-2).log_odds(each) for each in (X, stretched))
    np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.parametrize(("stretch", "moved"), [(1.0, 0.0), (2.0, 0.0), (0.5, 1.0), (-1.0, 0.5)])
def test_calibration_undoes_a_stretch_and_a_shift(stretch: float, moved: float) -> None:
    log_odds = np.random.default_rng(9).normal(size=100_000)
    liked = decided(log_odds, 10)
    slope, shift = fitting._platt(stretch * log_odds + moved, liked)
    assert slope * stretch == pytest.approx(1, abs=0.05)
    assert shift + slope * moved == pytest.approx(0, abs=0.05)


def test_loss_by_hand() -> None:
    log_odds, liked = np.array([0.0, math.log(3), 800.0]), np.array([True, False, True])
    assert fitting._loss(log_odds, liked) == pytest.approx((math.log(2) + math.log(4)) / 3)
    assert fitting._loss(log_odds, ~liked) == pytest.approx((math.log(2) + math.log(4 / 3) + 800) / 3)


def halves(train_likes: int, held_likes: int) -> tuple[Bools, list[Split]]:
    """Two folds of 100 rows with so many likes in each."""
    liked = np.arange(200) % 100 < np.repeat([train_likes, held_likes], 100)
    first, second = np.arange(100), np.arange(100, 200)
    return liked, [(first, second), (second, first)]


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        (50, 50, True),
        (ENOUGH, 100 - ENOUGH, True),
        (ENOUGH - 1, 50, False),
        (50, 101 - ENOUGH, False),
        (0, 0, False),
        (100, 100, False),
    ],
)
def test_what_teaches(first: int, second: int, answer: bool) -> None:
    assert teaches(*halves(first, second)) is answer


def test_nothing_teaches_without_groups_to_hold_out() -> None:
    liked: NDArray[np.bool_] = np.arange(200) % 2 == 0
    assert not teaches(liked, [])
    assert not teaches(liked[:0], [])


def test_the_number_of_threads_changes_no_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    start = np.zeros(ROWS)
    one = fitting._boost(X, LIKED, start, 5, seed=0).predict(X)
    monkeypatch.setattr(fitting, "MANY_ROWS", 0)
    np.testing.assert_array_equal(fitting._boost(X, LIKED, start, 5, seed=0).predict(X), one)
