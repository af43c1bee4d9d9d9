"""Trees on the ranker's own features, without its linear start.

For a match, the two directions are aggregated (cf. Neve & Palomares 2019), or predicted directly.
"""

from functools import lru_cache

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array
from models.ml.evaluation.baselines.baseline_input import BaselineInput, BaselineScores, compute_harmonic_mean
from models.ml.evaluation.baselines.boosting import predict_trees, train_booster
from models.ml.evaluation.baselines.fit_helpers import (
    build_baseline_features,
    build_training_rows,
    has_one_label,
    predict_both_ways,
    split_by_group,
)
from models.ml.features.pair_features import Pairs


def score_trees_by_product(given: BaselineInput) -> BaselineScores:
    """Score a match by the product of both directions, as if both users decided independently."""
    like, back = _predict_chances(given)
    return BaselineScores(like, like * back, probabilities=True)


def score_trees_by_harmonic_mean(given: BaselineInput) -> BaselineScores:
    """Score a match by the harmonic mean of both directions."""
    like, back = _predict_chances(given)
    return BaselineScores(like, compute_harmonic_mean(like, back), probabilities=False)


def score_trees_by_minimum(given: BaselineInput) -> BaselineScores:
    """Score a match by the less likely direction."""
    like, back = _predict_chances(given)
    return BaselineScores(like, np.minimum(like, back), probabilities=False)


def score_trees_on_matches(given: BaselineInput) -> BaselineScores:
    """Score a match by trees trained on mutual decisions, with the features of both directions.

    p_match is the mean over both orders of the two users, as neither is first. p_like is that of
    `score_trees_by_product`.
    """
    like, _ = _predict_chances(given)
    rows = build_training_rows(given)
    both, back = _find_mutual_rows(rows.pairs, len(given.gender))
    matched = rows.liked[both] & rows.liked[back]
    if has_one_label(matched):
        return BaselineScores(
            like, np.full(len(like), matched.mean() if len(matched) else like.mean()), probabilities=True
        )
    group = np.minimum(rows.group[both], rows.group[back])  # the same for both orders of a pair
    booster = train_booster(
        _stack_features(given, rows.pairs.take(both)), matched, split_by_group(matched, group), given.seed
    )
    one, other = (predict_trees(booster, _stack_features(given, pairs)) for pairs in (given.test, given.test.reverse()))
    return BaselineScores(like, (one + other) / 2, probabilities=True)


# Four methods use the same trees, one after the other on the same input.
@lru_cache(maxsize=1)
def _predict_chances(given: BaselineInput) -> tuple[Float64Array, Float64Array]:
    """Predict p_like and p_liked_back of the test pairs, float64 (m,) each."""
    rows = build_training_rows(given)
    if has_one_label(rows.liked):
        return (np.full(len(given.test), given.base_rate),) * 2
    booster = train_booster(
        build_baseline_features(given, rows.pairs), rows.liked, split_by_group(rows.liked, rows.group), given.seed
    )
    return predict_both_ways(given, lambda pairs: predict_trees(booster, pairs))


def _stack_features(given: BaselineInput, pairs: Pairs) -> Float32Array:
    return np.hstack([build_baseline_features(given, pairs), build_baseline_features(given, pairs.reverse())])


def _find_mutual_rows(pairs: Pairs, people: int) -> tuple[Int64Array, Int64Array]:
    """Return the rows whose reverse was decided too, and a row of that reverse for each."""
    key, reverse = pairs.viewer * people + pairs.candidate, pairs.candidate * people + pairs.viewer
    known, first = np.unique(key, return_index=True)
    both = np.flatnonzero(np.isin(reverse, known))
    return both, first[np.searchsorted(known, reverse[both])]
