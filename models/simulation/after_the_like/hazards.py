"""The chance that a conversation goes on after each message, as measured, and the log-odds that reproduce it.

Conversations that get far are those of people and pairs who get far. The log-odds for one conversation must
therefore fall faster than the measured shares: they are found by following who is left, over the distribution of the
affinity (a discrete-time frailty model; Vaupel, Manton & Stallard 1979).
"""

from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from models.ml.arrays import Float64Array

WRITTEN = 0.85
"""Share of matches in which somebody writes, ghosts apart."""
ANSWERED = 0.561
"""Share of openers that are answered, ghosts apart, as in ChitChat; about half with them."""
_MEASURED = {2: 0.960, 3: 0.946, 4: 0.953, 5: 0.958, 6: 0.964, 8: 0.973, 10: 0.973, 15: 0.977, 20: 0.984}
"""Share of two-sided conversations that go on after message k, in ChitChat (7,168 conversations of real people)."""
LAST_MEASURED = max(_MEASURED)


def get_share_going_on(message: int) -> float:
    """Return the share that goes on after a message: 0 is the match, 1 the opener; between measured ones linear."""
    if message < min(_MEASURED):
        return (WRITTEN, ANSWERED)[message]
    return float(np.interp(message, list(_MEASURED), list(_MEASURED.values())))


@cache
def find_log_odds(affinity_sd: float) -> tuple[float, ...]:
    """Find the log-odds of going on after messages 0 to LAST_MEASURED for a conversation of affinity 0.

    With these, conversations go on as often as measured if their affinity is normal with mean 0 and this standard
    deviation.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    affinity, left, found = affinity_sd * nodes, weights / weights.sum(), []
    for message in range(LAST_MEASURED + 1):
        log_odds = _solve(affinity, left, get_share_going_on(message))
        left = left * expit(log_odds + affinity)
        left /= left.sum()
        found.append(log_odds)
    return tuple(found)


def _solve(affinity: Float64Array, left: Float64Array, share: float) -> float:
    """Find the log-odds at which this share of those who are left goes on."""
    return float(brentq(lambda log_odds: left @ expit(log_odds + affinity) - share, -20.0, 20.0))


def compute_going_on(message: int, affinity: Float64Array, affinity_sd: float) -> Float64Array:
    """Compute the chance that conversations of this affinity go on after a message, float64 (k,)."""
    return np.asarray(expit(find_log_odds(affinity_sd)[min(message, LAST_MEASURED)] + affinity))
