"""Metrics of scores: ranking within each viewer, ranking over all pairs, and probabilities."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import rankdata
from sklearn.metrics import log_loss as _log_loss

from models.ml.arrays import Float64Array, Int64Array


def compute_auc(label: ArrayLike, score: ArrayLike) -> float:
    """Compute the probability that a random positive scores above a random negative; ties count half.

    NaN if one kind is absent.
    """
    label, score = np.asarray(label, bool), np.asarray(score)
    positive, negative = int(label.sum()), int((~label).sum())
    if not positive or not negative:
        return float("nan")
    rank_sum = rankdata(score)[label].sum()
    return float((rank_sum - positive * (positive + 1) / 2) / (positive * negative))


def compute_within_viewer_auc(viewer: ArrayLike, label: ArrayLike, score: ArrayLike) -> float:
    """Compute the mean AUC over viewers that have both a positive and a negative; NaN if none has."""
    return float(compute_within_viewer_aucs(viewer, label, score).mean())


def compute_within_viewer_aucs(viewer: ArrayLike, label: ArrayLike, score: ArrayLike) -> "pd.Series[float]":
    """Compute the AUC of each viewer that has both a positive and a negative, float64, in order of viewer."""
    frame = pd.DataFrame({"viewer": viewer, "label": np.asarray(label, bool), "score": score})
    viewers = frame.groupby("viewer")
    positive_rank = viewers["score"].rank().where(frame["label"], 0.0)
    # Separate calls, because one `agg` is slower on small frames.
    n, positive, rank_sum = viewers.size(), viewers["label"].sum(), positive_rank.groupby(frame["viewer"]).sum()
    both = (positive > 0) & (positive < n)
    above = rank_sum - positive * (positive + 1) / 2
    aucs: pd.Series[float] = (above / (positive * (n - positive)))[both]
    return aucs


def compute_binomial_standard_error(share: ArrayLike, n: ArrayLike) -> Float64Array:
    """Compute the standard error of a share, 0 to 1, of n independent rows."""
    share = np.asarray(share, np.float64)
    return np.asarray(np.sqrt(share * (1 - share) / np.asarray(n, np.float64)))


def compute_log_loss(label: ArrayLike, probability: ArrayLike) -> float:
    """Compute the mean negative log-likelihood, in nats."""
    return float(_log_loss(np.asarray(label, bool), np.asarray(probability, np.float64), labels=[False, True]))


def compute_log_losses(label: ArrayLike, probability: ArrayLike) -> Float64Array:
    """Compute the negative log-likelihood of each label, in nats, float64 (n,); probabilities are between 0 and 1.

    Those of 0 and 1 are moved by the smallest step, as in `compute_log_loss`, so that no loss is infinite.
    """
    smallest = np.finfo(np.float64).eps
    probability = np.clip(np.asarray(probability, np.float64), smallest, 1 - smallest)
    return np.asarray(-np.log(np.where(np.asarray(label, bool), probability, 1 - probability)))


def compute_calibration_error(label: ArrayLike, probability: ArrayLike, bins: int = 10) -> float:
    """Compute the expected calibration error over bins of equal count (Naeini et al. 2015), 0 to 1."""
    table = compute_reliability(label, probability, bins)
    return float(np.average((table["observed"] - table["predicted"]).abs(), weights=table["n"]))


def compute_signed_gaps(label: ArrayLike, probability: ArrayLike, bins: int = 10) -> Float64Array:
    """Compute label less probability of each row, with the sign of its bin's mean, float64 (n,).

    Their mean is the expected calibration error over the same bins.
    """
    label, probability = np.asarray(label, np.float64), np.asarray(probability, np.float64)
    gaps: Float64Array = _average_over_ties(label, probability) - probability
    for part in _split_into_bins(probability, bins):
        gaps[part] *= np.sign(gaps[part].mean())
    return gaps


def compute_reliability(label: ArrayLike, probability: ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Compute mean prediction, observed rate and size of each bin, lowest predictions first.

    Returns:
        One row per bin, with `predicted`, `observed` and the count `n`. Bins have equal counts; with fewer rows than
        bins, each row is a bin.
    """
    label, probability = np.asarray(label, np.float64), np.asarray(probability, np.float64)
    label = _average_over_ties(label, probability)
    parts = _split_into_bins(probability, bins)
    rows = [(probability[part].mean(), label[part].mean(), len(part)) for part in parts]
    return pd.DataFrame(rows, columns=["predicted", "observed", "n"])


def compute_lift(label: ArrayLike, score: ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Compute how positives concentrate at high scores, in bins of equal count, highest scores first.

    Returns:
        One row per bin, or per row if there are fewer rows than bins. `n` is the count and `rate` the share of
        positives. `lift` is that share over the share of all rows. `captured` is the share of all positives in this bin
        and those above.
    """
    table = compute_reliability(label, -np.asarray(score, np.float64), bins).rename(columns={"observed": "rate"})
    positives = table["rate"] * table["n"]
    table["lift"] = table["rate"] / (positives.sum() / table["n"].sum())
    table["captured"] = positives.cumsum() / positives.sum()
    return table[["n", "rate", "lift", "captured"]]


def _split_into_bins(probability: Float64Array, bins: int) -> list[Int64Array]:
    """Return the rows of each bin that has any, lowest probabilities first."""
    return [part for part in np.array_split(np.argsort(probability, kind="stable"), bins) if len(part)]


def _average_over_ties(label: Float64Array, score: Float64Array) -> Float64Array:
    """Return the mean label of all rows with the same score, so that it does not matter which bin a tie falls in."""
    _, tie = np.unique(score, return_inverse=True)
    mean: Float64Array = np.bincount(tie, label) / np.bincount(tie)
    return mean[tie]
