"""Lists from scores, and the likes that come from them."""

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from models.ml.kernels.jit import jit, parallel_ranges
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ordering import make_lists


def compute_positions(graph: MarketGraph, scores: Float32Array, length: int) -> Int32Array:
    """Compute the index of each edge in its viewer's list, from 0, int32 (n,) by edge; -1 if not listed.

    Lists hold at most `length` edges, sorted by `scores`, float32 (n,) by edge, best first. Tie-break keys order equal
    scores.
    """
    found = np.full(len(scores), -1, np.int32)
    update_positions(graph, scores, np.ones(len(graph.keys), bool), length, found)
    return found


def update_positions(
    graph: MarketGraph, scores: Float32Array, viewers: BoolArray, length: int, found: Int32Array
) -> None:
    """Rebuild the lists of some viewers, bool (people,), in place: as `compute_positions`, written to `found`."""

    def update_range(first: int, last: int) -> None:
        make_lists(
            first, last, graph.list_start, graph.csr_index, graph.candidate, graph.keys, scores, viewers, length, found
        )

    parallel_ranges(update_range, graph.list_start)


def compute_like_probabilities(graph: MarketGraph, placed: Int32Array, examination: Float64Array) -> Float32Array:
    """Compute the probability that each viewer likes the candidate from their list, float32 (n,) by edge.

    It is p_like times the examination probability of the position, at most 1.

    Args:
        graph: The market graph.
        placed: Index of each edge in its list, from 0, int32 (n,), -1 if not listed.
        examination: Examination probability of each position, float64 (length,).
    """
    found = np.empty_like(graph.p_like)
    update_like_probabilities(graph, placed, examination, np.ones(len(graph.keys), bool), found)
    return found


def update_like_probabilities(
    graph: MarketGraph, placed: Int32Array, examination: Float64Array, viewers: BoolArray, found: Float32Array
) -> None:
    """Update the like probabilities of some viewers, bool (people,), in place: as `compute_like_probabilities`."""
    by_place = np.append(examination, 0.0).astype(np.float32)  # index -1, not listed, is the appended 0

    def update_range(first: int, last: int) -> None:
        slots = slice(graph.inbox_start[first], graph.inbox_start[last])
        _update_like_range(graph.viewer[slots], graph.p_like[slots], placed[slots], by_place, viewers, found[slots])

    parallel_ranges(update_range, graph.inbox_start)


@jit
def _update_like_range(
    viewer: Int32Array,
    p_like: Float32Array,
    placed: Int32Array,
    by_place: Float32Array,
    viewers: BoolArray,
    found: Float32Array,
) -> None:
    for slot in range(len(viewer)):
        if viewers[viewer[slot]]:
            found[slot] = min(p_like[slot] * by_place[placed[slot]], np.float32(1))


def select_listed_pairs(graph: MarketGraph, placed: Int32Array) -> Int64Array:
    """Select the input rows that are listed, int64, sorted by viewer, best first."""
    return graph.pair[select_listed_edges(graph, placed)].astype(np.int64)


def select_listed_edges(graph: MarketGraph, placed: Int32Array) -> Int32Array:
    """Select the edges that are listed, int32, sorted by viewer, best first."""
    shown = graph.csr_index[placed[graph.csr_index] >= 0]
    return shown[np.lexsort((placed[shown], graph.viewer[shown]))]
