"""Fit the ranker: a ridge on profiles and history, trees from its log-odds, calibration.

Every choice is made on held-out folds. The models fitted without a fold are kept, calibrated on the other folds, so
that later rankers can be compared with them on that fold.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.features.pair_features import HISTORY_FEATURES, has_no_history
from models.ml.features.training_pairs import FoldSplit, split_by_fold
from models.ml.profiles.feature_spec import FeatureSpec
from models.ml.ranker.calibration import MIN_ROWS, Calibration, apply_by_fold, calibrate, calibrate_by_fold
from models.ml.ranker.cold_start import NO_FOLDS, RIDGE_STRENGTHS, CrossFittedRidge, Folds
from models.ml.ranker.linear import LinearModel, compute_log_loss, fit_ridges
from models.ml.ranker.ranker_model import CrossFittedRanker, Ranker
from models.ml.validation.gate_rules import Rule

# Inverse penalties (C) of the profile features, next to the cold-start log-odds; 0 leaves them out.
CORRECTION_STRENGTHS = (0.0, 1e-3, 1e-2)
MAX_TREES = 300
# Below this many rows one thread is faster; the trees are the same.
MANY_ROWS = 100_000
EARLY_STOPPING_ROUNDS = 30
TREE_PARAMETERS = {
    "objective": "binary",
    "boost_from_average": False,
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 100,
    "lambda_l2": 20.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "max_bin": 63,
    "verbose": -1,
}

TreeTrainer = Callable[[Mapping[str, object], Float32Array, BoolArray, Float64Array, int], lgb.Booster]
"""Trains trees from LightGBM's parameters, features float32 (n, f), labels (n,), initial log-odds (n,) and rounds."""

Say = Callable[[str], None]
"""Receives a sentence at the start of each step of a training."""


def say_nothing(_sentence: str) -> None:
    """Ignore the progress of a training."""


def train_trees(
    parameters: Mapping[str, object], features: Float32Array, liked: BoolArray, start: Float64Array, rounds: int
) -> lgb.Booster:
    """Train trees in this process."""
    return lgb.train(dict(parameters), lgb.Dataset(features, liked.astype(np.int8), init_score=start), rounds)


@dataclass(frozen=True)
class SearchSpace:
    """What is chosen on held-out folds: inverse penalties (C) of both ridges, and at most so many trees."""

    cold: Sequence[float] = RIDGE_STRENGTHS
    corrections: Sequence[float] = CORRECTION_STRENGTHS
    max_trees: int = MAX_TREES


SEARCH_SPACE = SearchSpace()


@dataclass(frozen=True)
class ObservedHistory:
    """What is visible of n pairs: cold log-odds, float64 (n,), and history features, float32 (n, HISTORY_FEATURES)."""

    cold: Float64Array
    history: Float32Array


@dataclass(frozen=True)
class TrainingSet:
    """n samples to train on: features of the profiles, float32 (n, f), labels, folds, and visible history."""

    profiles: Float32Array
    imputed: Float32Array
    """The same features with all missing values imputed; trees are trained on these."""
    liked: BoolArray
    fold: Int64Array
    observe: Callable[[Folds], ObservedHistory]
    """Returns what is visible, from ridges that saw neither a row's own fold nor these."""


@dataclass(frozen=True)
class FittedRanker:
    """Rankers, and out-of-fold log-odds, float64 (n,), calibrated on the other folds."""

    rankers: CrossFittedRanker
    held_out: Float64Array
    held_out_linear: Float64Array
    """Log-odds of the ridge alone, with its own calibration."""


@dataclass(frozen=True)
class _FittedRidge:
    """A ridge fitted on `rows`, and its log-odds of all rows, from which the trees start.

    Trees are trained on `imputed` and evaluated on `features`.
    """

    linear: LinearModel
    start: Float64Array
    features: Float32Array
    imputed: Float32Array
    rows: Int64Array


def has_enough_data(liked: BoolArray, fold: Int64Array) -> bool:
    """Return whether `bound_data` is met."""
    return bound_data(liked, fold).is_met


def bound_data(liked: BoolArray, fold: Int64Array) -> Rule:
    """Return the rule that there are MIN_ROWS likes and passes, overall and in the training part of each split."""
    found = split_by_fold(fold)
    parts = [liked, *(liked[train] for train, _ in found)]
    fewest = min(int(min(part.sum(), (~part).sum())) for part in parts) if found else 0
    likes, passes = int(liked.sum()), int((~liked).sum())
    said = f"{likes:,} likes and {passes:,} passes in {len(found)} folds, fewest likes or passes without one of them"
    operands = {"likes": likes, "passes": passes, "folds": len(found)}
    return Rule("fewest_without_a_fold", said, fewest, "at least", MIN_ROWS, operands=operands)


def fit_ranker(
    spec: FeatureSpec,
    cold: CrossFittedRidge,
    questions: TrainingSet,
    seed: int,
    grow: TreeTrainer = train_trees,
    search: SearchSpace = SEARCH_SPACE,
    say: Say = say_nothing,
) -> FittedRanker:
    """Fit ridge, trees and calibration.

    The trees start from the ridge's log-odds, so that they learn only what it missed. The number of trees, the ridge
    penalty and the full ranker's calibration are chosen on all held-out rows. The calibration of a ranker without a
    fold is fitted on the other folds.

    Args:
        spec: The feature spec.
        cold: The cold-start ridges of the same folds.
        questions: The samples to train on.
        seed: Seed of the trees.
        grow: Trains the trees of the full ranker.
        search: What to choose from.
        say: Receives each step.
    """
    found = split_by_fold(questions.fold)
    say(f"ridge with history on {len(questions.liked):,} samples")
    parts, linear = _cross_fit_linear(cold, questions, found, search.corrections)
    boosters, rounds, trees = _cross_fit_trees(questions.liked, parts, found, seed, search.max_trees, say)
    whole = parts[-1]
    say(f"trees of all folds: {rounds}")
    booster = _train_part(whole, questions.liked, rounds, seed, grow)
    means = whole.features.mean(axis=0, dtype=np.float64)
    cold_rows = has_no_history(whole.features)
    rows = questions.liked, cold_rows, questions.fold
    calibrations, of_linear = calibrate_by_fold(linear + trees, *rows), calibrate_by_fold(linear, *rows)

    def assemble_ranker(
        cold: LinearModel, part: _FittedRidge, booster: lgb.Booster, calibration: Calibration
    ) -> Ranker:
        return Ranker(spec, cold, part.linear, means, *calibration.warm, booster, calibration.cold)

    by_fold = {
        fold: assemble_ranker(cold.by_excluded_fold[frozenset({fold})], part, booster, calibration)
        for (fold, calibration), part, booster in zip(calibrations.items(), parts, boosters, strict=False)
    }
    of_all = calibrate(linear + trees, questions.liked, cold_rows)
    return FittedRanker(
        CrossFittedRanker(assemble_ranker(cold.full, whole, booster, of_all), by_fold),
        apply_by_fold(calibrations, linear + trees, cold_rows, questions.fold),
        apply_by_fold(of_linear, linear, cold_rows, questions.fold),
    )


def _cross_fit_linear(
    cold: CrossFittedRidge, questions: TrainingSet, found: Sequence[FoldSplit], strengths: Sequence[float]
) -> tuple[list[_FittedRidge], Float64Array]:
    """Fit the ridge of each split, then of all rows, with the penalty of the lowest held-out loss.

    Cold-start log-odds and history are hardly penalised. On a few thousand pairs they carry all that the profiles add.
    With more data the profile features get weights of their own, as users are not shown to each other at random.

    Returns:
        The ridges, and their held-out log-odds, float64 (n,).
    """
    left_out: list[Folds] = [frozenset({int(questions.fold[held[0]])}) for _, held in found] + [NO_FOLDS]
    everything = np.arange(len(questions.liked))
    known = [questions.observe(folds) for folds in left_out]
    designs = [np.hstack([questions.profiles, each.cold[:, None], each.history], dtype=np.float32) for each in known]
    seen = [*(train for train, _ in found), everything]

    def fit_splits(strength: float, which: range) -> list[LinearModel]:
        return fit_ridges(
            [(designs[at], seen[at]) for at in which], questions.liked, strength, unpenalised=1 + HISTORY_FEATURES
        )

    def predict_held_out(linears: list[LinearModel]) -> Float64Array:
        log_odds = np.empty(len(everything))
        for linear, design, (_, held) in zip(linears, designs, found, strict=False):
            log_odds[held] = linear.log_odds(design[held])
        return log_odds

    tried = {strength: fit_splits(strength, range(len(found))) for strength in strengths}
    best = min(strengths, key=lambda each: compute_log_loss(predict_held_out(tried[each]), questions.liked))
    linears = tried[best] + fit_splits(best, range(len(found), len(found) + 1))
    parts = [
        _FittedRidge(
            _compose_linear(linear, cold.by_excluded_fold[folds]),
            linear.log_odds(design),
            np.hstack([questions.profiles, each.history]),
            np.hstack([questions.imputed, each.history]),
            rows,
        )
        for linear, folds, design, each, rows in zip(linears, left_out, designs, known, seen, strict=True)
    ]
    return parts, predict_held_out(tried[best])


def _compose_linear(linear: LinearModel, cold: LinearModel) -> LinearModel:
    """Compose a linear function of profile features, cold log-odds and history into one of the features alone."""
    of_profiles, of_cold, history = np.split(linear.weights, [-1 - HISTORY_FEATURES, -HISTORY_FEATURES])
    weights = np.concatenate([of_profiles + of_cold * cold.weights, history])
    return LinearModel(weights, linear.intercept + float(of_cold[0]) * cold.intercept)


def _cross_fit_trees(
    liked: BoolArray, parts: Sequence[_FittedRidge], found: Sequence[FoldSplit], seed: int, max_trees: int, say: Say
) -> tuple[list[lgb.Booster], int, Float64Array]:
    """Train the trees of each split, with their number chosen on held-out rows.

    Returns:
        The boosters, the number of trees, and the log-odds they add to held-out rows, float64 (n,).
    """
    gains, boosters = [], []
    for number, (part, (train, held)) in enumerate(zip(parts, found, strict=False), 1):
        say(f"trees without fold {number} of {len(found)}")
        data = _make_dataset(part, liked, train)
        losses: dict[str, dict[str, list[float]]] = {}
        stop: list[Callable[..., object]] = [
            lgb.record_evaluation(losses),
            lgb.early_stopping(EARLY_STOPPING_ROUNDS, verbose=False),
        ]
        held_data = data.create_valid(part.features[held], liked[held].astype(np.int8), init_score=part.start[held])
        # Without `keep_training_booster`, LightGBM drops the trees after this fold's best; all need the same number.
        boosters.append(
            lgb.train(
                _make_parameters(len(liked), seed),
                data,
                max_trees,
                valid_sets=[held_data],
                callbacks=stop,
                keep_training_booster=True,
            )
        )
        gains.append(compute_log_loss(part.start[held], liked[held]) - np.array(losses["valid_0"]["binary_logloss"]))
    added = np.zeros(len(liked))
    rounds = _choose_rounds(gains, [len(held) for _, held in found])
    for booster, part, (_, held) in zip(boosters, parts, found, strict=False):
        added[held] = np.asarray(booster.predict(part.features[held], raw_score=True, num_iteration=rounds))
    return [_truncate_booster(booster, rounds) for booster in boosters], rounds, added


def _choose_rounds(gains: Sequence[Float64Array], rows: Sequence[int]) -> int:
    """Choose the number of trees with the largest gain in held-out log loss; a single one if the gain may be random.

    If the gain is at most one standard error over folds, the smallest number is kept (Breiman, Friedman, Olshen and
    Stone, 1984). One tree hardly changes the ridge's log-odds.

    Args:
        gains: For each fold, the gain per row after 1, 2, ... trees.
        rows: The number of rows that each fold holds out.
    """
    together = min(len(gain) for gain in gains)
    by_fold = np.array([gain[:together] * count for gain, count in zip(gains, rows, strict=True)])
    best = int(np.argmax(by_fold.sum(axis=0)))
    gain = by_fold[:, best]
    return best + 1 if gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)) else 1


def _truncate_booster(booster: lgb.Booster, rounds: int) -> lgb.Booster:
    """Return a booster of the first trees only."""
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=rounds))


def _make_dataset(part: _FittedRidge, liked: BoolArray, rows: Int64Array) -> lgb.Dataset:
    return lgb.Dataset(part.imputed[rows], liked[rows].astype(np.int8), init_score=part.start[rows])


def _train_part(
    part: _FittedRidge, liked: BoolArray, rounds: int, seed: int, grow: TreeTrainer = train_trees
) -> lgb.Booster:
    seen = part.rows
    return grow(_make_parameters(len(liked), seed), part.imputed[seen], liked[seen], part.start[seen], rounds)


def _make_parameters(rows: int, seed: int) -> dict[str, object]:
    return {**TREE_PARAMETERS, "seed": seed, "num_threads": 1 if rows < MANY_ROWS else 0}
