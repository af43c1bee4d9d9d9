"""Ridge logistic regression (le Cessie & van Houwelingen 1992) on the ranker's own features."""

import numpy as np
from scipy.special import expit

from models.ml.arrays import BoolArray, Float32Array, Int64Array
from models.ml.evaluation.baselines.baseline_input import BaselineInput, BaselineScores
from models.ml.evaluation.baselines.fit_helpers import (
    build_baseline_features,
    build_training_rows,
    has_one_label,
    predict_both_ways,
    split_by_group,
)
from models.ml.ranker.linear import compute_log_loss, fit_ridge

# Inverse penalties (C) to choose from by log loss on held-out groups; the first if nothing is held out.
STRENGTHS = (3e-4, 1e-4, 1e-3, 3e-3, 1e-2)


def score_ridge(given: BaselineInput) -> BaselineScores:
    """Score p_like by ridge logistic regression, with its penalty chosen on held-out groups; p_match is the product."""
    rows = build_training_rows(given)
    if has_one_label(rows.liked):
        constant = np.full(len(given.test), given.base_rate)
        return BaselineScores(constant, constant * constant, probabilities=True)
    x = build_baseline_features(given, rows.pairs)
    line = fit_ridge(x, rows.liked, _choose_strength(x, rows.liked, split_by_group(rows.liked, rows.group)))
    like, back = predict_both_ways(given, lambda pairs: expit(line.log_odds(pairs)))
    return BaselineScores(like, like * back, probabilities=True)


def _choose_strength(features: Float32Array, liked: BoolArray, splits: list[tuple[Int64Array, Int64Array]]) -> float:
    def measure_loss(strength: float) -> float:
        return sum(
            len(held)
            * compute_log_loss(fit_ridge(features[train], liked[train], strength).log_odds(features[held]), liked[held])
            for train, held in splits
        )

    return min(STRENGTHS, key=measure_loss)
