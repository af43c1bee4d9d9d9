"""Cosines of pairs of people, straight from everybody's vectors: none is copied for each pair it is part of."""

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Float32Array, FloatArray, Int64Array
from models.ml.kernels.jit import jit


def compute_cosines(
    vectors: FloatArray, which: int, viewer: Int64Array, candidate: Int64Array, ordinary: float
) -> Float32Array:
    """The dot product of two people's unit vectors, float32 (pairs,); the ordinary one where either of them is zero.

    `vectors` are float16 or float32 (people, vectors, d) without gaps; `which` of a person's is taken. A pair has the
    same product to the bit in both directions and whatever the other pairs are.
    """
    if vectors.dtype == np.float16:
        return _compute_half_precision(vectors.view(np.uint16), which, viewer, candidate, np.float32(ordinary))
    return _compute_single_precision(vectors, which, viewer, candidate, np.float32(ordinary))


@jit
def _compute_half_precision(
    vectors: NDArray[np.uint16], which: int, viewer: Int64Array, candidate: Int64Array, ordinary: np.float32
) -> Float32Array:
    products = np.empty(len(viewer), np.float32)
    one, other = np.empty(vectors.shape[2], np.float32), np.empty(vectors.shape[2], np.float32)
    last = -1
    for pair in range(len(viewer)):
        if viewer[pair] != last:  # pairs of one viewer stand together
            last = viewer[pair]
            _widen(vectors[last, which], one)
        _widen(vectors[candidate[pair], which], other)
        products[pair] = _compute_dot_product(one, other, ordinary)
    return products


@jit
def _compute_single_precision(
    vectors: Float32Array, which: int, viewer: Int64Array, candidate: Int64Array, ordinary: np.float32
) -> Float32Array:
    products = np.empty(len(viewer), np.float32)
    for pair in range(len(viewer)):
        products[pair] = _compute_dot_product(vectors[viewer[pair], which], vectors[candidate[pair], which], ordinary)
    return products


@jit
def _widen(halves: NDArray[np.uint16], singles: Float32Array) -> None:
    """Numbers of half precision, none infinite, from their bits: the compiler knows no such numbers."""
    for place in range(len(halves)):
        half = np.uint32(halves[place])
        bits = np.uint32(((half & 0x8000) << 16) | ((half & 0x7FFF) << 13))
        singles[place] = bits.view(np.float32) * np.float32(2.0**112)


@jit
def _compute_dot_product(one: Float32Array, other: Float32Array, ordinary: np.float32) -> np.float32:
    product = np.float32(0)
    for place in range(len(one)):
        product += one[place] * other[place]
    return product if _has_nonzero(one) and _has_nonzero(other) else ordinary


@jit
def _has_nonzero(vector: Float32Array) -> bool:
    for number in vector:  # noqa: SIM110 - the compiler would make a generator
        if number != 0:
            return True
    return False
