"""Cosines of pairs of users, computed without a copy of their vectors for each pair."""

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Float32Array, FloatArray, Int64Array
from models.ml.kernels.jit import jit


def compute_cosines(
    vectors: FloatArray, which: int, viewer: Int64Array, candidate: Int64Array, default: float
) -> Float32Array:
    """Compute the dot products of the unit vectors of pairs, float32 (pairs,).

    A product is the same to the bit in both directions of a pair, and does not depend on the other pairs.

    Args:
        vectors: C-contiguous float16 or float32, (users, vectors, d).
        which: Index of the vector of each user to take.
        viewer: Positions, (pairs,). Pairs of one viewer should stand together.
        candidate: Positions, (pairs,).
        default: The product of a pair in which one of the vectors is zero.
    """
    if vectors.dtype == np.float16:
        return _compute_half_precision(vectors.view(np.uint16), which, viewer, candidate, np.float32(default))
    return _compute_single_precision(vectors, which, viewer, candidate, np.float32(default))


@jit
def _compute_half_precision(
    vectors: NDArray[np.uint16], which: int, viewer: Int64Array, candidate: Int64Array, default: np.float32
) -> Float32Array:
    products = np.empty(len(viewer), np.float32)
    one, other = np.empty(vectors.shape[2], np.float32), np.empty(vectors.shape[2], np.float32)
    last = -1
    for pair in range(len(viewer)):
        if viewer[pair] != last:  # widened once for all pairs of one viewer that stand together
            last = viewer[pair]
            _widen(vectors[last, which], one)
        _widen(vectors[candidate[pair], which], other)
        products[pair] = _compute_dot_product(one, other, default)
    return products


@jit
def _compute_single_precision(
    vectors: Float32Array, which: int, viewer: Int64Array, candidate: Int64Array, default: np.float32
) -> Float32Array:
    products = np.empty(len(viewer), np.float32)
    for pair in range(len(viewer)):
        products[pair] = _compute_dot_product(vectors[viewer[pair], which], vectors[candidate[pair], which], default)
    return products


@jit
def _widen(halves: NDArray[np.uint16], singles: Float32Array) -> None:
    """Convert finite half-precision numbers, given as bits, to single precision: numba has no float16."""
    for index in range(len(halves)):
        half = np.uint32(halves[index])
        bits = np.uint32(((half & 0x8000) << 16) | ((half & 0x7FFF) << 13))
        singles[index] = bits.view(np.float32) * np.float32(2.0**112)


@jit
def _compute_dot_product(one: Float32Array, other: Float32Array, default: np.float32) -> np.float32:
    product = np.float32(0)
    for index in range(len(one)):
        product += one[index] * other[index]
    return product if _has_nonzero(one) and _has_nonzero(other) else default


@jit
def _has_nonzero(vector: Float32Array) -> bool:
    for number in vector:  # noqa: SIM110 - numba would compile a generator
        if number != 0:
            return True
    return False
