"""CUPED: what last week's values explain is taken out of this week's.

Deng, Xu, Kohavi & Walker 2013, WSDM: Improving the Sensitivity of Online Controlled Experiments by Utilizing
Pre-Experiment Data.
"""

import numpy as np

from models.ml.arrays import Float64Array, Int64Array


def adjust_numerators(
    arm: Int64Array, numerator: Float64Array, denominator: Float64Array, expected: Float64Array
) -> tuple[Float64Array, int]:
    """Adjust the numerators of k clusters, float64 (k,), and return the number of slopes that were estimated: 0 or 1.

    The slope is that of the deviations of `numerator` on those of `expected`, both from the ratio of the cluster's own
    arm, so that the arms' difference is not in it. What is subtracted adds up to 0 over all clusters.

    Args:
        arm: Index of the arm, int64 (k,).
        numerator: Sum of what is counted, float64 (k,).
        denominator: Sum of what it is counted over, from 0, float64 (k,).
        expected: The numerator if the cluster were as last week, float64 (k,): last week's ratio times `denominator`.
            Clusters without a last week have the ratio of all others.
    """
    deviation = _deviate(arm, expected, denominator)
    spread = float(deviation @ deviation)
    # Below this it is rounding: last week was the same everywhere.
    if spread <= 1e-18 * max(float(expected @ expected), 1e-300):
        return numerator, 0
    slope = float(deviation @ _deviate(arm, numerator, denominator)) / spread
    everywhere = np.zeros_like(arm)
    return numerator - slope * _deviate(everywhere, expected, denominator), 1


def fill_unknown(ratio: Float64Array, weight: Float64Array) -> Float64Array:
    """Replace NaN by the weighted mean of all others, or by 0 if nothing is known, float64 (k,)."""
    known = ~np.isnan(ratio)
    total = weight[known].sum()
    return np.where(known, ratio, weight[known] @ ratio[known] / total if total else 0.0)


def _deviate(arm: Int64Array, numerator: Float64Array, denominator: Float64Array) -> Float64Array:
    """Return how far each numerator is from what the ratio of its arm gives, float64 (k,)."""
    sums = np.bincount(arm, denominator)
    ratio = np.divide(np.bincount(arm, numerator), sums, out=np.zeros_like(sums), where=sums > 0)
    return np.asarray(numerator - ratio[arm] * denominator)
