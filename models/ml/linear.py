"""Ridge logistic regression, whole and without some folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from models.ml.compiled import compiled
from models.ml.cores import on_all_cores
from models.ml.history import Bools, Doubles

# How much less than the others a free feature is held back.
FREE = 100.0
HELD_BACK = 1000.0


@dataclass(frozen=True)
class Linear:
    """Log-odds that are linear in the features as they are."""

    weights: Doubles
    intercept: float

    def log_odds(self, features: NDArray[np.floating]) -> Doubles:
        """Log-odds, float64 (n,), from features (n, weights)."""
        # Not by matrix product: that rounds a row by its place among the others, and p_match must be symmetric.
        return _summed(features, self.weights, self.intercept)


@compiled
def _summed(features: NDArray[np.floating], weights: Doubles, intercept: float) -> Doubles:
    total = np.full(len(features), intercept)
    for column in range(len(weights)):
        for row in range(len(features)):
            total[row] += weights[column] * features[row, column]
    return total


def fit(features: NDArray[np.floating], liked: Bools, strength: float, free: int = 0) -> Linear:
    """Fit on features (n, f) and labels (n,); `strength` is the inverse of the ridge penalty (C), 0 for no weight.

    Features are standardised; the last `free` of them are hardly held back. From likes alone, passes alone or nothing
    at all only a rate is learned, half a like and half a pass added.
    """
    (linear,) = fit_each([(features, np.arange(len(liked)))], liked, strength, free)
    return linear


def fit_each(
    parts: Sequence[tuple[NDArray[np.floating], NDArray[np.integer]]], liked: Bools, strength: float, free: int = 0
) -> list[Linear]:
    """What `fit` gives for some rows of each of several features of all of `liked`, on all cores.

    Each on one core: on two busy ones, threads that share a fit took three times as long as one alone.
    """
    with catch_warnings():
        # Where the first step is the right one, single precision has none better: it says so, and lbfgs confirms it.
        simplefilter("ignore", ConvergenceWarning)
        return on_all_cores(lambda part: _fit(part[0][part[1]], liked[part[1]], strength, free), parts)


def _fit(features: NDArray[np.floating], liked: Bools, strength: float, free: int) -> Linear:
    if len(np.unique(liked)) < 2:
        return Linear(np.zeros(features.shape[1]), float(logit((liked.sum() + 0.5) / (len(liked) + 1))))
    if strength == 0:
        alone = _fit(features[:, -free:], liked, 1.0, 0)
        return Linear(np.concatenate([np.zeros(features.shape[1] - free), alone.weights]), alone.intercept)
    mean, scale = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale[scale < 1e-6] = np.inf  # a constant feature gets no weight
    if free:
        scale[-free:] /= FREE
    model = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=200)
    # Single precision takes 0.29 of the time and the weights agree to 1e-6, where the penalty is strong.
    precision = np.float32 if strength * len(liked) < HELD_BACK and not free else np.float64
    model.fit(((features - mean) / scale).astype(precision), liked)
    weights = model.coef_[0].astype(np.float64) / scale
    return Linear(weights, float(model.intercept_[0] - mean @ weights))


def log_loss_of(log_odds: Doubles, liked: Bools) -> float:
    """Mean negative log likelihood of labels, in nats."""
    return float(np.mean(np.logaddexp(0.0, np.where(liked, -log_odds, log_odds))))


def platt(log_odds: Doubles, liked: Bools) -> tuple[float, float]:
    """Slope and shift by logistic regression of the labels on held-out log-odds (Platt 1999)."""
    model = LogisticRegression(C=np.inf).fit(log_odds[:, None], liked)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
