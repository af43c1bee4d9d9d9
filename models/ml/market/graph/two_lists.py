"""Matches of two lists: nobody learns of a like, so two users match if each comes to like the other from a list.

A like that the candidate does not return tonight waits, and is answered from a later list of theirs. Of s expected
likes that wait for a candidate, the share w = c / (c + s) is answered, where c, `later_answers`, is about the number
that a user answers. With a and b the probabilities that viewer and candidate like each other tonight, and q the
probability that the candidate likes the viewer if ever shown, an edge brings

    a (b / 2 + w (q - b))

matches: half of the mutual likes of tonight, which the pair's other edge counts too, and what comes later. A like of
someone who has liked the sender already is a match at once.

The sender of a pending like has no list with the receiver, so their b is 0. It is 0 for each pair that perhaps has a
pending like: otherwise decoys, whose lists may hold the viewer, would have other values than likes.
"""

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from models.ml.kernels.jit import jit, parallel_ranges
from models.ml.market.graph.market_graph import MarketGraph


def compute_match_probabilities(graph: MarketGraph, likes: Float32Array, later_answers: float) -> Float32Array:
    """Compute the matches that each edge brings, float32 (n,); those of a pair's two edges add up.

    Args:
        graph: The market graph.
        likes: Probability that the viewer likes the candidate from their list, float32 (n,) by edge.
        later_answers: Number of waiting likes of which a user answers half from later lists, 0 or more.
    """
    share = _compute_answered_share(_sum_waiting_likes(graph, likes), later_answers)
    return _find_matches(share, graph.candidate, graph.reverse_edge, graph.p_liked_back, graph.p_pending, likes)


def compute_marginal_values(
    graph: MarketGraph, likes: Float32Array, later_answers: float, viewers: BoolArray
) -> Float32Array:
    """Compute what an impression of each edge adds to the expected matches, float32 (n,) by edge; 0 for other viewers.

    This is the derivative of the expected matches with respect to the impressions: what the like itself brings, and
    what it takes from the other likes that wait for the candidate. A match counts as much as it is worth.

    Args:
        graph: The market graph.
        likes: Probability that the viewer likes the candidate from their list, float32 (n,) by edge.
        later_answers: Number of waiting likes of which a user answers half from later lists, 0 or more.
        viewers: The viewers to compute values for, bool (people,).
    """
    waiting, found = _sum_waiting_likes(graph, likes), np.zeros_like(likes)
    share = _compute_answered_share(waiting, later_answers)
    loss = share * waiting[:, 1] / np.maximum(later_answers + waiting[:, 0], 1e-9)

    def compute_range(first: int, last: int) -> None:
        bounds = int(graph.inbox_start[first]), int(graph.inbox_start[last])
        pairs = (graph.viewer, graph.candidate, graph.reverse_edge)
        chances = (graph.p_like, graph.p_liked_back, graph.p_pending, graph.match_worth)
        _compute_value_range(*bounds, *pairs, *chances, likes, share, loss, viewers, found)

    parallel_ranges(compute_range, graph.inbox_start)
    return found


def _compute_answered_share(waiting: Float64Array, later_answers: float) -> Float64Array:
    """Compute the share of the likes that wait for each user which a later list answers, float64 (people,)."""
    return later_answers / np.maximum(later_answers + waiting[:, 0], 1e-9)


def _sum_waiting_likes(graph: MarketGraph, likes: Float32Array) -> Float64Array:
    """Sum the likes that wait for each user, and the worth of those that would be returned, float64 (people, 2)."""
    found = np.zeros((len(graph.keys), 2))

    def sum_range(first: int, last: int) -> None:
        returned = (graph.reverse_edge, graph.p_liked_back, graph.p_pending, graph.match_worth)
        _sum_range(first, last, graph.inbox_start, *returned, likes, found)

    parallel_ranges(sum_range, graph.inbox_start)
    return found


@jit
def _get_like_back(likes: Float32Array, p_pending: Float32Array, slot: int, reverse_edge: int) -> float:
    """Return the probability that the candidate likes the viewer from tonight's list; 0 if a like may wait."""
    if reverse_edge < 0 or p_pending[slot] > 0 or p_pending[reverse_edge] > 0:
        return 0.0
    return float(likes[reverse_edge])


@jit
def _sum_range(
    first: int,
    last: int,
    inbox_start: Int64Array,
    reverse_edge: Int32Array,
    p_liked_back: Float32Array,
    p_pending: Float32Array,
    worth: Float32Array,
    likes: Float32Array,
    found: Float64Array,
) -> None:
    for person in range(first, last):
        for slot in range(inbox_start[person], inbox_start[person + 1]):
            if likes[slot] > 0:
                waits = likes[slot] * (1.0 - p_pending[slot])
                found[person, 0] += waits
                back = _get_like_back(likes, p_pending, slot, reverse_edge[slot])
                found[person, 1] += waits * worth[slot] * (p_liked_back[slot] - back)


@jit
def _find_matches(
    share: Float64Array,
    candidate: Int32Array,
    reverse_edge: Int32Array,
    p_liked_back: Float32Array,
    p_pending: Float32Array,
    likes: Float32Array,
) -> Float32Array:
    found = np.zeros_like(likes)
    for slot in range(len(likes)):
        if likes[slot] > 0:
            back = _get_like_back(likes, p_pending, slot, reverse_edge[slot])
            response = back / 2 + share[candidate[slot]] * (p_liked_back[slot] - back)
            found[slot] = likes[slot] * (p_pending[slot] + (1.0 - p_pending[slot]) * response)
    return found


@jit
def _compute_value_range(
    first: int,
    last: int,
    viewer: Int32Array,
    candidate: Int32Array,
    reverse_edge: Int32Array,
    p_like: Float32Array,
    p_liked_back: Float32Array,
    p_pending: Float32Array,
    worth: Float32Array,
    likes: Float32Array,
    share: Float64Array,
    loss: Float64Array,
    viewers: BoolArray,
    found: Float32Array,
) -> None:
    for slot in range(first, last):
        if viewers[viewer[slot]]:
            back, answered = _get_like_back(likes, p_pending, slot, reverse_edge[slot]), share[candidate[slot]]
            response = worth[slot] * (back / 2 + answered * (p_liked_back[slot] - back)) - loss[candidate[slot]]
            own = worth[slot] * p_pending[slot] + (1.0 - p_pending[slot]) * response
            found[slot] = p_like[slot] * (own + worth[slot] * back * (0.5 - share[viewer[slot]]))
