"""Best first, and equal ones by lot: the order of inboxes and of lists.

All that is compiled for it is in this file, as what is kept on disk is made anew only when its own file changes.
"""

import numpy as np
from numpy.typing import NDArray

from models.ml.compiled import compiled
from models.ml.people import Floats

Ints = NDArray[np.int64]
Slots = NDArray[np.int32]
Keys = NDArray[np.uint64]
Flags = NDArray[np.bool_]


@compiled
def lot(one: np.uint64, other: np.uint64) -> np.uint64:
    """A number in [0, 2^32) for two people in this order: who comes first where all else is equal."""
    number = (one ^ (other * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    return (number ^ (number >> np.uint64(29))) * np.uint64(0x94D049BB133111EB) >> np.uint64(32)


@compiled
def sort_inboxes(pair: Slots, inbox_start: Ints, viewer: Slots, p_liked_back: Floats, keys: Keys) -> None:
    """Put the rows of each inbox in the order of its owner's preference."""
    for person in range(len(inbox_start) - 1):
        inbox = pair[inbox_start[person] : inbox_start[person + 1]]
        inbox[:] = inbox[best_first(p_liked_back[inbox], len(inbox), keys[person], keys[viewer[inbox]])]


@compiled
def best_first(scores: Floats, length: int, own: np.uint64, others: Keys) -> Ints:
    """Places of the `length` best scores, best first; equal ones by lot between one person's key and the others'."""
    fall = -scores
    if length < len(fall):
        enough = np.flatnonzero(fall <= np.partition(fall, length - 1)[length - 1]) if length else np.empty(0, np.int64)
    else:
        enough = np.arange(len(fall))
    order = enough[np.argsort(fall[enough])]
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or scores[order[end]] != scores[order[start]]:
            if end - start > 1:
                tied = order[start:end].copy()
                lots = np.empty(len(tied), np.uint64)
                for place in range(len(tied)):
                    lots[place] = lot(own, others[tied[place]])
                order[start:end] = tied[np.argsort(lots)]
            start = end
    return order[:length]


@compiled
def make_lists(
    first: int,
    last: int,
    list_start: Ints,
    slots: Slots,
    candidate: Slots,
    keys: Keys,
    scores: Floats,
    viewers: Flags,
    length: int,
    found: Slots,
) -> None:
    """Write over the places of some viewers' pairs, of persons first to last: from 0, best first, or -1."""
    for viewer in range(first, last):
        if viewers[viewer]:
            own = slots[list_start[viewer] : list_start[viewer + 1]]
            found[own] = -1
            best = best_first(scores[own], min(length, len(own)), keys[viewer], keys[candidate[own]])
            found[own[best]] = np.arange(len(best))
