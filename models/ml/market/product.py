"""The market policy: which of a viewer's scored candidates make the list, and in which order."""

import numpy as np
from numpy.typing import NDArray

from models.ml.market.attention import LIST_LENGTH
from models.ml.people import Floats
from models.ml.ties import mixed

Ints = NDArray[np.int64]


def rank_by_product(viewer: Ints, candidate: Ints, p_match: Floats, length: int = LIST_LENGTH) -> Ints:
    """Row numbers of the pairs that make the lists: by viewer, then p_match, best first, at most `length` a viewer.

    Ties are broken by a hash of the pair, not by position: otherwise the people with the lowest ids would be seen most.
    """
    pair = (viewer.astype(np.uint64) << np.uint64(32)) ^ candidate.astype(np.uint64)
    order = np.lexsort((mixed(pair), -p_match, viewer))
    starts = np.flatnonzero(np.diff(viewer[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return np.asarray(order[place < length], np.int64)
