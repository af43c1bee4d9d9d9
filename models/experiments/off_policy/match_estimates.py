"""Matches that a policy would bring, from logs: a match is a like of the viewer and its return by the candidate.

Likes are many and matches are few, so the like is taken from the logs and the return from a model. This is the idea of
DiPS and DPR (Hayashi, Goda & Saito, arXiv 2507.13608), who name them for one stage of a recommendation that is followed
by a response. Here the weights are those of the item-position model, and self-normalised. The probability of a return
depends on all lists together, so it comes from the match model of the market, once for each policy.
"""

from dataclasses import dataclass

import numpy as np

from models.experiments.off_policy.estimates import ValueEstimate, estimate_dr, estimate_snips
from models.experiments.off_policy.exposure import LoggedExposure
from models.ml.arrays import BoolArray, Float64Array


@dataclass(frozen=True)
class LoggedReturns:
    """What became of the likes on n pairs.

    Attributes:
        logged: Probability that a like is returned under the policy of the logs, float64 (n,).
        target: Probability that a like becomes a match under the policy that is judged, float64 (n,). A pair that may
            match both ways has half of the match that counts once.
        answered: Whether the candidate decided on the viewer who likes them, bool (n,).
        returned: Whether that was a like, bool (n,).
        p_returned: Probability that the candidate likes the viewer, if they decide, float64 (n,).
    """

    logged: Float64Array
    target: Float64Array
    answered: BoolArray
    returned: BoolArray
    p_returned: Float64Array


def estimate_dips(exposure: LoggedExposure, liked: BoolArray, p_matched: Float64Array) -> ValueEstimate:
    """Estimate matches by weights for the like and the model for its return.

    Args:
        exposure: n pairs.
        liked: Whether the viewer liked the examined candidate, bool (n,).
        p_matched: Probability that a like becomes a match under the target, float64 (n,).
    """
    return estimate_snips(exposure, liked * p_matched)


def estimate_dpr(
    exposure: LoggedExposure, liked: BoolArray, p_like: Float64Array, returns: LoggedReturns
) -> ValueEstimate:
    """Estimate matches doubly robustly in both stages.

    The first stage is `estimate_dr` of likes that the model turns into matches. The second one multiplies it by the
    returns that the logs have over those that the model expects of the same answers, weighted as the target would.
    Without answers the second stage changes nothing.

    Args:
        exposure: n pairs.
        liked: Whether the viewer liked the examined candidate, bool (n,).
        p_like: Predicted probability of a like on an examined card, float64 (n,).
        returns: What became of the likes.
    """
    first = estimate_dr(exposure, liked * returns.target, p_like * returns.target)
    weights = weigh_answers(exposure, liked, returns)
    expected = float(weights @ returns.p_returned)
    if not expected:
        return first
    ratio = float(weights @ returns.returned) / expected
    missed = np.bincount(exposure.viewer, weights * (returns.returned - ratio * returns.p_returned))
    influence = ratio * first.influence + first.value / expected * missed
    return ValueEstimate(ratio * first.value, influence)


def weigh_answers(exposure: LoggedExposure, liked: BoolArray, returns: LoggedReturns) -> Float64Array:
    """Compute what an answer to a like counts for the target, float64 (n,); 0 where no like was answered."""
    likely = np.divide(returns.target, returns.logged, out=np.zeros_like(returns.target), where=returns.logged > 0)
    return np.asarray(exposure.weights * likely * (liked & returns.answered))
