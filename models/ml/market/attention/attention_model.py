"""How users examine lists and inboxes, as every market policy assumes it."""

from dataclasses import dataclass, replace

from models.ml.arrays import Float64Array
from models.ml.market.attention.examination_curve import Curve, evaluate_curve

LIST_LENGTH = 50
# Past this depth, an inbox has the examination probability of this depth.
INBOX_DEPTH = 256
# Weight of the inbox curve until it has been estimated from logs.
DEFAULT_INBOX_WEIGHT = 0.5

# Of so many waiting likes a user answers half from later lists. In simulated nights, about 10 brought most matches, and
# fewer made exposure more even.
LATER_ANSWERS = 10.0
# With so many, all are answered.
ALL = 1e9


@dataclass(frozen=True)
class AttentionModel:
    """The examination curves of lists and inboxes, the length of lists, and the weight of the inbox curve.

    `inbox` is None if it has the curve of the lists. `inbox_weight`, in [0, 1], is the weight of the inbox curve. The
    rest of the weight is on inboxes in which every like is examined. If inboxes are not crowded, full weight on the
    curve costs matches, and a weight of 0.5 costs far fewer.

    Where likes are secret there is no inbox, and likes wait for later lists of the receiver. `later_answers`, from 0
    up, is the number of waiting likes of which a user answers half. It is None where likes are told.
    """

    examination: Curve = "inv"
    inbox: Curve | None = None
    length: int = LIST_LENGTH
    inbox_weight: float = DEFAULT_INBOX_WEIGHT
    later_answers: float | None = None

    def compute_list_examination(self) -> Float64Array:
        """Compute the examination probability of each position of a list, float64 (length,)."""
        return evaluate_curve(self.examination, self.length)

    def compute_inbox_examination(self) -> Float64Array:
        """Compute the weighted examination probability below k = 0 ... INBOX_DEPTH stronger likes.

        Returns:
            float64 (INBOX_DEPTH + 1,).
        """
        inbox = self.examination if self.inbox is None else self.inbox
        return (1 - self.inbox_weight) + self.inbox_weight * evaluate_curve(inbox, INBOX_DEPTH + 1)

    def answer_all(self) -> "AttentionModel":
        """Return the model in which each like that is sent comes to its receiver's attention."""
        return replace(self, inbox_weight=0.0, later_answers=None if self.later_answers is None else ALL)
