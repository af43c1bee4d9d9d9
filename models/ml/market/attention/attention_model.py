"""How people look at what they are shown: the premise of every market policy."""

from dataclasses import dataclass

from models.ml.arrays import Float64Array
from models.ml.market.attention.examination_curve import Curve, evaluate_curve

LIST_LENGTH = 50
# Further down than this, an inbox counts as looked at as it is here.
INBOX_DEPTH = 256
# How far an inbox's curve is believed before anybody has measured it.
DEFAULT_INBOX_WEIGHT = 0.5


@dataclass(frozen=True)
class AttentionModel:
    """The examination curves of lists and of inboxes (None: the same), how many places a list has, and the hedge.

    `inbox_weight` in [0, 1] is the weight of the inbox's curve; the rest is on inboxes in which every like is looked
    at. If the place in the inbox does not matter, trusting that it does costs a fifth of the matches; with q = 0.5 a
    twentieth.
    """

    examination: Curve = "inv"
    inbox: Curve | None = None
    length: int = LIST_LENGTH
    inbox_weight: float = DEFAULT_INBOX_WEIGHT

    def compute_list_examination(self) -> Float64Array:
        """How much each place of a list is looked at, float64 (length,)."""
        return evaluate_curve(self.examination, self.length)

    def compute_inbox_examination(self) -> Float64Array:
        """How much a like is looked at below k = 0, 1 … DEPTH stronger ones, hedged, float64 (DEPTH + 1,)."""
        inbox = self.examination if self.inbox is None else self.inbox
        return (1 - self.inbox_weight) + self.inbox_weight * evaluate_curve(inbox, INBOX_DEPTH + 1)
