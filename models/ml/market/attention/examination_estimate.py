"""The examination curve of lists, estimated from the cards that viewers examined.

The position-based click model (Craswell et al., WSDM 2008): the probability of examining position k depends on k alone.
An impression observes the examination itself. So does a decision, which is made about a card on screen; but where only
decisions are logged, a card that is examined without one counts as not examined.
"""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.market.attention.attention_model import LIST_LENGTH
from models.ml.market.attention.examination_curve import Curve, evaluate_curve

UNMEASURED_VARIANCE = 1 / 12
"""Variance of the uniform distribution on [0, 1]: what is known of a probability before anything was measured."""


@dataclass(frozen=True)
class OfferedCards:
    """k cards of lists, or of inboxes, that publications offered to viewers.

    Attributes:
        viewer: Whose card it is, int64 (k,), from 0.
        listing: Which list or inbox it is on, int64 (k,), from 0: one viewer may have several.
        position: Position in the publication, from 1, int64 (k,). Cards above that were removed since do not change it.
        examined_at: When the viewer first examined the card there, in seconds, float64 (k,); NaN: not yet.
        decided_at: When the viewer first decided on the candidate, there or elsewhere, float64 (k,); NaN: not yet.
    """

    viewer: Int64Array
    listing: Int64Array
    position: Int64Array
    examined_at: Float64Array
    decided_at: Float64Array

    @property
    def examined(self) -> BoolArray:
        """Whether the viewer examined each card there, bool (k,)."""
        return ~np.isnan(self.examined_at)

    def take(self, rows: BoolArray) -> "OfferedCards":
        """Return the cards of these rows."""
        return OfferedCards(*(column[rows] for column in vars(self).values()))


@dataclass(frozen=True)
class CurveEstimate:
    """An estimated examination curve of positions 1 ... LIST_LENGTH, float64 (LIST_LENGTH,) each."""

    examination: Float64Array
    """Examination probability of each position."""
    standard_error: Float64Array
    """Standard error of each probability, clustered by viewer."""


def find_available(cards: OfferedCards) -> BoolArray:
    """Find the cards that were there when the viewer first looked at the list, bool (k,).

    A candidate decided on elsewhere by then was removed: the viewer could not examine the card. This does not depend on
    what the viewer examined afterwards, so leaving such cards out does not bias the rest.
    """
    first = np.full(cards.listing.max(initial=-1) + 1, np.inf)
    np.fmin.at(first, cards.listing, cards.examined_at)
    return ~(cards.decided_at < first[cards.listing])


def find_counted(cards: OfferedCards) -> BoolArray:
    """Find the cards that say whether their position is examined once a list is open, bool (k,).

    A card counts if it was available and the viewer examined another card of the same list. The other card proves that
    the list was open, whether this one was examined or not. If any examined card were enough, only
    lists with one would count, and short lists would seem to be examined more than they are.
    """
    examined = np.bincount(cards.listing, cards.examined)
    return np.asarray(find_available(cards) & (examined[cards.listing] > cards.examined))


def estimate_curve(cards: OfferedCards, assumed: Curve) -> CurveEstimate:
    """Estimate the curve of lists: the mean over viewers, drawn toward an assumed curve where it is uncertain.

    A viewer counts once at each position, with the mean of their lists. The mean and the assumed value are weighted by
    precision, where the assumed value has the variance of the uniform distribution. A position without cards keeps it.

    Args:
        cards: The cards of lists. Positions past LIST_LENGTH are left out.
        assumed: The curve until there are data.
    """
    cards = cards.take(find_counted(cards) & (cards.position <= LIST_LENGTH))
    cells, cell = np.unique(cards.viewer * LIST_LENGTH + cards.position - 1, return_inverse=True)
    at = cells % LIST_LENGTH
    shares = np.bincount(cell, cards.examined, len(cells)) / np.bincount(cell, minlength=len(cells))
    viewers = np.bincount(at, minlength=LIST_LENGTH)
    mean = np.bincount(at, shares, LIST_LENGTH) / np.maximum(viewers, 1)
    spread = np.bincount(at, (shares - mean[at]) ** 2, LIST_LENGTH)
    # At least the effect of one viewer: 0 of n does not rule out 1 in n.
    variance = np.divide(np.maximum(spread, 1), viewers**2, out=np.full(LIST_LENGTH, np.inf), where=viewers > 0)
    trust = UNMEASURED_VARIANCE / (UNMEASURED_VARIANCE + variance)
    prior = np.minimum(evaluate_curve(assumed, LIST_LENGTH), 1)
    return CurveEstimate(prior + trust * (mean - prior), np.sqrt(UNMEASURED_VARIANCE * (1 - trust)))
