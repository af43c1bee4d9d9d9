"""Rows by code."""

import numpy as np

from models.ml.arrays import Int64Array


def find_codes(wanted: Int64Array, codes: Int64Array) -> Int64Array:
    """Find the row of each of k codes among n distinct codes, int64 (k,); -1 for those that are not there."""
    order = None if (codes[1:] > codes[:-1]).all() else np.argsort(codes)
    place = np.searchsorted(codes, wanted, sorter=order)
    rows = np.append(np.arange(len(codes)) if order is None else order, -1)[place]
    return np.where(np.append(codes, -1)[rows] == wanted, rows, -1)
