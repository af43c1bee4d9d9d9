"""A bound on how many lists show one user, set by the votes of independent users.

The bound holds at the first position, among the first five and for whole lists, whatever the ranker predicts. A group
of accounts hands out no more votes than it has members, so it cannot raise its members' bounds beyond that.
"""

import numpy as np

from models.ml.arrays import Float64Array, FloatArray, Int32Array, Int64Array
from models.ml.kernels.jit import jit
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.graph.market_graph import MarketGraph

DEPTHS = (1, 5)
"""Depths of a list at which the bound holds, in addition to its whole length."""


def bound_positions(graph: MarketGraph, scores: FloatArray, length: int, allowance: Float64Array) -> Int32Array:
    """Build lists by score in which no user exceeds the allowed share of lists.

    The best pairs of all lists take positions first. A list may be shorter than without the bound, but keeps at least
    half of its length.

    Args:
        graph: The market graph.
        scores: Scores that lists are sorted by, (n,) by edge; tie-break keys order equal scores.
        length: Maximum length of a list.
        allowance: Bound at each depth, as a multiple of the mean over users who can be shown, float64 (people,).

    Returns:
        Index of each edge in its list, int32 (n,), -1 if not listed.
    """
    lengths = np.minimum(np.diff(graph.list_start), length)
    depths, caps = compute_caps(graph, length, allowance)
    lot = hash_splitmix64(graph.keys[graph.viewer] + hash_splitmix64(graph.keys[graph.candidate]))
    order = np.lexsort((lot, -scores))
    placed = np.full(len(scores), -1, np.int32)
    _fill_positions(order, graph.viewer, graph.candidate, depths, caps, (lengths + 1) // 2, placed)
    return placed


def compute_caps(graph: MarketGraph, length: int, allowance: Float64Array) -> tuple[Int64Array, Int64Array]:
    """Compute the depths of the bound, int64 (d,), and how many lists may show each user, int64 (people, d).

    Args:
        graph: The market graph.
        length: Maximum length of a list, the last depth.
        allowance: Bound at each depth, as a multiple of the mean over users who can be shown, float64 (people,).
    """
    lengths = np.minimum(np.diff(graph.list_start), length)
    depths = np.array([*(depth for depth in DEPTHS if depth < length), length])
    shown = max(np.count_nonzero(np.diff(graph.inbox_start)), 1)
    mean = np.minimum(lengths[:, None], depths).sum(axis=0) / shown
    return depths, np.maximum(np.rint(allowance[:, None] * mean), 1).astype(np.int64)


@jit
def _fill_positions(
    order: Int64Array,
    viewer: Int32Array,
    candidate: Int32Array,
    depths: Int64Array,
    caps: Int64Array,
    least: Int64Array,
    placed: Int32Array,
) -> None:
    """Assign positions to edges in `order`, depth by depth; then fill lists up to `least`, ignoring the caps."""
    filled, used = np.zeros(len(caps), np.int64), np.zeros(len(caps), np.int64)
    for depth in range(len(depths) + 1):
        for slot in order:
            one, other = viewer[slot], candidate[slot]
            free = filled[one] < least[one] if depth == len(depths) else filled[one] < depths[depth]
            if placed[slot] < 0 and free and (depth == len(depths) or used[other] < caps[other, depth]):
                placed[slot] = filled[one]
                filled[one] += 1
                used[other] += 1
