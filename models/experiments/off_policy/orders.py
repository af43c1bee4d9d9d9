"""Two orders of the same lists, compared by the likes that either would bring: what logs tell of another ranker."""

from dataclasses import dataclass

import numpy as np

from models.experiments.off_policy.estimates import ValueEstimate, estimate_dr
from models.experiments.off_policy.exposure import LoggedExposure
from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.kernels.grouping import count_earlier
from models.ml.validation.gate_rules import GateCheck, Rule, judge, leave_unjudged

MAX_LOSS = 0.01
"""The share of likes that a new order may lose against the old one."""
MIN_EXAMINED = 400.0
"""Examined cards by effective size: fewer than for likes of a policy, as two orders share the error of the curve."""


@dataclass(frozen=True)
class LoggedOrder:
    """k cards of lists that viewers opened.

    Attributes:
        viewer: The viewer, int64 (k,), from 0; one list each.
        position: The position as shown, from 1, int64 (k,).
        examined: Whether the viewer examined the card, bool (k,).
        liked: Whether the viewer liked the candidate, bool (k,).
        p_like: What was predicted when the lists were made, float64 (k,).
    """

    viewer: Int64Array
    position: Int64Array
    examined: BoolArray
    liked: BoolArray
    p_like: Float64Array


@dataclass(frozen=True)
class OrderComparison:
    """The likes of one opening of each list in two orders, and the examined cards as so many of equal weight."""

    ours: ValueEstimate
    theirs: ValueEstimate
    effective_size: float


def compare_orders(
    logged: LoggedOrder, ours: Float64Array, theirs: Float64Array, examination: Float64Array
) -> OrderComparison:
    """Compare two orders of the same lists, by the doubly robust method of the item-position model.

    The score `ours` must not have seen the decisions of the logs.

    Args:
        logged: k cards.
        ours: Scores of the new order, best first, float64 (k,).
        theirs: Scores of the old order, float64 (k,).
        examination: Examination probability of each position, float64 (length,); the last one also holds further down.
    """

    def place(index: Int64Array) -> Float64Array:
        return np.asarray(examination[np.minimum(index, len(examination) - 1)])

    def judge_order(scores: Float64Array) -> tuple[ValueEstimate, float]:
        best = np.lexsort((logged.position, -scores))
        index = np.empty(len(best), np.int64)
        index[best] = count_earlier(logged.viewer[best])
        exposure = LoggedExposure(logged.viewer, place(logged.position - 1), place(index), logged.examined)
        return estimate_dr(exposure, logged.liked.astype(float), logged.p_like), exposure.effective_size

    (new, size), (old, other) = judge_order(ours), judge_order(theirs)
    return OrderComparison(new, old, min(size, other))


def check_orders(name: str, compared: OrderComparison, logs: str) -> GateCheck:
    """Check that a new order does not lose more than MAX_LOSS of the likes; it fails if the logs do not tell.

    Args:
        name: The name of the check.
        compared: The two orders.
        logs: What the logs are, such as "publication 7".
    """
    if compared.effective_size < MIN_EXAMINED:
        said = f"examined cards of {logs}, as so many of equal weight"
        rule = Rule("effective_size", said, compared.effective_size, "at least", MIN_EXAMINED)
        return leave_unjudged(name, f"the logs do not tell: {rule.sentence}", [rule], passed=False)
    ours, theirs = compared.ours, compared.theirs
    difference = ValueEstimate(ours.value - theirs.value, ours.influence - theirs.influence)
    said = f"likes of an opening in its order, by the logs of {logs}, relative to the champion's"
    rule = Rule(
        "likes_gain",
        said,
        difference.value / theirs.value,
        "at least",
        -MAX_LOSS,
        difference.standard_error / theirs.value,
        {"effective_size": compared.effective_size},
        "likes in the logs",
    )
    return judge(name, [rule])
