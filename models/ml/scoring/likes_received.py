"""Likes received: pending likes, ranked by the probability that their receivers like the senders back."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Int64Array
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.scoring.candidates import score_both_ways
from models.ml.scoring.match_reasons import explain_pairs
from models.ml.scoring.scoring_context import ScoringContext


@dataclass(frozen=True)
class LikesReceived:
    """n pending likes, (n,) each. Those of a receiver stand together, in the receiver's order of preference."""

    receiver: Int64Array
    """Positions."""
    sender: Int64Array
    """Positions."""
    p_like: Float32Array
    """Probability that the receiver likes the sender."""
    p_match: Float32Array
    """The product of both directions, as for listed pairs; see `rank_likes_received`."""
    reasons: list[str]
    """JSON of `models.ml.scoring.match_reasons`, for the receiver."""


def find_pending_likes(context: ScoringContext) -> tuple[Int64Array, Int64Array]:
    """Find the likes that wait for a decision of their receiver.

    The sender's last decision is a like, the receiver has not decided on the sender, neither blocks the other, and the
    two are eligible for each other.

    Args:
        context: The users, their decisions, and the blocks that excluded pairs come from.

    Returns:
        Positions of receivers and senders, int64 (n,) each, in order of the decisions.
    """
    decisions = context.decisions
    receiver, sender = decisions.target[decisions.liked], decisions.actor[decisions.liked]
    waits = ~_find_excluded(context, receiver, sender)
    receiver, sender = receiver[waits], sender[waits]
    eligible = context.pools.rules.find_broken(receiver, sender) == 0
    return receiver[eligible], sender[eligible]


def _find_excluded(context: ScoringContext, viewer: Int64Array, candidate: Int64Array) -> BoolArray:
    """Find the pairs that the context excludes, bool (n,)."""
    people = len(context.pools.rules.age)
    excluded = context.excluded_pairs[0] * people + context.excluded_pairs[1]
    return np.isin(viewer * people + candidate, excluded)


def rank_likes_received(context: ScoringContext, receiver: Int64Array, sender: Int64Array) -> LikesReceived:
    """Score pending likes in their receivers' direction, order them by preference and explain them.

    p_match is the product of p_like and p_liked_back, as on a list, although the sender has liked already. The
    probability without that factor would be the receiver's p_like, and its ratio to p_match on a list would reveal the
    one-sided probability of the sender.

    Args:
        context: The users and the ranker.
        receiver: Positions, (n,).
        sender: Positions, (n,).
    """
    scored = score_both_ways(context, receiver, sender)
    # Equal probabilities, as of empty profiles, are in an order of each receiver's own.
    key = hash_splitmix64((receiver * len(context.pools.rules.age) + sender).astype(np.uint64))
    order = np.lexsort((key, -scored.p_like, receiver))
    reasons = explain_pairs(context.ranker, context.build_pairs(receiver[order], sender[order]))
    return LikesReceived(receiver[order], sender[order], scored.p_like[order], scored.p_match[order], reasons)
