"""Rows by group."""

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Int64Array


def count_earlier(group: NDArray[np.integer]) -> Int64Array:
    """Count the earlier rows of the same group for each row, int64 (n,).

    Args:
        group: Group of each row, (n,), in any order.
    """
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(group) else np.empty(0, np.int64)
    earlier = np.empty(len(group), np.int64)
    earlier[order] = np.arange(len(group)) - np.repeat(starts, np.diff(np.r_[starts, len(group)]))
    return earlier
