"""The most promising of those who are there, row by row, and where they are equal an order of each row's own."""

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Int64Array
from models.ml.kernels.jit import jit

# Smaller differences of promise say nothing, and would undo ties.
STEP = 1e-5
# Lots and masks are from 0 to one less than this.
TIE_BREAK_KEYS = 2**31
NONE_IS_LESS = np.iinfo(np.int64).min


@jit
def find_top_k_threshold(numbers: Int64Array, there: BoolArray, most: int) -> int:
    """The number that the `most` largest of those who are there reach, from numbers int64 (n,) and there bool (n,).

    All reach it if they are no more. Quickselect (Hoare 1961) that moves every number rather than guess which: several
    times as fast as numpy.partition.
    """
    left, smaller = np.empty(len(numbers), np.int64), np.empty(len(numbers), np.int64)
    count = 0
    for place in range(len(numbers)):
        left[count] = numbers[place]
        count += there[place]
    if count <= most:
        return NONE_IS_LESS
    while True:
        one, two, three = left[0], left[count // 2], left[count - 1]
        pivot = max(min(one, two), min(max(one, two), three))
        above = below = 0
        for number in left[:count]:
            left[above] = number
            above += number > pivot
            smaller[below] = number
            below += number < pivot
        if above < most <= count - below:
            return int(pivot)
        if above >= most:
            count = above
        else:
            most -= count - below
            left, smaller, count = smaller, left, below


@jit
def keep_top_k(there: BoolArray, promise: Float32Array, mask: Int64Array, lot: Int64Array, most: int) -> None:
    """Leave at most `most` in each row of `there`, bool (rows, columns): those of the largest promise, of that shape.

    Equal ones are ordered by lot (columns,) masked with the row's `mask` (rows,): different lots make a strict order.
    """
    ranks = np.empty(len(lot), np.int64)
    for row in range(len(there)):
        for column in range(len(lot)):
            ranks[column] = np.int64(np.rint(promise[row, column] / STEP)) << 32 | mask[row] ^ lot[column]
        least = find_top_k_threshold(ranks, there[row], most)
        for column in range(len(lot)):
            there[row, column] &= ranks[column] >= least
