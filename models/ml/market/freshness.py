"""Freshness: somebody who was shown on several days without a decision steps back for a while."""

import numpy as np

from models.ml.arrays import Float64Array, Int64Array

KEPT_PER_DAY = 0.8
"""What each day on which a card was shown leaves of the viewer's p_like."""
HALF_LIFE_DAYS = 7
"""Days without the card after which half of what was lost is back."""


def compute_freshness(days_shown: Int64Array, days_since: Int64Array) -> Float64Array:
    """Compute the factor of p_like of n pairs that were shown and not decided on, float64 (n,), in (0, 1].

    Below 1 for whoever was shown: among equals, those whom the viewer never saw come first.

    Args:
        days_shown: Days on which the viewer saw the candidate, from 1, int64 (n,).
        days_since: Days since the last of them, from 0, int64 (n,).
    """
    lost = 1 - KEPT_PER_DAY**days_shown
    return np.asarray(1 - lost * 0.5 ** (days_since / HALF_LIFE_DAYS))
