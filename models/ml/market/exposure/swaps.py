"""Swaps of two candidates in one list, which move exposure between them at the least cost in matches."""

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int32Array, Int64Array
from models.ml.kernels.jit import jit
from models.ml.market.graph.market_graph import MarketGraph

SLACK = 1e-9


def swap_into_bounds(
    graph: MarketGraph,
    placed: Int32Array,
    value: Float32Array,
    people: Int64Array,
    views: Float64Array,
    low: Float64Array,
    high: Float64Array,
    examination: Float64Array,
) -> Int32Array:
    """Swap `people` up or down in lists until their exposure is within the bounds or no swap is left.

    In each list with the user, the partner is the candidate with the lowest cost per needed impression. The cheapest
    lists come first, each once. No swap moves a user who was within the bounds out of them, or past the opposite bound.

    Args:
        graph: The market graph.
        placed: Index of each edge in its list, int32 (n,), -1 if not listed; not modified.
        value: Matches per impression, float32 (n,) by edge.
        people: Users out of bounds, in the order in which they are handled.
        views: Exposure of each user, float64 (people,).
        low: Lower bounds, float64 (people,).
        high: Upper bounds, float64 (people,).
        examination: Examination probability of each position, float64 (length,).

    Returns:
        The new index of each edge in its list, int32 (n,).
    """
    after, views = placed.copy(), views.copy()
    look = np.append(examination, 0.0)
    bounds = (graph.inbox_start, graph.list_start)
    _swap_pairs(people, *bounds, graph.viewer, graph.candidate, graph.csr_index, value, look, low, high, after, views)
    return after


@jit
def _swap_pairs(
    people: Int64Array,
    inbox_start: Int64Array,
    list_start: Int64Array,
    viewer: Int32Array,
    candidate: Int32Array,
    slots: Int32Array,
    value: Float32Array,
    look: Float64Array,
    low: Float64Array,
    high: Float64Array,
    placed: Int32Array,
    views: Float64Array,
) -> None:
    for person in people:
        up = views[person] < low[person]
        need = max(low[person] - views[person], views[person] - high[person])
        inbox = np.arange(inbox_start[person], inbox_start[person + 1])
        costs, partners = np.full(len(inbox), np.inf), np.empty(len(inbox), np.int64)
        for place, slot in enumerate(inbox):
            own = slots[list_start[viewer[slot]] : list_start[viewer[slot] + 1]]
            for other in own:
                moved = abs(look[placed[other]] - look[placed[slot]])
                gap = value[other] - value[slot] if up else value[slot] - value[other]
                cost = gap * moved / max(min(moved, need), SLACK)
                if cost < costs[place] and _is_allowed(slot, other, up, candidate, look, low, high, placed, views):
                    costs[place], partners[place] = cost, other
        for place in np.argsort(costs):
            slot, other = inbox[place], partners[place]
            done = views[person] >= low[person] - SLACK if up else views[person] <= high[person] + SLACK
            if done or costs[place] == np.inf:
                break
            if _is_allowed(slot, other, up, candidate, look, low, high, placed, views):
                moved = look[placed[other]] - look[placed[slot]]
                views[person] += moved
                views[candidate[other]] -= moved
                placed[slot], placed[other] = placed[other], placed[slot]


@jit
def _is_allowed(
    slot: int,
    other: int,
    up: bool,
    candidate: Int32Array,
    look: Float64Array,
    low: Float64Array,
    high: Float64Array,
    placed: Int32Array,
    views: Float64Array,
) -> bool:
    """Return whether the swap moves the first user towards the bounds and takes neither user out of them."""
    one, two = candidate[slot], candidate[other]
    moved = look[placed[other]] - look[placed[slot]]
    if up:
        return bool(moved > 0 and views[one] + moved <= high[one] + SLACK and views[two] - moved >= low[two] - SLACK)
    return bool(moved < 0 and views[one] + moved >= low[one] - SLACK and views[two] - moved <= high[two] + SLACK)
