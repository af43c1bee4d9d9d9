"""Rows by code."""

import numpy as np

from models.ml.arrays import Int64Array


def find_codes(wanted: Int64Array, codes: Int64Array) -> Int64Array:
    """Find the row of each of k codes among n distinct codes, int64 (k,); -1 for those that are not there."""
    order = None if (codes[1:] > codes[:-1]).all() else np.argsort(codes)
    ordered = codes if order is None else codes[order]
    # In ascending order the binary searches of neighbours read the same memory.
    ascending = np.argsort(wanted)
    place = np.searchsorted(ordered, wanted[ascending])
    found = np.append(ordered, -1)[place] == wanted[ascending]
    rows = np.empty(len(wanted), np.int64)
    rows[ascending] = np.where(found, place if order is None else np.append(order, -1)[place], -1)
    return rows
