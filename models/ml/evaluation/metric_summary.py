"""All metrics of one set of scores."""

from math import nan

import numpy as np
from numpy.typing import ArrayLike

from models.ml.evaluation.ranking_metrics import (
    compute_mean_average_precision,
    compute_ndcg,
    compute_recall,
    rank_lists,
)
from models.ml.validation.score_metrics import (
    compute_auc,
    compute_calibration_error,
    compute_log_loss,
    compute_within_viewer_auc,
)


def summarise_scores(viewer: ArrayLike, label: ArrayLike, score: ArrayLike, probability: bool) -> dict[str, float]:
    """Compute metric → value for n pairs; NaN where a metric is undefined.

    Args:
        viewer: Viewer of each pair, (n,).
        label: Whether it is a like, or a match, (n,).
        score: Score of each pair, (n,).
        probability: Whether scores are probabilities; only these have a log loss (nats) and a calibration error.
    """
    lists = rank_lists(viewer, label, score)
    as_probability = probability and np.size(score) > 0
    return {
        "pooled_auc": compute_auc(label, score),
        "within_viewer_auc": compute_within_viewer_auc(viewer, label, score),
        "ndcg_at_5": compute_ndcg(lists, 5),
        "ndcg_at_10": compute_ndcg(lists, 10),
        "map": compute_mean_average_precision(lists),
        "captured_at_3": compute_recall(lists, 3),
        "captured_at_5": compute_recall(lists, 5),
        "log_loss": compute_log_loss(label, score) if as_probability else nan,
        "calibration_error": compute_calibration_error(label, score) if as_probability else nan,
    }
