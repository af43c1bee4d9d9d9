"""The market as it is tonight: who is there, and which likes wait."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Float64Array, FloatArray, UInt64Array
from models.ml.market.graph.market_graph import MarketGraph, build_market_graph


@dataclass(frozen=True)
class MarketState:
    """What weighs n scored pairs beside their probabilities.

    Attributes:
        activity: Probability that each user opens the app within the coming days, float64 (people,).
        p_pending: Probability that the candidate has liked the viewer already, as far as the list may show it, (n,).
        p_answered: Probability that the viewer answers this like in their inbox, without the list, (n,).
    """

    activity: Float64Array
    p_pending: Float64Array
    p_answered: Float64Array


def make_idle_state(people: int, pairs: int) -> MarketState:
    """Make the state in which everybody is there and no like waits."""
    return MarketState(np.ones(people), np.zeros(pairs), np.zeros(pairs))


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
    sent = p_like * state.activity[viewer] * (1 - state.p_answered)
    returned = p_liked_back * state.activity[candidate]
    return build_market_graph(viewer, candidate, sent, returned, keys, state.p_pending)
