"""Weights of candidates as decoys: the odds that such a candidate waits, so that decoys stand where likes stand."""

import numpy as np
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from models.ml.arrays import BoolArray, Float64Array, FloatArray

USUAL = np.array([0.6, 1.6, 5.0])
"""Coefficients until enough likes wait: of the log odds of p_like and p_liked_back, and of the log of activity.

A like waits if the candidate was shown the viewer, who is shown the more the more probably they like the candidate; if
the candidate likes the viewer; and if the candidate was there. As of simulated nights.
"""
MIN_LIKES = 200
MAX_ROWS = 50_000
"""Of likes that wait, and of other pairs, in the fit."""


def weigh_decoys(
    p_like: FloatArray, p_liked_back: FloatArray, activity: FloatArray, pending: BoolArray
) -> Float64Array:
    """Compute the weight of each of n scored pairs as a decoy, float64 (n,), by a logistic regression of tonight.

    Args:
        p_like: Probability that the viewer likes the candidate, (n,).
        p_liked_back: Probability that the candidate likes the viewer, (n,).
        activity: Probability that the candidate opens the app within the coming days, (n,).
        pending: Whether the candidate has liked the viewer, bool (n,).
    """
    columns = [
        *(logit(np.clip(each, 1e-3, 1 - 1e-3)).astype(np.float32) for each in (p_like, p_liked_back)),
        np.log(np.clip(activity, 1e-2, 1)).astype(np.float32),
    ]
    coefficients = _fit(np.column_stack(columns), pending) if pending.sum() >= MIN_LIKES else USUAL
    total = sum(float(weight) * column for weight, column in zip(coefficients, columns, strict=True))
    return np.exp(np.asarray(total, np.float64))


def _fit(features: FloatArray, pending: BoolArray) -> Float64Array:
    """Fit the coefficients to evenly spread rows of both kinds."""
    rows = np.concatenate([kind[:: 1 + len(kind) // MAX_ROWS] for kind in map(np.flatnonzero, (pending, ~pending))])
    model = LogisticRegression(max_iter=500).fit(features[rows], pending[rows])
    return np.asarray(model.coef_[0], np.float64)
