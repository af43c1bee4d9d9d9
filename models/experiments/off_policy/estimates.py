"""What a policy would bring, estimated from the logs of another one, by the standard estimators.

The outcome is observed where a card was examined, and a model predicts it for each examined card. Errors are clustered
by viewer, and of the given viewers: other viewers would add their own.
"""

from dataclasses import dataclass

import numpy as np

from models.experiments.off_policy.exposure import LoggedExposure
from models.ml.arrays import Float64Array


@dataclass(frozen=True)
class ValueEstimate:
    """An estimated value, and its standard error; NaN if the estimator has none.

    `influence` is what each viewer adds to the error of the value, float64 (viewers,); empty if there is no error.
    """

    value: float
    influence: Float64Array

    @property
    def standard_error(self) -> float:
        """The standard error, clustered by viewer."""
        return float(np.sqrt(self.influence @ self.influence)) if len(self.influence) else float("nan")


def estimate_dm(exposure: LoggedExposure, predicted: Float64Array) -> ValueEstimate:
    """Estimate by the direct method: what the model predicts, without any outcome of the logs.

    Args:
        exposure: n pairs.
        predicted: Predicted outcome of an examination of each pair, float64 (n,).
    """
    return ValueEstimate(float(exposure.target @ predicted), np.empty(0))


def estimate_ips(exposure: LoggedExposure, outcome: Float64Array) -> ValueEstimate:
    """Estimate by inverse propensity scores: the outcomes, weighted. What the logs do not show counts as 0.

    Args:
        exposure: n pairs.
        outcome: Outcome of each examined pair, float64 (n,); ignored elsewhere.
    """
    counted = exposure.weights * outcome
    per_viewer = np.bincount(exposure.viewer, counted).astype(np.float64)
    return ValueEstimate(float(counted.sum()), per_viewer - counted.sum() / max(len(per_viewer), 1))


def estimate_snips(exposure: LoggedExposure, outcome: Float64Array) -> ValueEstimate:
    """Estimate by self-normalised propensity scores (Swaminathan & Joachims, NeurIPS 2015).

    The mean outcome of an examination, weighted, times the examinations that the target would have. What the logs do
    not show counts like the rest.

    Args:
        exposure: n pairs.
        outcome: Outcome of each examined pair, float64 (n,); ignored elsewhere.
    """
    mean, influence = _average(exposure, outcome)
    total = float(exposure.target.sum())
    return ValueEstimate(total * mean, total * influence)


def estimate_dr(exposure: LoggedExposure, outcome: Float64Array, predicted: Float64Array) -> ValueEstimate:
    """Estimate by the self-normalised doubly robust method (Dudík, Langford & Li, ICML 2011).

    What the model predicts, plus the mean error of its predictions on examined cards, weighted, for as many
    examinations as the logs support. It is right if the model is, or if the weights are and the logs show what the
    target shows.

    Args:
        exposure: n pairs.
        outcome: Outcome of each examined pair, float64 (n,); ignored elsewhere.
        predicted: Predicted outcome of an examination of each pair, float64 (n,).
    """
    error, influence = _average(exposure, outcome - predicted)
    supported = float(exposure.target[exposure.logged > 0].sum())
    return ValueEstimate(float(exposure.target @ predicted) + supported * error, supported * influence)


def _average(exposure: LoggedExposure, outcome: Float64Array) -> tuple[float, Float64Array]:
    """Average an outcome over the examined cards by weight; NaN without any. Also return each viewer's influence."""
    weights = exposure.weights
    known = float(weights.sum()) or float("nan")
    mean = float(weights @ outcome) / known
    return mean, np.bincount(exposure.viewer, weights * (outcome - mean)) / known
