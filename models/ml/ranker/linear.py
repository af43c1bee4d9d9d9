"""Ridge logistic regression, whole and without some folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from models.ml.arrays import BoolArray, Float64Array, FloatArray
from models.ml.kernels.jit import jit
from models.ml.kernels.parallel import parallel_map

# How much less than the others a free feature is held back.
UNPENALISED_SCALE = 100.0
PENALISED_SCALE = 1000.0


@dataclass(frozen=True)
class LinearModel:
    """Log-odds that are linear in the features as they are."""

    weights: Float64Array
    intercept: float

    def log_odds(self, features: FloatArray) -> Float64Array:
        """Log-odds, float64 (n,), from features (n, weights)."""
        # Not by matrix product: that rounds a row by its place among the others, and p_match must be symmetric.
        return _compute_log_odds(features, self.weights, self.intercept)


@jit
def _compute_log_odds(features: FloatArray, weights: Float64Array, intercept: float) -> Float64Array:
    total = np.full(len(features), intercept)
    for column in range(len(weights)):
        for row in range(len(features)):
            total[row] += weights[column] * features[row, column]
    return total


def fit_ridge(features: FloatArray, liked: BoolArray, strength: float, unpenalised: int = 0) -> LinearModel:
    """Fit on features (n, f) and labels (n,); `strength` is the inverse of the ridge penalty (C), 0 for no weight.

    Features are standardised; the last `unpenalised` of them are hardly held back. From likes alone, passes alone or
    nothing at all only a rate is learned, half a like and half a pass added.
    """
    (linear,) = fit_ridges([(features, np.arange(len(liked)))], liked, strength, unpenalised)
    return linear


def fit_ridges(
    parts: Sequence[tuple[FloatArray, NDArray[np.integer]]], liked: BoolArray, strength: float, unpenalised: int = 0
) -> list[LinearModel]:
    """What `fit_ridge` gives for some rows of each of several features of all of `liked`, on all cores.

    Each on one core: on two busy ones, threads that share a fit took three times as long as one alone.
    """
    with catch_warnings():
        # Where the first step is the right one, single precision has none better: it says so, and lbfgs confirms it.
        simplefilter("ignore", ConvergenceWarning)
        return parallel_map(lambda part: _fit_ridge(part[0][part[1]], liked[part[1]], strength, unpenalised), parts)


def _fit_ridge(features: FloatArray, liked: BoolArray, strength: float, unpenalised: int) -> LinearModel:
    if len(np.unique(liked)) < 2:
        return LinearModel(np.zeros(features.shape[1]), float(logit((liked.sum() + 0.5) / (len(liked) + 1))))
    if strength == 0:
        alone = _fit_ridge(features[:, -unpenalised:], liked, 1.0, 0)
        return LinearModel(np.concatenate([np.zeros(features.shape[1] - unpenalised), alone.weights]), alone.intercept)
    mean, scale = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale[scale < 1e-6] = np.inf  # a constant feature gets no weight
    if unpenalised:
        scale[-unpenalised:] /= UNPENALISED_SCALE
    model = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=200)
    # Single precision takes 0.29 of the time and the weights agree to 1e-6, where the penalty is strong.
    precision = np.float32 if strength * len(liked) < PENALISED_SCALE and not unpenalised else np.float64
    model.fit(((features - mean) / scale).astype(precision), liked)
    weights = model.coef_[0].astype(np.float64) / scale
    return LinearModel(weights, float(model.intercept_[0] - mean @ weights))


def compute_log_loss(log_odds: Float64Array, liked: BoolArray) -> float:
    """Mean negative log likelihood of labels, in nats."""
    return float(np.mean(np.logaddexp(0.0, np.where(liked, -log_odds, log_odds))))


def fit_platt(log_odds: Float64Array, liked: BoolArray) -> tuple[float, float]:
    """Slope and shift by logistic regression of the labels on held-out log-odds (Platt 1999)."""
    model = LogisticRegression(C=np.inf).fit(log_odds[:, None], liked)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
