"""Metrics of scores on a holdout set, with their standard errors, and of the difference between two scores."""

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, FloatArray, Int64Array
from models.ml.validation.clustered_errors import (
    estimate_auc_difference_error,
    estimate_mean_error,
    estimate_within_viewer_auc_error,
)
from models.ml.validation.holdout import HoldoutSet
from models.ml.validation.score_metrics import (
    compute_auc,
    compute_calibration_error,
    compute_log_loss,
    compute_log_losses,
    compute_signed_gaps,
    compute_within_viewer_auc,
)

Metrics = dict[str, float]


def measure_ranking(holdout: HoldoutSet, score: FloatArray) -> Metrics:
    """Measure how scores (q,) rank: the AUC over all pairs, and within viewers with its standard error."""
    within, error = _measure_within_viewers(holdout, slice(None), holdout.liked, score)
    return {"auc": compute_auc(holdout.liked, score), "within_viewer_auc": within, "within_viewer_auc_error": error}


def measure_probabilities(holdout: HoldoutSet, p_like: FloatArray) -> Metrics:
    """Measure log loss (nats) and calibration error of probabilities (q,), each with its standard error."""
    p_like = np.asarray(p_like, np.float64)
    return {
        "log_loss": compute_log_loss(holdout.liked, p_like),
        "log_loss_error": _estimate_mean_error(holdout, compute_log_losses(holdout.liked, p_like)),
        "calibration_error": compute_calibration_error(holdout.liked, p_like),
        # The calibration error is the mean of these, and their signs are taken as given.
        "calibration_error_error": _estimate_mean_error(holdout, compute_signed_gaps(holdout.liked, p_like)),
    }


def measure_cold(holdout: HoldoutSet, p_like: Float64Array) -> Metrics:
    """Measure the AUC within viewers of likes and of matches on samples without history, with standard errors."""
    cold, other = holdout.cold, holdout.reverse_index()
    both = cold & (other >= 0)
    match: BoolArray = holdout.liked[both] & holdout.liked[other[both]]
    like_auc, like_error = _measure_within_viewers(holdout, cold, holdout.liked[cold], p_like[cold])
    match_auc, match_error = _measure_within_viewers(holdout, both, match, p_like[both] * p_like[other[both]])
    return {
        "cold_like_auc": like_auc,
        "cold_like_auc_error": like_error,
        "cold_match_auc": match_auc,
        "cold_match_auc_error": match_error,
    }


def measure_difference(holdout: HoldoutSet, ours: FloatArray, rival: FloatArray, *, probable: bool) -> Metrics:
    """Measure the paired difference of two scores (q,) of the same samples, ours less the rival's.

    Args:
        holdout: The holdout set of q samples.
        ours: Our scores.
        rival: The scores that they are compared with.
        probable: Whether both are probabilities, which have a log loss.
    """
    viewer, candidate = _find_people(holdout, slice(None))
    aucs = [compute_within_viewer_auc(holdout.lists, holdout.liked, score) for score in (ours, rival)]
    error = estimate_auc_difference_error(holdout.lists, viewer, candidate, holdout.liked, ours, rival)
    found = {"within_viewer_auc": aucs[0] - aucs[1], "within_viewer_auc_error": error}
    if not probable:
        return found
    losses = compute_log_losses(holdout.liked, ours) - compute_log_losses(holdout.liked, rival)
    return found | {"log_loss": float(losses.mean()), "log_loss_error": _estimate_mean_error(holdout, losses)}


def _measure_within_viewers(
    holdout: HoldoutSet, rows: BoolArray | slice, label: BoolArray, score: FloatArray
) -> tuple[float, float]:
    """Compute the mean AUC over lists of some samples, and its standard error."""
    lists, (viewer, candidate) = holdout.lists[rows], _find_people(holdout, rows)
    return compute_within_viewer_auc(lists, label, score), estimate_within_viewer_auc_error(
        lists, viewer, candidate, label, score
    )


def _estimate_mean_error(holdout: HoldoutSet, values: Float64Array) -> float:
    return estimate_mean_error(values, *_find_people(holdout, slice(None)))


def _find_people(holdout: HoldoutSet, rows: BoolArray | slice) -> tuple[Int64Array, Int64Array]:
    decision = holdout.samples[rows]
    return holdout.events.actor[decision], holdout.events.target[decision]
