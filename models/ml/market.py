"""The market policy: which of a viewer's scored candidates make the list, and in which order."""

import numpy as np
from numpy.typing import NDArray

from models.ml.people import Floats

Ints = NDArray[np.int64]

LIST_LENGTH = 50


def rank_by_product(viewer: Ints, candidate: Ints, p_match: Floats, length: int = LIST_LENGTH) -> Ints:
    """Row numbers of the pairs that make the lists: by viewer, then p_match, best first, at most `length` a viewer.

    Ties are broken by a hash of the pair, not by position: otherwise the people with the lowest ids would be seen most.
    """
    order = np.lexsort((_hash(viewer, candidate), -p_match, viewer))
    starts = np.flatnonzero(np.diff(viewer[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return np.asarray(order[place < length], np.int64)


def _hash(viewer: Ints, candidate: Ints) -> NDArray[np.uint64]:
    """A mixed 64-bit number a pair (the finaliser of SplitMix64, Steele et al. 2014)."""
    mixed = (viewer.astype(np.uint64) << np.uint64(32)) ^ candidate.astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
