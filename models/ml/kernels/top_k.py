"""Selection of the k best. Equal scores are ordered by tie-break keys, differently in each row."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import BoolArray, Float32Array, Int64Array
from models.ml.kernels.jit import jit

# Smaller differences of scores are noise, and would hide ties.
STEP = 1e-5
# Tie-break keys and masks are from 0 to one less than this.
TIE_BREAK_KEYS = 2**31

Number = TypeVar("Number", bound=np.number)


@jit
def find_top_k_threshold(values: NDArray[Number], k: int) -> Number:
    """Return the k-th largest of n values, 1 <= k <= n, n > 0.

    Quickselect (Hoare 1961). It writes every value to both sides instead of branching, as the processor cannot predict
    these branches.
    """
    left, smaller = values.copy(), np.empty_like(values)
    count = len(values)
    while True:
        one, two, three = left[0], left[count // 2], left[count - 1]
        pivot = max(min(one, two), min(max(one, two), three))
        above = below = 0
        for value in left[:count]:
            left[above] = value
            above += value > pivot
            smaller[below] = value
            below += value < pivot
        if above < k <= count - below:
            return pivot  # type: ignore[no-any-return]
        if above >= k:
            count = above
        else:
            k -= count - below
            left, smaller, count = smaller, left, below


@jit
def keep_top_k(there: BoolArray, score: Float32Array, mask: Int64Array, key: Int64Array, k: int) -> None:
    """Set all but the k best of each row of `there` to False, in place.

    Args:
        there: Which columns of each row to choose from, bool (rows, columns).
        score: The larger the better, float32 (rows, columns). Scores that round to the same multiple of STEP are equal.
        mask: Each row's mask, int64 (rows,), 0 to TIE_BREAK_KEYS - 1.
        key: Tie-break keys of the columns, int64 (columns,), in the same range. Equal scores are ordered by key XOR
            mask, so different keys give a strict order.
        k: How many to keep, from 1 up. Rows with fewer stay as they are.
    """
    ranks, candidates = np.empty(len(key), np.int64), np.empty(len(key), np.int64)
    for row in range(len(there)):
        count = 0
        for column in range(len(key)):
            ranks[column] = np.int64(np.rint(score[row, column] / STEP)) << 32 | mask[row] ^ key[column]
            candidates[count] = ranks[column]
            count += there[row, column]
        if count > k:
            threshold = find_top_k_threshold(candidates[:count], k)
            for column in range(len(key)):
                there[row, column] &= ranks[column] >= threshold
