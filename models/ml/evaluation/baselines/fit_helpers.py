"""What the baselines that learn from features share: rows in an order of their own, splits that keep groups whole."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.evaluation.baselines.baseline_input import BaselineInput
from models.ml.features import training_pairs
from models.ml.features.pair_features import Pairs, build_features


@dataclass(frozen=True)
class TrainingRows:
    """n training decisions in order of viewer: whose, what they said, who is held out together, each (n,)."""

    pairs: Pairs
    liked: BoolArray
    group: Int64Array


def build_training_rows(given: BaselineInput) -> TrainingRows:
    """The decisions to learn from, the same whatever order they came in."""
    tallies = [numbers for tally in vars(given.train.history).values() for numbers in (tally.decisions, tally.likes)]
    order = np.lexsort((*tallies, given.train_liked, given.train.candidate, given.train.viewer))
    return TrainingRows(given.train.take(order), given.train_liked[order], given.train_group[order])


def build_baseline_features(given: BaselineInput, pairs: Pairs) -> Float32Array:
    """The features that the ranker has too, float32 (n, features)."""
    return build_features(given.specification, pairs)


def predict_both_ways(
    given: BaselineInput, predict: Callable[[Float32Array], Float64Array]
) -> tuple[Float64Array, Float64Array]:
    """A prediction from features, of the test pairs and of the same pairs seen from the other side, (m,) each."""
    return predict(build_baseline_features(given, given.test)), predict(
        build_baseline_features(given, given.test.reverse())
    )


def split_by_group(label: BoolArray, group: Int64Array) -> list[tuple[Int64Array, Int64Array]]:
    """Splits by group into (train, held out) rows whose training part has both labels."""
    return [
        (train, held)
        for train, held in training_pairs.split_by_fold(training_pairs.assign_folds(group))
        if not has_one_label(label[train])
    ]


def has_one_label(label: BoolArray) -> bool:
    """Whether there are not both labels, so that nothing can be learned."""
    return len(np.unique(label)) < 2
