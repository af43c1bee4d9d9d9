"""Ridge logistic regression, for one or several sets of rows."""

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

# Unpenalised features are scaled up by this factor, which makes their penalty negligible.
UNPENALISED_SCALE = 100.0
# Below this product of C and rows, the penalty is strong enough for single precision.
PENALISED_SCALE = 1000.0


@dataclass(frozen=True)
class LinearModel:
    """Log-odds that are linear in the raw features."""

    weights: Float64Array
    intercept: float

    def log_odds(self, features: FloatArray) -> Float64Array:
        """Compute log-odds, float64 (n,), from features (n, f)."""
        # Not a matrix product: its rounding depends on the index of the row, and p_match must be symmetric.
        return _compute_log_odds(features, self.weights, self.intercept)


@jit
def _compute_log_odds(features: FloatArray, weights: Float64Array, intercept: float) -> Float64Array:
    total = np.full(len(features), intercept)
    for column in range(len(weights)):
        for row in range(len(features)):
            total[row] += weights[column] * features[row, column]
    return total


def fit_ridge(features: FloatArray, liked: BoolArray, strength: float, unpenalised: int = 0) -> LinearModel:
    """Fit a ridge logistic regression on standardised features.

    With labels of one kind only, or none, the result is a constant: the rate of likes after adding half a like and half
    a pass.

    Args:
        features: Features (n, f).
        liked: Labels, bool (n,).
        strength: Inverse of the ridge penalty (C); 0 fits the unpenalised features only.
        unpenalised: How many of the last features are hardly penalised.
    """
    (linear,) = fit_ridges([(features, np.arange(len(liked)))], liked, strength, unpenalised)
    return linear


def fit_ridges(
    parts: Sequence[tuple[FloatArray, NDArray[np.integer]]], liked: BoolArray, strength: float, unpenalised: int = 0
) -> list[LinearModel]:
    """Fit a ridge on each part, on all cores.

    Each fit runs on one core, because threads that share a fit on busy cores slow each other down.

    Args:
        parts: Features of all of `liked`, (n, f), and the rows to fit on.
        liked: Labels, bool (n,).
        strength: Inverse of the ridge penalty (C), as in `fit_ridge`.
        unpenalised: How many of the last features are hardly penalised.
    """
    with catch_warnings():
        # The solver warns if single precision cannot improve on a first step that is already right.
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
    # Single precision is faster, and where the penalty is strong its weights agree to 1e-6.
    precision = np.float32 if strength * len(liked) < PENALISED_SCALE and not unpenalised else np.float64
    model.fit(((features - mean) / scale).astype(precision), liked)
    weights = model.coef_[0].astype(np.float64) / scale
    return LinearModel(weights, float(model.intercept_[0] - mean @ weights))


def compute_log_loss(log_odds: Float64Array, liked: BoolArray) -> float:
    """Compute the mean negative log-likelihood of labels, in nats."""
    return float(np.mean(np.logaddexp(0.0, np.where(liked, -log_odds, log_odds))))


def fit_platt(log_odds: Float64Array, liked: BoolArray) -> tuple[float, float]:
    """Fit slope and shift by logistic regression of the labels on held-out log-odds (Platt 1999)."""
    model = LogisticRegression(C=np.inf).fit(log_odds[:, None], liked)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
