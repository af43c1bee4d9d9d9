"""LightGBM (Ke et al. 2017): the settings of every tree among the baselines, and trees that tell likes from passes."""

from collections.abc import Sequence

import lightgbm as lgb
import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array

MAX_TREES = 400
EARLY_STOPPING_ROUNDS = 30
# Where nothing can be held out to find a better number, or what is held out says too little of it.
DEFAULT_TREES = 100
# Below this many rows threads wait for each other longer than they work; the trees are the same.
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
    """LightGBM's parameters for an objective on so many rows."""
    return {**TREE_PARAMETERS, "objective": objective, "num_threads": 1 if rows < MANY_ROWS else 0, "seed": seed}


def train_booster(
    features: Float32Array, label: BoolArray, splits: Sequence[tuple[Int64Array, Int64Array]], seed: int
) -> lgb.Booster:
    """Trees for the chance of `label` on n rows: features float32 (n, features), label (n,).

    As many trees as give the least log loss over `splits` into (train, held out) row numbers.
    """
    settings = make_parameters("binary", len(label), seed)
    rounds = _choose_rounds(settings, _make_dataset(features, label), splits) if splits else DEFAULT_TREES
    return lgb.train(settings, _make_dataset(features, label), rounds)


def predict_trees(booster: lgb.Booster, features: Float32Array) -> Float64Array:
    """What the trees say, (n,); LightGBM takes no empty block."""
    return np.asarray(booster.predict(features), np.float64) if len(features) else np.empty(0)


def _make_dataset(features: Float32Array, label: BoolArray) -> lgb.Dataset:
    return lgb.Dataset(features, label.astype(np.int8), free_raw_data=False)


def _choose_rounds(
    settings: dict[str, object], data: lgb.Dataset, splits: Sequence[tuple[Int64Array, Int64Array]]
) -> int:
    stop = lgb.early_stopping(EARLY_STOPPING_ROUNDS, verbose=False)
    curves = lgb.cv(settings, data, MAX_TREES, folds=splits, callbacks=[stop])
    return max(len(curve) for curve in curves.values() if isinstance(curve, list))
