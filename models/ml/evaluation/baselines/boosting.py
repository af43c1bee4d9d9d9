"""LightGBM (Ke et al. 2017): the settings of all trees among the baselines, and trees that predict likes."""

from collections.abc import Sequence

import lightgbm as lgb
import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array

MAX_TREES = 400
EARLY_STOPPING_ROUNDS = 30
# Used where nothing can be held out to choose the number, or too little for a reliable choice.
DEFAULT_TREES = 100
# Below this many rows one thread is faster; the trees are the same.
MANY_ROWS = 100_000
TREE_PARAMETERS = {
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 40,
    "lambda_l2": 20.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


def make_parameters(objective: str, rows: int, seed: int) -> dict[str, object]:
    """Make LightGBM's parameters for an objective and a number of rows."""
    return {**TREE_PARAMETERS, "objective": objective, "num_threads": 1 if rows < MANY_ROWS else 0, "seed": seed}


def train_booster(
    features: Float32Array, label: BoolArray, splits: Sequence[tuple[Int64Array, Int64Array]], seed: int
) -> lgb.Booster:
    """Train trees for the probability of `label`, with the number of trees that has the lowest log loss over `splits`.

    Args:
        features: float32 (n, features).
        label: bool (n,).
        splits: (train, held out) row numbers; if empty, DEFAULT_TREES are trained.
        seed: Seed of the trees.
    """
    settings = make_parameters("binary", len(label), seed)
    rounds = _choose_rounds(settings, _make_dataset(features, label), splits) if splits else DEFAULT_TREES
    return lgb.train(settings, _make_dataset(features, label), rounds)


def predict_trees(booster: lgb.Booster, features: Float32Array) -> Float64Array:
    """Predict with trees, float64 (n,), also for no rows, which LightGBM rejects."""
    return np.asarray(booster.predict(features), np.float64) if len(features) else np.empty(0)


def _make_dataset(features: Float32Array, label: BoolArray) -> lgb.Dataset:
    return lgb.Dataset(features, label.astype(np.int8), free_raw_data=False)


def _choose_rounds(
    settings: dict[str, object], data: lgb.Dataset, splits: Sequence[tuple[Int64Array, Int64Array]]
) -> int:
    stop = lgb.early_stopping(EARLY_STOPPING_ROUNDS, verbose=False)
    curves = lgb.cv(settings, data, MAX_TREES, folds=splits, callbacks=[stop])
    return max(len(curve) for curve in curves.values() if isinstance(curve, list))
