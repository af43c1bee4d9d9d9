"""How good scores are: ranking within each viewer, over all pairs, and as probabilities."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn.metrics import log_loss as _log_loss

Floats = NDArray[np.float64]


def auc(label: ArrayLike, score: ArrayLike) -> float:
    """Probability that a random positive scores above a random negative, ties half; NaN if one kind is absent."""
    label, score = np.asarray(label, bool), np.asarray(score)
    positive, negative = int(label.sum()), int((~label).sum())
    if not positive or not negative:
        return float("nan")
    rank_sum = rankdata(score)[label].sum()
    return float((rank_sum - positive * (positive + 1) / 2) / (positive * negative))


def within_viewer_auc(viewer: ArrayLike, label: ArrayLike, score: ArrayLike) -> float:
    """The mean AUC over viewers that have both a positive and a negative; NaN if none has."""
    frame = pd.DataFrame({"viewer": viewer, "label": np.asarray(label, bool), "score": score})
    frame["rank"] = frame.groupby("viewer")["score"].rank()
    frame["positive_rank"] = frame["rank"].where(frame["label"], 0.0)
    by_viewer = frame.groupby("viewer").agg(
        n=("label", "size"), positive=("label", "sum"), rank_sum=("positive_rank", "sum")
    )
    both = by_viewer[(by_viewer["positive"] > 0) & (by_viewer["positive"] < by_viewer["n"])]
    above = both["rank_sum"] - both["positive"] * (both["positive"] + 1) / 2
    return float((above / (both["positive"] * (both["n"] - both["positive"]))).mean())


def log_loss(label: ArrayLike, probability: ArrayLike) -> float:
    """Mean negative log likelihood, in nats."""
    return float(_log_loss(np.asarray(label, bool), np.asarray(probability, np.float64), labels=[False, True]))


def calibration_error(label: ArrayLike, probability: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error over bins of equal count (Naeini et al. 2015), 0 to 1."""
    label, probability = np.asarray(label, np.float64), np.asarray(probability, np.float64)
    order = np.argsort(probability, kind="stable")
    gaps = [
        abs(label[part].mean() - probability[part].mean()) * len(part)
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return float(sum(gaps) / len(label))
