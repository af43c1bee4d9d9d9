"""Examination curves and the inbox weight, estimated from logged interactions.

The position-based click model (Craswell et al., WSDM 2008): the probability of examining position k depends only on k,
and the probability of acting on an examined card does not depend on k.
"""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, FloatArray, Int64Array
from models.ml.market.attention.attention_model import DEFAULT_INBOX_WEIGHT, LIST_LENGTH
from models.ml.market.attention.examination_curve import evaluate_curve

# Deeper positions are seldom reached, and the policy extends a curve by its last value.
POSITIONS = LIST_LENGTH
# Variance of the uniform distribution on [0, 1]: the prior of the weight.
UNMEASURED_VARIANCE = 1 / 12
STEP, MAX_STEPS = 1e-7, 5000
MIN_PROBABILITY = 1e-6  # avoids division by 0; what is never acted on says nothing about examination


@dataclass(frozen=True)
class CurveEstimate:
    """An estimated examination curve of positions 1 ... k."""

    examination: Float64Array
    """Examination probability of each position, (k,)."""
    standard_error: Float64Array
    """Standard error of each probability, (k,), clustered by user because one user's actions may be correlated."""
    impressions: Int64Array
    """Number of cards that stood at each position, (k,), at least 1."""


def estimate_curve(
    place: Int64Array, acted: BoolArray, person: Int64Array, chance: FloatArray | None = None
) -> CurveEstimate:
    """Estimate the examination curve behind n rows, each a card at a position, acted on or not.

    For lists: one row for each position of each viewer's list in the stored publications. It is acted on if the viewer
    has an interaction, like or pass, with that publication_id and target. The position is that in the publication's
    list, not the `position` of the interaction. The app removes users who were decided on, so that those below move up.
    Preferences do not bias the estimate, since passes are logged like likes.

    For inboxes: one row for each like received while a publication was live and old enough to be returned. The position
    is its rank by the receiver's p_like among all of these. It is acted on if the receiver has a later interaction with
    the sender. After ranking, leave out rows of senders in the receiver's own list, since they were visible there too.
    If passes on received likes are not logged, `acted` is a like back and `chance` the receiver's p_like. An inbox is
    sorted by preference, which would otherwise be mistaken for examination.

    The estimate is the maximum likelihood at each position, found by EM with the given probabilities. The method is
    that of Wang et al. (WSDM 2018), with the ranker in place of their regression. Standard errors are clustered by user
    (Liang & Zeger 1986). They are at least the effect of one action: 0 of n does not rule out 1 in n.

    Args:
        place: Position of each row, from 1, int64 (n,). Positions past POSITIONS, and from the first without a row on,
            are left out.
        acted: Whether the card was acted on, bool (n,).
        person: The user who saw it, int64 (n,).
        chance: Probability of an action if examined, (n,); None for 1.
    """
    shown = np.bincount(place, minlength=2)[1:]
    length = int(np.argmin(np.append(shown[:POSITIONS], 0) > 0))
    kept = place <= length
    at, acted, person = place[kept] - 1, acted[kept], np.unique(person[kept], return_inverse=True)[1]
    chances = np.ones(len(at)) if chance is None else np.clip(chance[kept].astype(np.float64), MIN_PROBABILITY, 1)
    looked_at = _maximise_likelihood(at, acted, chances, shown[:length])
    return CurveEstimate(looked_at, _estimate_errors(at, acted, person, chances, looked_at), shown[:length])


def _maximise_likelihood(at: Int64Array, acted: BoolArray, chances: Float64Array, shown: Int64Array) -> Float64Array:
    """Estimate the examination probability of each position by EM; a row without an action may have been examined."""
    seen = np.bincount(at[acted], minlength=len(shown))
    missed, chances = at[~acted], chances[~acted]
    looked_at = np.full(len(shown), 0.5)
    for _ in range(MAX_STEPS):
        before, prior = looked_at, looked_at[missed]
        perhaps = prior * (1 - chances) / (1 - prior * chances)
        looked_at = (seen + np.bincount(missed, perhaps, len(shown))) / shown
        if np.allclose(looked_at, before, rtol=0, atol=STEP):
            break
    return looked_at


def _estimate_errors(
    at: Int64Array, acted: BoolArray, person: Int64Array, chances: Float64Array, looked_at: Float64Array
) -> Float64Array:
    """Estimate standard errors by position with the sandwich estimator: spread of users' scores over information."""
    places, people = len(looked_at), int(person.max(initial=-1)) + 1
    probability = np.clip(looked_at[at], 1e-9, 1 - 1e-9)
    slope = np.where(acted, 1 / probability, -chances / (1 - probability * chances))
    information = np.bincount(at, chances / (probability * (1 - probability * chances)), places)
    of_person = np.bincount(person * places + at, slope, people * places).reshape(people, places)
    one_more = 1 / np.bincount(at, chances, places)
    return np.asarray(np.maximum(np.sqrt((of_person**2).sum(axis=0)) / information, one_more))


def estimate_inbox_weight(inbox: CurveEstimate | None) -> float:
    """Estimate the weight q of the inbox curve, in [0, 1]: 0 for a flat curve, 1 for one as steep as "inv" or steeper.

    The policy assumes that a share q of examination falls like "inv" and a share 1 - q never falls. So q is fitted to
    the estimated curve: examination = scale x (1 - q + q / k), by least squares weighted by impressions.

    The estimate is combined with the prior (0.5, with the variance of the uniform distribution), each weighted by its
    precision. Without data the result is 0.5. Positions are taken as independent. How much users examine overall
    changes the scale and not q.
    """
    if inbox is None or len(inbox.impressions) < 2:
        return DEFAULT_INBOX_WEIGHT
    weight, falling = inbox.impressions / inbox.impressions.sum(), evaluate_curve("inv", len(inbox.impressions))
    away = falling - weight @ falling
    drop = weight * away / (weight @ away**2)
    first = weight + (1 - weight @ falling) * drop
    scale = float(first @ inbox.examination)
    if scale <= 0:
        return DEFAULT_INBOX_WEIGHT
    trust = float(drop @ inbox.examination) / scale
    variance = float(((drop - trust * first) / scale) ** 2 @ inbox.standard_error**2)
    q = (trust * UNMEASURED_VARIANCE + DEFAULT_INBOX_WEIGHT * variance) / (UNMEASURED_VARIANCE + variance)
    return min(max(q, 0.0), 1.0)
