"""The market as it is tonight: who is there, which likes wait, and who was shown without a decision."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import BoolArray, Float32Array, Float64Array, FloatArray, Int64Array, UInt64Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph, build_market_graph


@dataclass(frozen=True)
class MarketState:
    """What weighs n scored pairs beside their probabilities.

    Attributes:
        activity: Probability that each user opens the app within the coming days, float64 (people,).
        p_pending: Probability that the candidate has liked the viewer already, as far as the list may show it,
            float32 (n,).
        p_answered: Probability that the viewer answers this like in their inbox, without the list, float32 (n,).
        freshness: Factor of p_like of pairs that were shown without a decision, float32 (n,); see
            `models.ml.market.freshness`.
        worth: What a match of the pair is worth, in times the mean, float32 (n,), the same both ways; None: all are
            worth the same. See `models.ml.market.outcomes.match_worth`.
    """

    activity: Float64Array
    p_pending: Float32Array
    p_answered: Float32Array
    freshness: Float32Array | float = 1.0
    worth: Float32Array | None = None


def make_idle_state(people: int, pairs: int) -> MarketState:
    """Make the state in which everybody is there and no like waits."""
    return MarketState(np.ones(people), np.zeros(pairs, np.float32), np.zeros(pairs, np.float32))


def weigh_secret_likes(activity: Float64Array, raised: BoolArray, most_telling: float) -> MarketState:
    """Return the state where likes are secret: a raised pair, likes and decoys alike, is `most_telling` of a like."""
    p_pending = np.where(raised, np.float32(most_telling), np.float32(0))
    return MarketState(activity, p_pending, np.zeros(len(raised), np.float32))


def weigh_told_likes(
    activity: Float64Array, pairs: int, rows: Int64Array, place: Int64Array, attention: AttentionModel
) -> MarketState:
    """Return the state where likes are told: each is certain, and answered in the inbox as far as users examine it.

    Args:
        activity: Probability that each user opens the app within the coming days, (people,).
        pairs: The number n of scored pairs.
        rows: The scored pair of each pending like, int64 (k,), -1 for none.
        place: The position of each pending like in its receiver's inbox, from 0, int64 (k,).
        attention: How users examine an inbox.
    """
    examination = attention.compute_inbox_examination()
    p_pending, p_answered = np.zeros((2, pairs), np.float32)
    scored = rows >= 0
    p_pending[rows[scored]] = 1
    p_answered[rows[scored]] = examination[np.minimum(place[scored], len(examination) - 1)]
    return MarketState(activity, p_pending, p_answered)


def build_weighted_graph(
    viewer: NDArray[np.integer],
    candidate: NDArray[np.integer],
    p_like: FloatArray,
    p_liked_back: FloatArray,
    keys: UInt64Array,
    state: MarketState,
) -> MarketGraph:
    """Build the market graph of n scored pairs, weighted by the state.

    A like is sent if the viewer opens the app, and returned if the candidate opens the app. A like that the viewer
    answers in the inbox needs no place in the list.

    Args:
        viewer: Index of the viewer, (n,).
        candidate: Index of the candidate, (n,).
        p_like: Probability that the viewer likes the candidate, (n,).
        p_liked_back: Probability that the candidate likes the viewer, (n,).
        keys: Tie-break keys, uint64 (people,).
        state: The state of the market.
    """
    sent = p_like * state.freshness * state.activity[viewer] * (1 - state.p_answered)
    returned = p_liked_back * state.activity[candidate]
    return build_market_graph(viewer, candidate, sent, returned, keys, state.p_pending, state.worth)
