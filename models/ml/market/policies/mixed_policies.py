"""Several policies in one market: each list by the policy of its viewer's arm, in answer to the lists of all others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, FloatArray, Int32Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.policies.best_response import SWEEPS, compute_best_response
from models.ml.market.policies.policy_registry import POLICIES

RESPONSE, START = "best_response", "product"


@dataclass(frozen=True)
class PolicyArm:
    """How the lists of some viewers are made.

    Attributes:
        policy: A name in POLICIES.
        viewers: Whose lists they are, bool (people,); of several arms, each viewer has exactly one.
        graph: The market as the policy weighs it: the edges are those of all arms, and `worth` may be the arm's own.
        attention: How the policy assumes that lists and inboxes are examined.
    """

    policy: str
    viewers: BoolArray
    graph: MarketGraph
    attention: AttentionModel


def score_mixture(arms: Sequence[PolicyArm]) -> Float32Array:
    """Score the edges of each arm's viewers by its policy, float32 (n,) by edge.

    Policies other than best response score a pair without regard to the lists of others. Then the viewers of best
    response sort their lists in answer to those, and to each other's. Of several arms of best response each has a turn
    in every round. With one arm of all viewers the scores are those of its policy.

    Raises:
        KeyError: A policy is unknown.
    """
    scores = np.empty(len(arms[0].graph.pair), np.float32)
    for arm in arms:
        own = arm.viewers[arm.graph.viewer]
        start = START if arm.policy == RESPONSE else arm.policy
        scores[own] = POLICIES[start](arm.graph, arm.attention)[own]
    responding = [arm for arm in arms if arm.policy == RESPONSE]
    rounds, sweeps = (1, SWEEPS) if len(responding) == 1 else (SWEEPS, 1)
    for _ in range(rounds):
        for arm in responding:
            scores = compute_best_response(arm.graph, arm.attention, scores, sweeps, viewers=arm.viewers)
    return scores


def align_scores(scores: Float32Array, arm: Int32Array) -> FloatArray:
    """Make the scores of several arms comparable, (n,): the share of the arm's edges that have at most this score.

    Policies score on scales of their own, and a bound on positions gives positions to the best pairs of all lists
    first. So the best tenth of each arm's pairs comes before the second tenth of any. One arm keeps its scores.

    Args:
        scores: Score of each edge, float32 (n,).
        arm: Number of each edge's arm, from 0, int32 (n,).
    """
    if not len(arm) or (arm == arm[0]).all():
        return scores
    aligned = np.empty(len(scores), np.float64)
    for number in range(int(arm.max()) + 1):
        own = np.flatnonzero(arm == number)
        ordered = np.sort(scores[own])
        aligned[own] = np.searchsorted(ordered, scores[own], side="right") / max(len(own), 1)
    return aligned
