"""The probability that a like is returned, by the match model of the market: it depends on the lists of everybody."""

import numpy as np

from models.ml.arrays import Float64Array, Int32Array
from models.ml.market import AttentionModel, MarketGraph
from models.ml.market.graph.match_model import compute_match_probabilities
from models.ml.market.graph.ranked_lists import compute_like_probabilities


def compute_returns(graph: MarketGraph, attention: AttentionModel, placed: Int32Array) -> Float64Array:
    """Compute the probability that a like on each edge is returned, float64 (n,) by edge; 0 if not listed.

    Args:
        graph: The market graph.
        attention: The examination model.
        placed: Index of each edge in its list, from 0, int32 (n,), -1 if not listed.
    """
    liked = compute_like_probabilities(graph, placed, attention.compute_list_examination()).astype(np.float64)
    matched = compute_match_probabilities(graph, attention, liked.astype(np.float32)).astype(np.float64)
    return np.divide(matched, liked, out=np.zeros_like(matched), where=liked > 0)


def compute_new_matches(graph: MarketGraph, attention: AttentionModel, placed: Int32Array) -> Float64Array:
    """Compute the distinct matches that a like on each edge brings, float64 (n,) by edge; 0 if not listed.

    Of a pair that may match through both inboxes, each edge has half of the match that counts once. Where likes are
    secret, the match model has counted it once already.

    Args:
        graph: The market graph.
        attention: The examination model.
        placed: Index of each edge in its list, from 0, int32 (n,), -1 if not listed.
    """
    returned = compute_returns(graph, attention, placed)
    if attention.later_answers is not None:
        return returned
    liked = compute_like_probabilities(graph, placed, attention.compute_list_examination())
    matched, both = returned * liked, graph.reverse_edge >= 0
    returned[both] *= 1 - matched[graph.reverse_edge[both]] / 2
    return returned
