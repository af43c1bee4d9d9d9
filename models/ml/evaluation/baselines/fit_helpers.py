"""Helpers of the baselines that train on features: sorted rows, and splits that keep groups together."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.evaluation.baselines.baseline_input import BaselineInput
from models.ml.features import training_pairs
from models.ml.features.pair_features import Pairs, build_features


@dataclass(frozen=True)
class TrainingRows:
    """n training decisions in order of viewer: pairs, labels and groups, each (n,)."""

    pairs: Pairs
    liked: BoolArray
    group: Int64Array


def build_training_rows(given: BaselineInput) -> TrainingRows:
    """Build the training rows, independent of the order of the input."""
    tallies = [numbers for tally in vars(given.train.history).values() for numbers in (tally.decisions, tally.likes)]
    order = np.lexsort((*tallies, given.train_liked, given.train.candidate, given.train.viewer))
    return TrainingRows(given.train.take(order), given.train_liked[order], given.train_group[order])


def build_baseline_features(given: BaselineInput, pairs: Pairs) -> Float32Array:
    """Build the ranker's own features, float32 (n, features)."""
    return build_features(given.specification, pairs)


def predict_both_ways(
    given: BaselineInput, predict: Callable[[Float32Array], Float64Array]
) -> tuple[Float64Array, Float64Array]:
    """Predict the test pairs and their reverse from features, float64 (m,) each."""
    return predict(build_baseline_features(given, given.test)), predict(
        build_baseline_features(given, given.test.reverse())
    )


def split_by_group(label: BoolArray, group: Int64Array) -> list[tuple[Int64Array, Int64Array]]:
    """Split by group into (train, held out) rows whose training part has both labels."""
    return [
        (train, held)
        for train, held in training_pairs.split_by_fold(training_pairs.assign_folds(group))
        if not has_one_label(label[train])
    ]


def has_one_label(label: BoolArray) -> bool:
    """Return whether there are fewer than two distinct labels, so that nothing can be trained."""
    return len(np.unique(label)) < 2
