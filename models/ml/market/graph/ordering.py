"""The order of inboxes and lists: best first, with ties broken by key."""

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Int32Array, Int64Array, UInt64Array
from models.ml.kernels.jit import jit
from models.ml.kernels.top_k import find_top_k_threshold


@jit
def draw_tie_break_key(one: np.uint64, other: np.uint64) -> np.uint64:
    """Compute the tie-break key of two users in this order, in [0, 2^32)."""
    number = (one ^ (other * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    return (number ^ (number >> np.uint64(29))) * np.uint64(0x94D049BB133111EB) >> np.uint64(32)


@jit
def encode_descending(score: np.float32) -> np.int64:
    """Encode a score as an integer that falls as the score rises; 0 and -0 are equal.

    The bits of floats sort as the floats do.
    """
    bits = np.int64(np.float32(score + np.float32(0)).view(np.int32))
    return ~bits if bits >= 0 else bits & np.int64(0x7FFFFFFF)


@jit
def sort_top_k(
    slots: Int32Array, scores: Float32Array, length: int, own: np.uint64, other: Int32Array, keys: UInt64Array
) -> Int32Array:
    """Sort the `length` edges with the best scores, best first, int32; tie-break keys order equal scores.

    Args:
        slots: The edges to choose from.
        scores: Score of each edge of the graph, float32 (n,).
        length: The number of edges to keep, at most.
        own: Key of the user whose edges these are.
        other: The user at the other end of each edge of the graph, for the tie-break key, int32 (n,).
        keys: Keys of all users, uint64 (people,).
    """
    if length < len(slots):
        found = scores[slots]
        slots = slots[found >= find_top_k_threshold(found, length)] if length else slots[:0]
    ranks = np.empty(len(slots), np.int64)
    for place, slot in enumerate(slots):
        ranks[place] = encode_descending(scores[slot]) << 32 | np.int64(draw_tie_break_key(own, keys[other[slot]]))
    return slots[np.argsort(ranks)[:length]]


@jit
def sort_inboxes(
    first: int,
    last: int,
    pair: Int32Array,
    inbox_start: Int64Array,
    viewer: Int32Array,
    p_liked_back: Float32Array,
    keys: UInt64Array,
) -> None:
    """Sort the rows of each inbox of users `first` to `last` by its owner's preference, in place."""
    for person in range(first, last):
        inbox = pair[inbox_start[person] : inbox_start[person + 1]]
        inbox[:] = sort_top_k(inbox, p_liked_back, len(inbox), keys[person], viewer, keys)


@jit
def make_lists(
    first: int,
    last: int,
    list_start: Int64Array,
    slots: Int32Array,
    candidate: Int32Array,
    keys: UInt64Array,
    scores: Float32Array,
    viewers: BoolArray,
    length: int,
    found: Int32Array,
) -> None:
    """Write the list index of each edge of some viewers among users `first` to `last`: from 0, best first, or -1."""
    for viewer in range(first, last):
        if viewers[viewer]:
            own = slots[list_start[viewer] : list_start[viewer + 1]]
            best = sort_top_k(own, scores, length, keys[viewer], candidate, keys)
            found[own] = -1
            found[best] = np.arange(len(best))
