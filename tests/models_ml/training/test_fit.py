"""Fitting: a planted truth that is found, noise that is not, and folds that are told nothing of themselves."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.features.pair_features import HISTORY_FEATURES
from models.ml.features.training_pairs import split_by_fold
from models.ml.ranker.calibration import MIN_ROWS
from models.ml.ranker.cold_start import CrossFittedRidge, Folds, fit_cold_start
from models.ml.ranker.linear import fit_platt, fit_ridge
from models.ml.ranker.ranker_model import Ranker, save_rankers
from models.ml.training import fit
from models.ml.training.fit import FittedRanker, ObservedHistory, TrainingSet, fit_ranker, has_enough_data
from models.ml.validation.score_metrics import (
    compute_auc,
    compute_calibration_error,
    compute_log_loss,
    compute_within_viewer_auc,
)
from tests.models_ml.conftest import specification

ROWS, GROUPS, FEATURES = 2_000, 5, 4


def drawn(seed: int, rows: int = ROWS, features: int = FEATURES) -> Float32Array:
    return np.random.default_rng(seed).normal(size=(rows, features)).astype(np.float32)


def truth(profiles: Float32Array, history: Float32Array) -> Float64Array:
    """Log-odds: two straight lines, a feature that counts in the middle only, one that does not count, and history."""
    lines = 0.8 * profiles[:, 0] - 0.5 * profiles[:, 1] + 0.6 * history[:, 6]
    return np.asarray(lines + np.where(np.abs(profiles[:, 2]) < 0.7, 1.5, -1.5), np.float64)


def decided(log_odds: Float64Array, seed: int) -> BoolArray:
    return np.asarray(np.random.default_rng(seed).random(len(log_odds)) < expit(log_odds), np.bool_)


X, H = drawn(1), drawn(2, features=HISTORY_FEATURES)
TRUTH = truth(X, H)
LIKED = decided(TRUTH, 3)
FOLD: Int64Array = np.random.default_rng(4).integers(0, GROUPS, ROWS)


def questions(
    cold: CrossFittedRidge, profiles: Float32Array, history: Float32Array, liked: BoolArray, fold: Int64Array
) -> TrainingSet:
    def known(left_out: Folds) -> ObservedHistory:
        return ObservedHistory(cold.log_odds(profiles, fold, left_out), history)

    return TrainingSet(profiles, profiles, liked, fold, known)


def fitted(
    profiles: Float32Array, history: Float32Array, liked: BoolArray, fold: Int64Array, seed: int = 0
) -> FittedRanker:
    cold = fit_cold_start(profiles, liked, fold)
    return fit_ranker(specification(), cold, questions(cold, profiles, history, liked, fold), seed)


@pytest.fixture(scope="module")
def planted() -> FittedRanker:
    return fitted(X, H, LIKED, FOLD)


def test_a_planted_truth_is_found(planted: FittedRanker) -> None:
    """Nearly as good as the truth itself, and better than straight lines."""
    reached = compute_auc(LIKED, planted.held_out)
    assert reached > compute_auc(LIKED, TRUTH) - 0.03
    assert reached > compute_auc(LIKED, planted.held_out_linear) + 0.04 > 0.65


def test_it_is_found_on_people_never_seen(planted: FittedRanker) -> None:
    profiles, history = drawn(7, rows=20_000), drawn(8, rows=20_000, features=HISTORY_FEATURES)
    chance = planted.rankers.full.predict_p_like(np.hstack([profiles, history]))
    liked = decided(truth(profiles, history), 9)
    assert compute_auc(liked, chance) > compute_auc(liked, truth(profiles, history)) - 0.02
    assert compute_calibration_error(liked, chance) < 0.03
    assert compute_log_loss(liked, chance) < compute_log_loss(liked, expit(truth(profiles, history))) + 0.02


def test_held_out_chances_are_calibrated(planted: FittedRanker) -> None:
    for held_out in (planted.held_out, planted.held_out_linear):
        assert compute_calibration_error(LIKED, expit(held_out)) < 0.03
        assert expit(held_out).mean() == pytest.approx(LIKED.mean(), abs=1e-3)


def test_what_is_held_out_is_what_the_ranker_without_the_fold_says(planted: FittedRanker) -> None:
    features = np.hstack([X, H])
    for fold in range(GROUPS):
        here = fold == FOLD
        said = planted.rankers.get_out_of_fold(fold).predict_log_odds(features[here])
        np.testing.assert_allclose(said, planted.held_out[here], atol=1e-5)
        assert np.abs(said - planted.rankers.full.predict_log_odds(features[here])).max() > 0.1


def test_all_have_the_same_number_of_trees(planted: FittedRanker) -> None:
    made = [planted.rankers.full, *planted.rankers.by_fold.values()]
    assert set(planted.rankers.by_fold) == set(range(GROUPS))
    counts = {ranker.booster.num_trees() for ranker in made if ranker.booster}
    assert len(counts) == 1
    assert counts.pop() > 10


def test_each_is_calibrated_on_what_it_is_not_asked_about(planted: FittedRanker) -> None:
    """The whole ranker on all that was held out, the one without a fold on the other folds."""
    before = np.empty(ROWS)
    for fold, ranker in planted.rankers.by_fold.items():
        before[fold == FOLD] = (planted.held_out[fold == FOLD] - ranker.shift) / ranker.slope
    for seen, ranker in [(FOLD >= 0, planted.rankers.full)] + [
        (fold != FOLD, planted.rankers.by_fold[fold]) for fold in range(GROUPS)
    ]:
        assert (ranker.slope, ranker.shift) == pytest.approx(fit_platt(before[seen], LIKED[seen]), abs=1e-3)


def test_labels_do_not_flatter_what_is_held_out() -> None:
    """Of decisions that are noise nobody can say more than the share of likes; on average it is a little less."""
    worse = []
    for seed in range(20, 30):
        liked = decided(np.zeros(200), seed)
        found = fitted(X[:200], H[:200], liked, FOLD[:200])
        worse += [
            compute_log_loss(liked, expit(said)) - compute_log_loss(liked, np.full(200, liked.mean()))
            for said in (found.held_out, found.held_out_linear)
        ]
    assert np.mean(worse) > 0.003


def test_noise_is_not_learned() -> None:
    """Within folds, that is: of a fold with more likes than most the others say too little."""
    liked = decided(np.zeros(ROWS), 5)
    found = fitted(X, H, liked, FOLD)
    assert compute_within_viewer_auc(FOLD, liked, found.held_out_linear) == pytest.approx(0.5, abs=0.04)
    assert compute_within_viewer_auc(FOLD, liked, found.held_out) == pytest.approx(0.5, abs=0.04)
    assert np.ptp(expit(found.held_out)) < 0.2


def test_what_identifies_a_row_does_not_help() -> None:
    """A hundred columns tell 400 rows apart; held out they tell nothing, not even through the cold ridges."""
    reached, fold = [], np.arange(400) % 5
    for seed in range(4):
        hashes, history = drawn(10 + seed, rows=400, features=100), np.zeros((400, HISTORY_FEATURES), np.float32)
        liked = decided(np.zeros(400), 20 + seed)
        found = fitted(hashes, history, liked, fold)
        reached.append(
            [compute_within_viewer_auc(fold, liked, said) for said in (found.held_out_linear, found.held_out)]
        )
    assert np.mean(reached, axis=0) == pytest.approx([0.5, 0.5], abs=0.04)


@pytest.mark.parametrize("corrections", [(0.0,), (1e-2,)])
def test_the_ridge_kept_is_cold_log_odds_first_then_history(
    monkeypatch: pytest.MonkeyPatch, corrections: tuple[float]
) -> None:
    """The two stages, one after the other, say what the one line of features says."""
    monkeypatch.setattr(fit, "CORRECTION_STRENGTHS", corrections)
    cold = fit_cold_start(X, LIKED, FOLD)
    asked = questions(cold, X, H, LIKED, FOLD)
    found = split_by_fold(FOLD)
    parts, held_out = fit._cross_fit_linear(cold, asked, found)
    for part, (train, held) in zip(parts, found, strict=False):
        left_out = frozenset({int(FOLD[held[0]])})
        told = np.column_stack([X, cold.log_odds(X, FOLD, left_out), H])
        line = fit_ridge(told[train].astype(np.float32), LIKED[train], corrections[0], unpenalised=1 + HISTORY_FEATURES)
        np.testing.assert_allclose(held_out[held], line.log_odds(told[held]), atol=1e-5)
        np.testing.assert_allclose(part.linear.log_odds(np.hstack([X, H])[held]), held_out[held], atol=1e-5)
        np.testing.assert_array_equal(part.start[held], held_out[held])
    if corrections == (0.0,):
        folded = parts[-1].linear.weights[:-HISTORY_FEATURES] / cold.full.weights
        np.testing.assert_allclose(folded, folded[0])


def test_trees_learn_only_what_the_ridge_missed() -> None:
    """Where it missed nothing they add nothing; where it knew nothing they add all there is."""
    features = np.hstack([X, H])
    everything = np.arange(ROWS)
    line = fit_ridge(features, LIKED, 1.0)
    sure = np.where(LIKED, 30.0, -30.0)
    for start, most in ((sure, 1e-6), (np.zeros(ROWS), np.inf)):
        booster = fit._train_part(fit._FittedRidge(line, start, features, features, everything), LIKED, 20, seed=0)
        added = np.asarray(booster.predict(features, raw_score=True))
        assert np.ptp(added) < most
    assert compute_auc(LIKED, added) > 0.75


def test_no_decision_of_a_fold_tells_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were all decisions of a fold the opposite, the ranker without it would be the same, calibration aside."""
    monkeypatch.setattr("models.ml.ranker.cold_start.RIDGE_STRENGTHS", (1e-2,))
    monkeypatch.setattr(fit, "CORRECTION_STRENGTHS", (1e-3,))
    monkeypatch.setattr(fit, "_choose_rounds", lambda *_: 1)  # their number is chosen on held-out decisions
    one = fitted(X, H, LIKED, FOLD)
    for fold in range(GROUPS):
        other = fitted(X, H, LIKED ^ (fold == FOLD), FOLD)
        np.testing.assert_array_equal(raw(other.rankers.get_out_of_fold(fold)), raw(one.rankers.get_out_of_fold(fold)))
        two, three = (raw(found.rankers.get_out_of_fold((fold + 1) % GROUPS)) for found in (one, other))
        assert np.abs(two - three).mean() > 0.1


def raw(ranker: Ranker) -> Float64Array:
    """Log-odds before calibration."""
    return np.asarray((ranker.predict_log_odds(np.hstack([X, H])) - ranker.shift) / ranker.slope).round(9)


def files(found: FittedRanker, folder: Path) -> dict[str, bytes]:
    save_rankers(found.rankers, folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_rows_and_seed_give_the_same_files(planted: FittedRanker, tmp_path: Path) -> None:
    again = fitted(X, H, LIKED, FOLD)
    assert files(again, tmp_path / "twice") == files(planted, tmp_path / "once")
    np.testing.assert_array_equal(again.held_out, planted.held_out)
    assert files(fitted(X, H, LIKED, FOLD, seed=1), tmp_path / "other") != files(planted, tmp_path / "once")


def test_the_means_are_the_features_own(planted: FittedRanker) -> None:
    assert planted.rankers.full.means == pytest.approx(np.hstack([X, H]).mean(axis=0, dtype=float))


def test_too_few_rows_to_split_still_fit() -> None:
    """Of 100 rows no tree may split, so that the one there is says the same of everybody."""
    features, history = drawn(1, rows=100), np.zeros((100, HISTORY_FEATURES), np.float32)
    liked = np.arange(100) % 2 == 0
    found = fitted(features, history, liked, np.arange(100) // 20)
    booster, rows = found.rankers.full.booster, np.hstack([features, history])
    assert booster is not None
    assert booster.num_trees() == 1
    assert np.ptp(np.asarray(booster.predict(rows, raw_score=True))) == 0
    assert np.isfinite(found.held_out).all()
    assert found.rankers.full.predict_p_like(rows).mean() == pytest.approx(0.5, abs=0.1)


def halves(first: int, second: int) -> tuple[BoolArray, Int64Array]:
    """Two folds of 100 rows with so many likes in each."""
    liked = np.arange(200) % 100 < np.repeat([first, second], 100)
    return np.asarray(liked), np.repeat([3, 8], 100)


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        (50, 50, True),
        (MIN_ROWS, 100 - MIN_ROWS, True),
        (MIN_ROWS - 1, 50, False),
        (50, 101 - MIN_ROWS, False),
        (0, 0, False),
        (100, 100, False),
    ],
)
def test_what_teaches(first: int, second: int, answer: bool) -> None:
    assert has_enough_data(*halves(first, second)) is answer


def test_nothing_teaches_without_folds_to_hold_out() -> None:
    liked = np.arange(200) % 2 == 0
    assert not has_enough_data(liked, np.zeros(200, np.int64))
    assert not has_enough_data(liked[:0], np.empty(0, np.int64))


@pytest.mark.parametrize(
    ("gains", "rows", "rounds"),
    [
        ([[0.1, 0.3, 0.2], [0.1, 0.2, 0.1, 0.9]], [10, 10], 2),  # 0.5 together, 0.1 apart
        ([[0.1, 0.9], [0.1, -0.9]], [10, 10], 1),
        ([[0.1, 0.9], [0.1, -0.9]], [30, 10], 1),  # the most is gained by two, but not by all alike
        ([[-0.2, -0.1], [-0.2, -0.1]], [10, 10], 1),
        ([[0.3, 0.3], [0.2, 0.2]], [10, 10], 1),
    ],
)
def test_trees_are_as_many_as_gain_most_or_one(gains: list[list[float]], rows: list[int], rounds: int) -> None:
    assert fit._choose_rounds([np.array(gain) for gain in gains], rows) == rounds


def test_what_the_ridge_can_say_alone_is_left_to_it() -> None:
    straight = decided(0.8 * X[:, 0] - 0.5 * X[:, 1], 8)
    found = fitted(X, H, straight, FOLD)
    assert found.rankers.full.booster is not None
    assert found.rankers.full.booster.num_trees() == 1
    np.testing.assert_allclose(found.held_out, found.held_out_linear, atol=0.1)


def test_the_number_of_threads_changes_no_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    part = fit._FittedRidge(fit_ridge(X, LIKED, 1.0), np.zeros(ROWS), X, X, np.arange(ROWS))
    one = fit._train_part(part, LIKED, 5, seed=0).predict(X)
    monkeypatch.setattr(fit, "MANY_ROWS", 0)
    np.testing.assert_array_equal(fit._train_part(part, LIKED, 5, seed=0).predict(X), one)
