"""Best first, and equal ones by lot: the order of inboxes and of lists."""

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Int32Array, Int64Array, UInt64Array
from models.ml.kernels.jit import jit
from models.ml.kernels.top_k import find_top_k_threshold


@jit
def draw_tie_break_key(one: np.uint64, other: np.uint64) -> np.uint64:
    """A number in [0, 2^32) for two people in this order: who comes first where all else is equal."""
    number = (one ^ (other * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    return (number ^ (number >> np.uint64(29))) * np.uint64(0x94D049BB133111EB) >> np.uint64(32)


@jit
def encode_descending(score: np.float32) -> np.int64:
    """An integer the smaller the larger the score, and the same for 0 and -0: floats order as their bits do."""
    bits = np.int64(np.float32(score + np.float32(0)).view(np.int32))
    return ~bits if bits >= 0 else bits & np.int64(0x7FFFFFFF)


@jit
def sort_top_k(
    slots: Int32Array, scores: Float32Array, length: int, own: np.uint64, other: Int32Array, keys: UInt64Array
) -> Int32Array:
    """The `length` of some slots with the best scores, best first, int32; equal ones by lot.

    `scores` and `other`, the person with whom the lot is drawn, are of all slots; `own` is the key of who draws.
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
    """Put the rows of each inbox, of persons first to last, in the order of its owner's preference."""
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
    """Write over the places of some viewers' pairs, of persons first to last: from 0, best first, or -1."""
    for viewer in range(first, last):
        if viewers[viewer]:
            own = slots[list_start[viewer] : list_start[viewer + 1]]
            best = sort_top_k(own, scores, length, keys[viewer], candidate, keys)
            found[own] = -1
            found[best] = np.arange(len(best))
