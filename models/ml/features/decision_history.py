"""Decision history: counts and residuals of the decisions that users gave and received."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.kernels.grouping import count_earlier


@dataclass(frozen=True)
class DecisionCounts:
    """Counts of decisions of n users or of one side of n pairs, each (n,)."""

    decisions: Int64Array
    likes: Int64Array
    residual: Float64Array
    """Weighted sums of residuals (see models.ml.ranker.residuals)."""
    weight: Float64Array
    """Sums of the decision weights: the number of decisions if all count in full."""

    def take(self, rows: slice | Int64Array) -> "DecisionCounts":
        """Return these rows, in this order."""
        return DecisionCounts(self.decisions[rows], self.likes[rows], self.residual[rows], self.weight[rows])


@dataclass(frozen=True)
class PairHistory:
    """The history of n pairs: decisions that the viewers and the candidates gave and received."""

    viewer_given: DecisionCounts
    viewer_received: DecisionCounts
    candidate_given: DecisionCounts
    candidate_received: DecisionCounts


@dataclass(frozen=True)
class Decisions:
    """Likes and passes, each (n,).

    Actors and targets are positions. The unit of time is that of the source, except where a function names one.
    """

    actor: Int64Array
    target: Int64Array
    liked: BoolArray
    time: Int64Array
    weight: Float64Array
    """How much each counts in the history of its target, 0 to 1 (see models.ml.features.decision_weights)."""

    def __len__(self) -> int:
        """Return the number of decisions."""
        return len(self.actor)

    def take(self, rows: Int64Array) -> "Decisions":
        """Return these rows, in this order."""
        return Decisions(self.actor[rows], self.target[rows], self.liked[rows], self.time[rows], self.weight[rows])


@dataclass(frozen=True)
class DecisionHistory:
    """The history of n users by position: decisions given and received."""

    given: DecisionCounts
    received: DecisionCounts

    def get_pair_history(self, viewer: Int64Array, candidate: Int64Array) -> PairHistory:
        """Return the history of pairs of positions."""
        return PairHistory(
            viewer_given=self.given.take(viewer),
            viewer_received=self.received.take(viewer),
            candidate_given=self.given.take(candidate),
            candidate_received=self.received.take(candidate),
        )


def build_decision_history(
    decisions: Decisions, residual: Float64Array, people: int, most: int | None = None
) -> DecisionHistory:
    """Build the history of all users after n decisions.

    Args:
        decisions: The decisions, in any order.
        residual: Their residuals, (n,).
        people: The number of users.
        most: If set, only the first so many decisions given, and as many received, count for each user, in the order
            of `decisions`.
    """

    def count_decisions(person: Int64Array, weight: Float64Array) -> DecisionCounts:
        counted = np.ones(len(person), bool) if most is None else count_earlier(person) < most
        at, likes, weight = person[counted], decisions.liked[counted], weight[counted]
        return DecisionCounts(
            np.bincount(at, minlength=people).astype(np.int64),
            np.bincount(at[likes], minlength=people).astype(np.int64),
            np.bincount(at, weight * residual[counted], minlength=people).astype(np.float64),
            np.bincount(at, weight, minlength=people).astype(np.float64),
        )

    return DecisionHistory(
        given=count_decisions(decisions.actor, np.ones(len(decisions))),
        received=count_decisions(decisions.target, decisions.weight),
    )
