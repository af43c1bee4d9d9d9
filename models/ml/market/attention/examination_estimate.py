"""Examination curves measured from logged interactions, and how far the policy may trust a crowded inbox.

The position-based click model (Craswell et al., WSDM 2008): what stands at place k is looked at with a probability that
depends on k only, and what is looked at is acted on with a probability that does not depend on k.
"""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, FloatArray, Int64Array
from models.ml.market.attention.attention_model import DEFAULT_INBOX_WEIGHT, LIST_LENGTH
from models.ml.market.attention.examination_curve import evaluate_curve

# Places measured: deeper ones are seldom reached, and the policy extends a curve by its last value.
POSITIONS = LIST_LENGTH
# That of a hedge about which nothing is known but that it is in [0, 1].
UNMEASURED_VARIANCE = 1 / 12
STEP, MAX_STEPS = 1e-7, 5000
MIN_PROBABILITY = 1e-6  # what is never acted on says nothing about looks, and must not be divided by


@dataclass(frozen=True)
class CurveEstimate:
    """An examination curve for places 1 … k."""

    examination: Float64Array
    """Probability that what stands there is looked at, (k,)."""
    standard_error: Float64Array
    """Of that, (k,), for people drawn at random: what one person does here and there may hang together."""
    impressions: Int64Array
    """How often something stood there, (k,): at least once."""


def estimate_curve(
    place: Int64Array, acted: BoolArray, person: Int64Array, chance: FloatArray | None = None
) -> CurveEstimate:
    """The examination curve behind n rows (n,), each something that stood before somebody, acted on or not.

    `place` is where it stood, from 1, and `person` before whom. `chance` is the probability that it is acted on if
    looked at; None is certainty. Places past PLACES, and past the first at which nothing stood, are left out.

    For the lists: a row for each place of each viewer's list in the publications that are kept; acted if the viewer's
    interaction with that publication_id and target is there, like or pass. The place is that in the publication's list,
    not the `position` of the interaction: the app takes out who was decided on, so that those below move up as they are
    shown. Nobody's taste comes in, since a pass is logged as a like is.

    For the inboxes: a row for each like received while a publication was live, old enough to be answered; the place is
    its rank in the receiver's own p_like among all of these; acted if the receiver's later interaction with the sender
    is there. Rows of senders that the receiver's own list shows are left out, after ranking: they had another way to
    be seen. Where passes on received likes are not logged, acted is a like back, and `chance` the receiver's p_like: an
    inbox is sorted by preference, which would else be taken for attention.

    The estimate is the likelihood's maximum for each place, found by EM with the chances given (Wang et al., WSDM 2018,
    whose regression the ranker stands in for). Errors are clustered by person (Liang & Zeger 1986), and at least what
    one action more or less would change: that none of n acted does not rule out one in n.
    """
    shown = np.bincount(place, minlength=2)[1:]
    length = int(np.argmin(np.append(shown[:POSITIONS], 0) > 0))
    kept = place <= length
    at, acted, person = place[kept] - 1, acted[kept], np.unique(person[kept], return_inverse=True)[1]
    chances = np.ones(len(at)) if chance is None else np.clip(chance[kept].astype(np.float64), MIN_PROBABILITY, 1)
    looked_at = _maximise_likelihood(at, acted, chances, shown[:length])
    return CurveEstimate(looked_at, _estimate_errors(at, acted, person, chances, looked_at), shown[:length])


def _maximise_likelihood(at: Int64Array, acted: BoolArray, chances: Float64Array, shown: Int64Array) -> Float64Array:
    """The probability of a look at each place, by EM: a row not acted on was perhaps looked at all the same."""
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
    """Standard errors by place: the spread of the people's scores over the information (the "sandwich")."""
    places, people = len(looked_at), int(person.max(initial=-1)) + 1
    probability = np.clip(looked_at[at], 1e-9, 1 - 1e-9)
    slope = np.where(acted, 1 / probability, -chances / (1 - probability * chances))
    information = np.bincount(at, chances / (probability * (1 - probability * chances)), places)
    of_person = np.bincount(person * places + at, slope, people * places).reshape(people, places)
    one_more = 1 / np.bincount(at, chances, places)
    return np.asarray(np.maximum(np.sqrt((of_person**2).sum(axis=0)) / information, one_more))


def estimate_inbox_weight(inbox: CurveEstimate | None) -> float:
    """How far to trust that an inbox is crowded, q in [0, 1]: 0 for a flat curve, 1 for one as steep as "inv" or more.

    The policy with hedge q reckons with a share q of attention that falls like "inv", a share 1 - q that never falls.
    So q is that of the measured curve: looked_at = scale x (1 - q + q / k), by least squares over all that was shown.
    The estimate is weighed by its precision against not knowing (0.5, with the variance of the uniform distribution),
    which leaves 0.5 when nothing was measured. Places are taken as independent; that people differ in how much they
    look at altogether changes the scale and not q.
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
