"""What likes and passes tell of people: how often they like and are liked, and what their profiles told already."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array


@dataclass(frozen=True)
class DecisionCounts:
    """Decisions, the likes among them, and their surprise, each (n,).

    The surprise of a decision is 1 for a like or 0 for a pass, less the probability of a like that the profiles of the
    two gave it; of several decisions, the weighted sum.
    """

    decisions: Int64Array
    likes: Int64Array
    residual: Float64Array
    weight: Float64Array
    """The sum of the decisions' weights, float64 (n,): their number if all count in full."""

    def part(self, rows: slice | Int64Array) -> "DecisionCounts":
        """Some of the rows, in this order."""
        return DecisionCounts(self.decisions[rows], self.likes[rows], self.residual[rows], self.weight[rows])


@dataclass(frozen=True)
class PairHistory:
    """What was known of n pairs: the viewer's and the candidate's decisions given and received."""

    viewer_given: DecisionCounts
    viewer_received: DecisionCounts
    candidate_given: DecisionCounts
    candidate_received: DecisionCounts


@dataclass(frozen=True)
class Decisions:
    """Likes and passes: actor, target int64 positions, liked bool, time int64 (any unit), each (n,)."""

    actor: Int64Array
    target: Int64Array
    liked: BoolArray
    time: Int64Array
    weight: Float64Array
    """How much each counts in what is known of its target, 0 to 1, float64 (n,): see
    models.ml.features.decision_weights.
    """

    def __len__(self) -> int:
        """How many."""
        return len(self.actor)

    def take(self, rows: Int64Array) -> "Decisions":
        """Some of them, in the order of `rows`."""
        return Decisions(self.actor[rows], self.target[rows], self.liked[rows], self.time[rows], self.weight[rows])


@dataclass(frozen=True)
class DecisionHistory:
    """What is known of each of n people: decisions given and received."""

    given: DecisionCounts
    received: DecisionCounts

    def get_pair_history(self, viewer: Int64Array, candidate: Int64Array) -> PairHistory:
        """The history of pairs, by the positions of their two people."""
        return PairHistory(
            viewer_given=self.given.part(viewer),
            viewer_received=self.received.part(viewer),
            candidate_given=self.given.part(candidate),
            candidate_received=self.received.part(candidate),
        )


def build_decision_history(
    decisions: Decisions, residual: Float64Array, people: int, most: int | None = None
) -> DecisionHistory:
    """The ledger of `people` people after the events, whose surprises are float64 (n,).

    With `most`, of each person only the first so many decisions given and received count, in the order of the events.
    """

    def count_decisions(person: Int64Array, weight: Float64Array) -> DecisionCounts:
        counted = np.ones(len(person), bool) if most is None else _count_earlier(person) < most
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


def _count_earlier(person: Int64Array) -> Int64Array:
    """How many rows of the same person come before each row."""
    order = np.argsort(person, kind="stable")
    ordered = person[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(person) else np.empty(0, np.int64)
    place = np.empty(len(person), np.int64)
    place[order] = np.arange(len(person)) - np.repeat(starts, np.diff(np.r_[starts, len(person)]))
    return place
