"""Fitting the ranker: a ridge on profiles and history, trees from its log-odds, calibration.

Everything is chosen on held-out folds. What did not see a fold is kept, calibrated on the others: later rankers are
compared with it there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from models.ml.calibration import ENOUGH, Calibration, apply_each, calibrate, calibrate_each
from models.ml.cold import NONE, Cold, Folds
from models.ml.features import HISTORY, nothing_is_known
from models.ml.history import Bools, Doubles, Ints
from models.ml.linear import Linear, fit_each, log_loss_of
from models.ml.pairs import Split, splits
from models.ml.people import Floats
from models.ml.ranker import Ranker, Rankers
from models.ml.specification import Specification

# Inverse strengths of the ridge penalty on what the profiles add once their cold log-odds are known; 0 adds nothing.
CORRECTIONS = (0.0, 1e-3, 1e-2)
MOST_TREES = 300
# Below this many rows threads wait for each other longer than they work; the trees are the same.
MANY_ROWS = 100_000
PATIENCE = 30
TREES = {
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

Grow = Callable[[Mapping[str, object], Floats, Bools, Doubles, int], lgb.Booster]
"""Trees from LightGBM's parameters, features float32 (n, f), liked (n,), log-odds to start from (n,), how many."""


def grow(parameters: Mapping[str, object], features: Floats, liked: Bools, start: Doubles, rounds: int) -> lgb.Booster:
    """Grow trees in this process."""
    return lgb.train(dict(parameters), lgb.Dataset(features, liked.astype(np.int8), init_score=start), rounds)


@dataclass(frozen=True)
class Known:
    """What was known of n pairs: cold log-odds, float64 (n,), and features of their history, float32 (n, HISTORY)."""

    cold: Doubles
    history: Floats


@dataclass(frozen=True)
class Questions:
    """n decisions to learn from: features of the profiles, float32 (n, f), labels, folds, and what was known."""

    profiles: Floats
    filled: Floats
    """The same with every answer that was missing filled in: trees are grown on these."""
    liked: Bools
    fold: Ints
    known: Callable[[Folds], Known]
    """By ridges that did not see these folds either."""


@dataclass(frozen=True)
class Fitted:
    """Rankers, and what those that did not see a fold say of it: log-odds, float64 (n,), calibrated on other folds."""

    rankers: Rankers
    held_out: Doubles
    held_out_linear: Doubles
    """Of the ridge alone, calibrated by itself."""


@dataclass(frozen=True)
class _Part:
    """A ridge and where the trees start from it: log-odds of all rows; `rows` are those that it saw.

    Trees are grown on `filled` and asked about `features`.
    """

    linear: Linear
    start: Doubles
    features: Floats
    filled: Floats
    rows: Ints


def teaches(liked: Bools, fold: Ints) -> bool:
    """Whether there is enough to learn from: likes and passes, overall and in each split's training part."""
    found = splits(fold)
    parts = [liked, *(liked[train] for train, _ in found)]
    return bool(found) and all(min(part.sum(), (~part).sum()) >= ENOUGH for part in parts)


def fit_ranker(specification: Specification, cold: Cold, questions: Questions, seed: int, grow: Grow = grow) -> Fitted:
    """Fit ridge, trees and calibration on n questions, given the cold ridges of the same folds.

    The trees start from the ridge's log-odds, so that they learn only what it missed. Number of trees, ridge strength
    and the whole ranker's calibration are chosen on all held-out rows, the calibration of a ranker without a fold on
    those of the other folds. `grow` grows the trees that are kept for everybody.
    """
    found = splits(questions.fold)
    parts, linear = _cross_fit_linear(cold, questions, found)
    boosters, rounds, trees = _cross_fit_trees(questions.liked, parts, found, seed)
    whole = parts[-1]
    booster = _boost(whole, questions.liked, rounds, seed, grow)
    means = whole.features.mean(axis=0, dtype=np.float64)
    cold_rows = nothing_is_known(whole.features)
    rows = questions.liked, cold_rows, questions.fold
    calibrations, of_linear = calibrate_each(linear + trees, *rows), calibrate_each(linear, *rows)

    def ranker(cold: Linear, part: _Part, booster: lgb.Booster, calibration: Calibration) -> Ranker:
        return Ranker(specification, cold, part.linear, means, *calibration.others, booster, calibration.cold)

    by_fold = {
        fold: ranker(cold.without[frozenset({fold})], part, booster, calibration)
        for (fold, calibration), part, booster in zip(calibrations.items(), parts, boosters, strict=False)
    }
    of_all = calibrate(linear + trees, questions.liked, cold_rows)
    return Fitted(
        Rankers(ranker(cold.whole, whole, booster, of_all), by_fold),
        apply_each(calibrations, linear + trees, cold_rows, questions.fold),
        apply_each(of_linear, linear, cold_rows, questions.fold),
    )


def _cross_fit_linear(cold: Cold, questions: Questions, found: Sequence[Split]) -> tuple[list[_Part], Doubles]:
    """The ridge of each split, then of everything, with the strength of least held-out loss; and its log-odds there.

    Cold log-odds and history are hardly held back. On a few thousand pairs they are all that the profiles add; where
    data is rich the features of the profiles get weights of their own, as people are not shown to each other at random.
    """
    left_out: list[Folds] = [frozenset({int(questions.fold[held[0]])}) for _, held in found] + [NONE]
    everything = np.arange(len(questions.liked))
    known = [questions.known(folds) for folds in left_out]
    designs = [np.hstack([questions.profiles, each.cold[:, None], each.history], dtype=np.float32) for each in known]
    seen = [*(train for train, _ in found), everything]

    def fits(strength: float, which: range) -> list[Linear]:
        return fit_each([(designs[at], seen[at]) for at in which], questions.liked, strength, free=1 + HISTORY)

    def of_held_out(linears: list[Linear]) -> Doubles:
        log_odds = np.empty(len(everything))
        for linear, design, (_, held) in zip(linears, designs, found, strict=False):
            log_odds[held] = linear.log_odds(design[held])
        return log_odds

    tried = {strength: fits(strength, range(len(found))) for strength in CORRECTIONS}
    best = min(CORRECTIONS, key=lambda each: log_loss_of(of_held_out(tried[each]), questions.liked))
    linears = tried[best] + fits(best, range(len(found), len(found) + 1))
    parts = [
        _Part(
            _folded(linear, cold.without[folds]),
            linear.log_odds(design),
            np.hstack([questions.profiles, each.history]),
            np.hstack([questions.filled, each.history]),
            rows,
        )
        for linear, folds, design, each, rows in zip(linears, left_out, designs, known, seen, strict=True)
    ]
    return parts, of_held_out(tried[best])


def _folded(linear: Linear, cold: Linear) -> Linear:
    """A linear function of features of profiles, cold log-odds and history, as one of the features alone."""
    of_profiles, of_cold, history = np.split(linear.weights, [-1 - HISTORY, -HISTORY])
    weights = np.concatenate([of_profiles + of_cold * cold.weights, history])
    return Linear(weights, linear.intercept + float(of_cold[0]) * cold.intercept)


def _cross_fit_trees(
    liked: Bools, parts: Sequence[_Part], found: Sequence[Split], seed: int
) -> tuple[list[lgb.Booster], int, Doubles]:
    """Trees of each split, the number of them chosen on held-out rows, and what they add there."""
    gains, boosters = [], []
    for part, (train, held) in zip(parts, found, strict=False):
        data = _data(part, liked, train)
        losses: dict[str, dict[str, list[float]]] = {}
        stop: list[Callable[..., object]] = [lgb.record_evaluation(losses), lgb.early_stopping(PATIENCE, verbose=False)]
        held_data = data.create_valid(part.features[held], liked[held].astype(np.int8), init_score=part.start[held])
        # Otherwise LightGBM throws away the trees after the best for this fold alone; all are to have the same number.
        boosters.append(
            lgb.train(
                _parameters(len(liked), seed),
                data,
                MOST_TREES,
                valid_sets=[held_data],
                callbacks=stop,
                keep_training_booster=True,
            )
        )
        gains.append(log_loss_of(part.start[held], liked[held]) - np.array(losses["valid_0"]["binary_logloss"]))
    added = np.zeros(len(liked))
    rounds = _rounds(gains, [len(held) for _, held in found])
    for booster, part, (_, held) in zip(boosters, parts, found, strict=False):
        added[held] = np.asarray(booster.predict(part.features[held], raw_score=True, num_iteration=rounds))
    return [_first(booster, rounds) for booster in boosters], rounds, added


def _rounds(gains: Sequence[Doubles], rows: Sequence[int]) -> int:
    """The number of trees that gains most in held-out log loss; a single one where that may be chance.

    `gains` are, for each fold, the gain per row after 1, 2, … trees; `rows` how many rows the fold holds out. Of
    trees that gain no more than one standard error over folds the least is kept (Breiman, Friedman, Olshen and Stone,
    1984): one tree hardly moves the ridge's log-odds.
    """
    together = min(len(gain) for gain in gains)
    by_fold = np.array([gain[:together] * count for gain, count in zip(gains, rows, strict=True)])
    best = int(np.argmax(by_fold.sum(axis=0)))
    gain = by_fold[:, best]
    return best + 1 if gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)) else 1


def _first(booster: lgb.Booster, rounds: int) -> lgb.Booster:
    """The booster of the first trees only."""
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=rounds))


def _data(part: _Part, liked: Bools, rows: Ints) -> lgb.Dataset:
    return lgb.Dataset(part.filled[rows], liked[rows].astype(np.int8), init_score=part.start[rows])


def _boost(part: _Part, liked: Bools, rounds: int, seed: int, grow: Grow = grow) -> lgb.Booster:
    seen = part.rows
    return grow(_parameters(len(liked), seed), part.filled[seen], liked[seen], part.start[seen], rounds)


def _parameters(rows: int, seed: int) -> dict[str, object]:
    return {**TREES, "seed": seed, "num_threads": 1 if rows < MANY_ROWS else 0}
