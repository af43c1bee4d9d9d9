"""Fitting the ranker: cross-fitted ridge, trees from its log-odds, calibration on held-out groups."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from models.ml.people import Floats
from models.ml.ranker import Bools, Doubles, Ranker
from models.ml.specification import Specification

Split = tuple[NDArray[np.int64], NDArray[np.int64]]

# Inverse strengths of the ridge penalty to choose from, by held-out log loss.
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)
MOST_TREES = 300
# Below this many rows threads wait for each other longer than they work; the trees are the same.
MANY_ROWS = 100_000
PATIENCE = 30
# Fewer likes or passes than this teach nothing: the prior stands.
ENOUGH = 20
TREES = {
    "objective": "binary",
    "boost_from_average": False,
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 40,
    "lambda_l2": 20.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "max_bin": 63,
    "verbose": -1,
}


def teaches(liked: Bools, splits: Sequence[Split]) -> bool:
    """Whether there is enough to learn from: likes and passes, overall and in each split's training part."""
    parts = [liked, *(liked[train] for train, _ in splits)]
    return bool(splits) and all(min(part.sum(), (~part).sum()) >= ENOUGH for part in parts)


@dataclass(frozen=True)
class HeldOut:
    """Predictions for training rows by fits that did not see their group, float64 (n,)."""

    p_like: Doubles
    p_like_linear: Doubles


@dataclass(frozen=True)
class _Linear:
    weights: Doubles
    intercept: float

    def log_odds(self, features: Floats) -> Doubles:
        return np.asarray(features @ self.weights + self.intercept)


def fit(
    specification: Specification,
    base_rate: float,
    features: Floats,
    liked: Bools,
    splits: Sequence[Split],
    seed: int,
) -> tuple[Ranker, HeldOut]:
    """Fit on n decisions: features float32 (n, features), liked (n,), splits of row numbers with groups kept whole.

    The trees start from cross-fitted log-odds of the linear part, so that they learn only what it missed on people it
    had not seen. Number of trees, ridge strength and calibration are chosen on the held-out rows.
    """
    ridge, linear = _cross_fit_linear(features, liked, splits)
    rounds, trees = _cross_fit_trees(features, liked, linear, splits, seed)
    slope, shift = _platt(linear + trees, liked)
    whole = _fit_linear(features, liked, ridge)
    ranker = Ranker(
        specification=specification,
        base_rate=base_rate,
        weights=whole.weights,
        means=features.mean(axis=0, dtype=np.float64),
        intercept=whole.intercept,
        slope=slope,
        shift=shift,
        booster=_boost(features, liked, linear, rounds, seed),
    )
    return ranker, HeldOut(expit(slope * (linear + trees) + shift), expit(linear))


def _fit_linear(features: Floats, liked: Bools, ridge: float) -> _Linear:
    mean, scale = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale[scale < 1e-6] = np.inf  # a constant feature gets no weight
    model = LogisticRegression(C=ridge, solver="newton-cholesky", max_iter=200)
    model.fit((features - mean) / scale, liked)
    weights = model.coef_[0] / scale
    return _Linear(weights, float(model.intercept_[0] - mean @ weights))


def _cross_fit_linear(features: Floats, liked: Bools, splits: Sequence[Split]) -> tuple[float, Doubles]:
    """The ridge with the least held-out log loss, and its held-out log-odds."""
    held_out = {ridge: np.zeros(len(liked)) for ridge in RIDGES}
    for ridge, log_odds in held_out.items():
        for train, held in splits:
            log_odds[held] = _fit_linear(features[train], liked[train], ridge).log_odds(features[held])
    best = min(RIDGES, key=lambda ridge: _loss(held_out[ridge], liked))
    return best, held_out[best]


def _cross_fit_trees(
    features: Floats, liked: Bools, start: Doubles, splits: Sequence[Split], seed: int
) -> tuple[int, Doubles]:
    """The number of trees with the least held-out log loss, at least one, and what they add to held-out log-odds."""
    curves, boosters = [], []
    for train, held in splits:
        data = _data(features[train], liked[train], start[train])
        losses: dict[str, dict[str, list[float]]] = {}
        stop: list[Callable[..., object]] = [lgb.record_evaluation(losses), lgb.early_stopping(PATIENCE, verbose=False)]
        held_data = data.create_valid(features[held], liked[held].astype(np.int8), init_score=start[held])
        boosters.append(lgb.train(_parameters(liked, seed), data, MOST_TREES, valid_sets=[held_data], callbacks=stop))
        curves.append(np.array(losses["valid_0"]["binary_logloss"]) * len(held))
    together = min(len(curve) for curve in curves)
    rounds = int(np.argmin(np.sum([curve[:together] for curve in curves], axis=0))) + 1
    added = np.zeros(len(liked))
    for booster, (_, held) in zip(boosters, splits, strict=True):
        added[held] = np.asarray(booster.predict(features[held], raw_score=True, num_iteration=rounds))
    return rounds, added


def _data(features: Floats, liked: Bools, start: Doubles) -> lgb.Dataset:
    return lgb.Dataset(features, liked.astype(np.int8), init_score=start)


def _boost(features: Floats, liked: Bools, start: Doubles, rounds: int, seed: int) -> lgb.Booster:
    return lgb.train(_parameters(liked, seed), _data(features, liked, start), rounds)


def _parameters(liked: Bools, seed: int) -> dict[str, object]:
    return {**TREES, "seed": seed, "num_threads": 1 if len(liked) < MANY_ROWS else 0}


def _platt(log_odds: Doubles, liked: Bools) -> tuple[float, float]:
    """Slope and shift by logistic regression of the labels on held-out log-odds (Platt 1999)."""
    model = LogisticRegression(C=np.inf).fit(log_odds[:, None], liked)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _loss(log_odds: Doubles, liked: Bools) -> float:
    """Mean negative log likelihood."""
    return float(np.mean(np.logaddexp(0.0, np.where(liked, -log_odds, log_odds))))
