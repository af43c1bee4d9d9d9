"""What brings a match: a like that waits in an inbox where likes are told, two lists where they are secret."""

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Int32Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph import inbox, two_lists
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_like_probabilities


def compute_match_probabilities(graph: MarketGraph, attention: AttentionModel, likes: Float32Array) -> Float32Array:
    """Compute the probability that each edge brings a match, float32 (n,), from the probabilities of likes by edge."""
    if attention.later_answers is None:
        return inbox.compute_match_probabilities(graph, likes, attention.compute_inbox_examination())
    return two_lists.compute_match_probabilities(graph, likes, attention.later_answers)


def compute_marginal_values(
    graph: MarketGraph, attention: AttentionModel, likes: Float32Array, viewers: BoolArray
) -> Float32Array:
    """Compute what an impression of each edge of these viewers adds to the worth of matches, float32 (n,) by edge."""
    if attention.later_answers is None:
        examination = attention.compute_inbox_examination()
        matched = inbox.compute_match_probabilities(graph, likes, examination)
        return inbox.compute_marginal_values(graph, likes, matched, examination, viewers)
    return two_lists.compute_marginal_values(graph, likes, attention.later_answers, viewers)


def count_distinct_matches(graph: MarketGraph, attention: AttentionModel, matched: Float32Array) -> float:
    """Sum the expected distinct matches, from the probabilities of matches by edge."""
    if attention.later_answers is None:
        return inbox.count_distinct_matches(graph, matched)
    return float(matched.sum(dtype=np.float64))


def sum_match_worth(graph: MarketGraph, attention: AttentionModel, placed: Int32Array) -> float:
    """Compute the worth of the expected distinct matches of lists: their number, where all are worth the same."""
    if graph.worth is None:
        return count_expected_matches(graph, attention, placed)
    likes = compute_like_probabilities(graph, placed, attention.compute_list_examination())
    matched = compute_match_probabilities(graph, attention, likes).astype(np.float64)
    if attention.later_answers is None:  # a match of both lists counts once
        both = graph.reverse_edge >= 0
        matched[both] -= matched[both] * matched[graph.reverse_edge[both]] / 2
    return float(matched @ graph.worth)


def count_expected_matches(graph: MarketGraph, attention: AttentionModel, placed: Int32Array) -> float:
    """Compute the expected distinct matches of lists; `placed` is the index of each edge in its list, int32 (n,)."""
    likes = compute_like_probabilities(graph, placed, attention.compute_list_examination())
    return count_distinct_matches(graph, attention, compute_match_probabilities(graph, attention, likes))
