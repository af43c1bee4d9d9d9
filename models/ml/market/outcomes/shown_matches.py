"""p_match of what lists show: lists prefer candidates who like the viewer already, so the plain product is too low.

All pairs get the same shift of their log odds. So p_match orders pairs as before, is the same from both sides, and says
nothing of any one like.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from models.ml.arrays import BoolArray, Float32Array, Float64Array, FloatArray

MAX_SHIFT = 3.0
PRIOR_LOOKS = 100.0
"""Looks at pending likes below which the shift is mostly zero: a few likes must not move what all cards say."""
MAX_ROWS = 200_000
REALISED = 0.92
"""The share of what listed pairs promise that comes about: lists choose pairs that the ranker rates too high rather
than too low. As of simulated nights, where the truth is known."""


def compute_shown_shift(p_like: FloatArray, p_liked_back: FloatArray, pending: BoolArray, looks: FloatArray) -> float:
    """Compute the shift of log odds with which p_match is right on average over the cards that lists show.

    It is rounded to a tenth, so that no single like can be seen in it.

    Args:
        p_like: Probability that the viewer likes the candidate, of n listed pairs, (n,).
        p_liked_back: Probability that the candidate likes the viewer, (n,).
        pending: Whether the candidate has liked the viewer, bool (n,).
        looks: Probability that the viewer looks at the card, (n,).
    """
    some = slice(None, None, 1 + len(p_like) // MAX_ROWS)
    like, back, look = (np.asarray(each[some], np.float64) for each in (p_like, p_liked_back, looks))
    odds = logit(np.clip(like * back, 1e-6, 1 - 1e-6))
    expected = REALISED * look @ (like * np.where(pending[some], 1.0, back))

    def exceed(shift: float) -> float:
        return float(look @ expit(odds + shift) - expected)

    if exceed(-MAX_SHIFT) >= 0 or exceed(MAX_SHIFT) <= 0:
        return 0.0
    seen = float(looks @ pending)
    return round(float(brentq(exceed, -MAX_SHIFT, MAX_SHIFT)) * seen / (seen + PRIOR_LOOKS), 1)


def shift_probabilities(probability: Float32Array, shift: float) -> Float32Array:
    """Return probabilities whose log odds are larger by `shift`, float32 (n,); 0 and 1 stay."""
    if shift == 0:
        return probability
    odds: Float64Array = logit(probability.astype(np.float64))
    return expit(odds + shift).astype(np.float32)
