"""Inboxes: the value of each received like, given that stronger likes are examined first.

A like of someone who has liked the sender already is a match at once: it does not wait in an inbox.
"""

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from models.ml.kernels.jit import jit, parallel_ranges
from models.ml.market.graph.market_graph import MarketGraph


def compute_match_probabilities(graph: MarketGraph, likes: Float32Array, examination: Float64Array) -> Float32Array:
    """Compute the probability that each like is sent and returned, float32 (n,) by edge.

    The result is exact for independent likes: the number of stronger likes is Poisson-binomial.

    Args:
        graph: The market graph.
        likes: Probability that the viewer likes the candidate from their list, float32 (n,) by edge: p_like times the
            examination probability of the position.
        examination: Examination probability below k = 0 ... depth stronger likes, float64 (depth + 1,). The last value
            also holds below more than `depth`.
    """
    found = np.zeros_like(likes)

    def compute_range(first: int, last: int) -> None:
        probabilities = (graph.p_liked_back, graph.p_pending)
        _compute_match_range(first, last, graph.inbox_start, *probabilities, likes, examination, found)

    parallel_ranges(compute_range, graph.inbox_start)
    return found


def compute_marginal_values(
    graph: MarketGraph, likes: Float32Array, matched: Float32Array, examination: Float64Array, viewers: BoolArray
) -> Float32Array:
    """Compute what an impression of each edge adds to the expected distinct matches of all users.

    The value is p_like times the like's own match probability, less what the weaker likes in the same inbox lose. A
    match that also comes about through the candidate's list counts once, and each as much as it is worth. This is the
    derivative of the expected matches with respect to the impressions. The expected matches are linear in one viewer's
    impressions, unless the viewer competes in the inboxes of two users who are in each other's lists.

    Args:
        graph: The market graph.
        likes: Probability that the viewer likes the candidate from their list, float32 (n,) by edge.
        matched: Probability that each like is sent and returned, float32 (n,) by edge.
        examination: Examination probability below k = 0 ... depth stronger likes, float64 (depth + 1,).
        viewers: The viewers to compute values for, bool (people,).

    Returns:
        Expected matches per impression, float32 (n,) by edge; 0 for other viewers.
    """
    found = np.zeros_like(likes)
    pairs = (graph.viewer, graph.reverse_edge, graph.p_like, graph.p_liked_back, graph.p_pending, graph.match_worth)

    def compute_range(first: int, last: int) -> None:
        _compute_value_range(first, last, graph.inbox_start, *pairs, likes, matched, examination, viewers, found)

    parallel_ranges(compute_range, graph.inbox_start)
    return found


def count_distinct_matches(graph: MarketGraph, matched: Float32Array) -> float:
    """Sum the expected distinct matches: a + b - ab for a pair with a match probability in both lists."""
    return _sum_distinct_matches(matched, graph.reverse_edge)


@jit
def _sum_distinct_matches(matched: Float32Array, reverse_edge: Int32Array) -> float:
    total = 0.0
    for slot in range(len(matched)):
        total += matched[slot]
        if reverse_edge[slot] > slot:
            total -= matched[slot] * matched[reverse_edge[slot]]
    return total


@jit
def _compute_match_range(
    first: int,
    last: int,
    inbox_start: Int64Array,
    p_liked_back: Float32Array,
    p_pending: Float32Array,
    likes: Float32Array,
    examination: Float64Array,
    found: Float32Array,
) -> None:
    stronger = np.empty(len(examination))
    for person in range(first, last):
        top, end = inbox_start[person], inbox_start[person + 1]
        most, reach = _bound_like_count(likes[top:end], len(examination) - 1), 0
        stronger[0] = 1.0
        for slot in range(top, end):
            if likes[slot] > 0:
                waiting = np.float32(1) - p_pending[slot]
                response = _compute_response(stronger, reach, p_liked_back[slot], examination)
                found[slot] = likes[slot] * (p_pending[slot] + waiting * response)
                reach = _add_like(stronger, reach, most, likes[slot] * waiting)


@jit
def _bound_like_count(likes: Float32Array, depth: int) -> int:
    """Bound the number of likes to distinguish, at most `depth`; more arrive with negligible probability."""
    mean, some = 0.0, 0
    for like in likes:
        mean += like
        some += like > 0
    return min(some, int(mean + 4 * np.sqrt(mean)) + 6, depth)


@jit
def _compute_response(stronger: Float64Array, reach: int, p_liked_back: float, examination: Float64Array) -> float:
    """Compute the probability of a like back, given the distribution of the number of stronger likes up to `reach`."""
    total = stronger[0] * min(p_liked_back * examination[0], 1.0)
    for k in range(1, reach + 1):
        total += stronger[k] * p_liked_back * examination[k]
    return float(total)


@jit
def _add_like(stronger: Float64Array, reach: int, most: int, like: float) -> int:
    """Add a like to the distribution of their number, in place, and return the new reach.

    The state `most` stands for "most or more".
    """
    if reach < most:
        reach += 1
        stronger[reach] = 0.0
    stronger[reach] += like * stronger[reach - 1]
    for k in range(reach - 1, 0, -1):
        stronger[k] += like * (stronger[k - 1] - stronger[k])
    stronger[0] -= like * stronger[0]
    return reach


@jit
def _compute_value_range(
    first: int,
    last: int,
    inbox_start: Int64Array,
    viewer: Int32Array,
    reverse_edge: Int32Array,
    p_like: Float32Array,
    p_liked_back: Float32Array,
    p_pending: Float32Array,
    worth: Float32Array,
    likes: Float32Array,
    matched: Float32Array,
    examination: Float64Array,
    viewers: BoolArray,
    found: Float32Array,
) -> None:
    for person in range(first, last):
        told = _select_active_slots(inbox_start[person], inbox_start[person + 1], viewer, likes, viewers)
        asked = viewers[viewer[told]]
        if asked.any():
            single = np.ones(len(told))
            for place, other in enumerate(reverse_edge[told]):
                if other >= 0:
                    single[place] -= matched[other]
            single *= worth[told]
            waiting = np.float32(1) - p_pending[told]
            sent = likes[told] * waiting
            gain, loss = _compute_gains_and_losses(asked, p_liked_back[told], sent, single, examination)
            value = single * p_pending[told] + waiting * (gain * single - loss)
            found[told] = np.where(asked, p_like[told] * value, 0.0)


@jit
def _select_active_slots(
    start: int, end: int, viewer: Int32Array, likes: Float32Array, viewers: BoolArray
) -> Int64Array:
    """Select the edges of an inbox that are evaluated or may hold a like; no others affect the result."""
    slots, count = np.empty(end - start, np.int64), 0
    for slot in range(start, end):
        slots[count] = slot
        count += viewers[viewer[slot]] or likes[slot] > 0
    return slots[:count]


@jit
def _compute_gains_and_losses(
    asked: BoolArray, p_liked_back: Float32Array, likes: Float32Array, single: Float64Array, examination: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Compute what a like at each evaluated edge gains, and what it takes from the weaker likes in the inbox.

    `single` is the probability that the pair does not match through the other list, times the worth of its match.
    """
    most = _bound_like_count(likes, len(examination) - 1)
    stronger, reaches = _compute_stronger_distributions(asked, likes, most)
    gain, loss = np.zeros(len(likes)), np.zeros(len(likes))
    # Expected matches of the weaker likes given k stronger ones; the last state is "most or more".
    weaker = np.zeros(most + 2)
    row, left = len(reaches), (likes > 0).sum()
    for place in range(len(likes) - 1, -1, -1):
        if asked[place]:
            row -= 1
            gain[place] = _compute_response(stronger[row], reaches[row], p_liked_back[place], examination)
            for k in range(reaches[row] + 1):
                loss[place] += stronger[row, k] * (weaker[k] - weaker[k + 1])
        if likes[place] > 0:
            left -= 1
            like, here = likes[place], single[place] * p_liked_back[place]
            weaker[0] += like * (single[place] * min(p_liked_back[place] * examination[0], 1.0) + weaker[1] - weaker[0])
            # One state more than there are stronger likes: the like that is evaluated may be the additional one.
            for k in range(1, min(left + 1, most) + 1):
                weaker[k] += like * (here * examination[k] + weaker[k + 1] - weaker[k])
            weaker[most + 1] = weaker[most]
    return gain, loss


@jit
def _compute_stronger_distributions(
    asked: BoolArray, likes: Float32Array, most: int
) -> tuple[Float64Array, Int64Array]:
    """Compute the distribution of the number of stronger likes at each evaluated edge, and the reach of each."""
    found, reaches = np.empty((asked.sum(), most + 1)), np.empty(asked.sum(), np.int64)
    now, reach, row = np.zeros(most + 1), 0, 0
    now[0] = 1.0
    for place in range(len(likes)):
        if asked[place]:
            for k in range(reach + 1):  # a loop, as assigning a slice is slow in compiled code
                found[row, k] = now[k]
            reaches[row] = reach
            row += 1
        if likes[place] > 0:
            reach = _add_like(now, reach, most, likes[place])
    return found, reaches
