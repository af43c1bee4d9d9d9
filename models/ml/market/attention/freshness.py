"""Freshness: cards that a viewer has seen without deciding step back for a while."""

import numpy as np

from models.ml.arrays import Float64Array, Int64Array

FATIGUE = 0.7
"""How much of the probability of a like is left after each day on which the card was shown."""
RECOVERY_DAYS = 7.0
"""After so many days, a showing counts half."""


def compute_freshness(days_shown: Int64Array, days_since: Float64Array) -> Float64Array:
    """Compute what is left of each card's probability of a like, float64 (n,), in (0, 1].

    It is FATIGUE to the power of the days shown, of which the count halves every RECOVERY_DAYS without the card. A card
    that was never shown has 1, so that it comes first among equals.

    Args:
        days_shown: Days on which the viewer saw the card without deciding, (n,).
        days_since: Days since the last of them, (n,), 0 or more.
    """
    return np.asarray(FATIGUE ** (days_shown * 0.5 ** (days_since / RECOVERY_DAYS)), np.float64)
