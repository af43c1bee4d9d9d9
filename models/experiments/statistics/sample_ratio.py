"""The sample-ratio test: whether the arms have as many units as they should."""

import numpy as np
from scipy.stats import chisquare

from models.ml.arrays import Float64Array, Int64Array

SUSPICIOUS = 0.001
"""A smaller p-value says that the assignment is broken (Fabijan et al. 2019, KDD)."""
LEAST_EXPECTED = 5
"""The chi-square distribution is no good approximation for fewer units in an arm."""


def compute_ratio_p_value(counts: Int64Array, shares: Float64Array) -> float | None:
    """Return the p-value of Pearson's chi-square test of the units of each arm; None if there are too few.

    The test is not sequential. Units keep their arm, so that one look is nearly the same as the next, and SUSPICIOUS
    leaves room for the few that join.

    Args:
        counts: Units in each arm, int64 (arms,).
        shares: Share that each arm should have, float64 (arms,), adding up to 1.
    """
    expected = counts.sum() * shares / shares.sum()
    if not len(counts) or expected.min() < LEAST_EXPECTED:
        return None
    return float(chisquare(counts, expected).pvalue)


def has_wrong_ratio(counts: Int64Array, shares: Float64Array) -> bool:
    """Return whether the arms have other numbers of units than chance would give them."""
    p_value = compute_ratio_p_value(counts, np.asarray(shares, np.float64))
    return p_value is not None and p_value < SUSPICIOUS
