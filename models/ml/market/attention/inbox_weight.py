"""The weight of the inbox curve: measured from the likes that receivers examined, and moved a little each night.

The policy assumes that a share q of the examination of an inbox falls like 1/k, and that a share 1 - q never falls. How
much receivers examine overall is a scale of both, and does not change q.
"""

from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np

from models.ml.market.attention.attention_model import DEFAULT_INBOX_WEIGHT
from models.ml.market.attention.examination_estimate import (
    UNMEASURED_VARIANCE,
    OfferedCards,
    find_available,
    find_counted,
)

LARGEST_STEP = 0.09
"""The most that the weight moves from one publication to the next: less than a tenth, even after rounding."""
DRIFT = 0.03
"""Standard deviation of the change of receivers' habits from one publication to the next."""
WORST_CONDITION = 1e9
"""Above this, all cards have almost the same 1/k, and a slope means nothing."""


@dataclass(frozen=True)
class InboxWeight:
    """The weight q of the inbox curve, and its standard error.

    The weight is 0 if every like received is examined alike, and 1 if position k is examined with probability 1/k.
    """

    weight: float
    standard_error: float


UNMEASURED = InboxWeight(DEFAULT_INBOX_WEIGHT, sqrt(UNMEASURED_VARIANCE))
"""The weight before the first measurement, with the variance of the uniform distribution."""


def measure_inbox_weight(cards: OfferedCards) -> InboxWeight | None:
    """Measure the weight by a regression of examination on 1/k; None if the cards say nothing of it.

    Each receiver has the same weight in the regression, however long the inbox. The standard error is clustered by
    receiver (Liang & Zeger 1986), because what one receiver examines may be correlated. It is at least the effect of
    one receiver.

    Args:
        cards: The cards of inboxes; the viewer is the receiver, and a position is that among the publication's likes.

    Returns:
        The weight, which may be outside [0, 1].
    """
    # Of all available cards, because the number of those that count depends on what was examined.
    share = 1 / np.maximum(np.bincount(cards.viewer, find_available(cards)), 1)
    cards = cards.take(find_counted(cards))
    receivers, receiver = np.unique(cards.viewer, return_inverse=True)
    # The two levels of the line: far down the inbox, and at its first position.
    levels = np.column_stack([1 - 1 / cards.position, 1 / cards.position])
    weighted = levels * share[cards.viewer, None]
    information = weighted.T @ levels
    if not len(receivers) or np.linalg.cond(information) > WORST_CONDITION:
        return None
    inverse = np.linalg.inv(information)
    far, first = inverse @ (weighted.T @ cards.examined)
    if first <= 0:
        return None
    missed = weighted * (cards.examined - levels @ [far, first])[:, None]
    scores = np.column_stack([np.bincount(receiver, column) for column in missed.T])
    effects = scores @ inverse @ [-1 / first, far / first**2]  # of each receiver on 1 - far / first
    return InboxWeight(float(1 - far / first), max(float(np.linalg.norm(effects)), 1 / len(receivers)))


def move_inbox_weight(before: InboxWeight, measured: InboxWeight | None) -> InboxWeight:
    """Move the weight of the publication before toward what its receivers did: one step of a Kalman filter.

    The step is larger, the surer the measurement and the less sure the weight before; it is LARGEST_STEP at most. If
    nothing was measured, the weight stays and becomes less sure.
    """
    known = min(hypot(before.standard_error, DRIFT), UNMEASURED.standard_error)
    if measured is None:
        return InboxWeight(before.weight, known)
    away = min(max(measured.weight, 0.0), 1.0) - before.weight
    gain = known**2 / (known**2 + measured.standard_error**2)
    gain = min(gain, LARGEST_STEP / max(abs(away), LARGEST_STEP))
    error = hypot((1 - gain) * known, gain * measured.standard_error)
    return InboxWeight(before.weight + gain * away, error)
