"""All metrics of one set of scores, under names that stay."""

from math import nan

import numpy as np
from numpy.typing import ArrayLike

from models.ml.evaluation.ranking import captured, mean_average_precision, ndcg, ranked
from models.ml.metrics import auc, calibration_error, log_loss, within_viewer_auc


def summary(viewer: ArrayLike, label: ArrayLike, score: ArrayLike, probability: bool) -> dict[str, float]:
    """Metric → value for n pairs with a viewer, a label (like or match) and a score each; NaN where it is undefined.

    Only scores that are a `probability`, 0 to 1, have a log loss (nats) and a calibration error.
    """
    lists = ranked(viewer, label, score)
    as_probability = probability and np.size(score) > 0
    return {
        "pooled_auc": auc(label, score),
        "within_viewer_auc": within_viewer_auc(viewer, label, score),
        "ndcg_at_5": ndcg(lists, 5),
        "ndcg_at_10": ndcg(lists, 10),
        "map": mean_average_precision(lists),
        "captured_at_3": captured(lists, 3),
        "captured_at_5": captured(lists, 5),
        "log_loss": log_loss(label, score) if as_probability else nan,
        "calibration_error": calibration_error(label, score) if as_probability else nan,
    }
