"""Stable matching with transferable utility: the strongest published policy that is cheap."""

import math
from dataclasses import dataclass

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int32Array, Int64Array, UInt32Array, UInt64Array
from models.ml.kernels.jit import jit, parallel_ranges
from models.ml.market.graph.market_graph import MarketGraph, gather

MAX_ITERATIONS = 100
TOLERANCE = 1e-4
# A sum of products below this is computed in logarithms. Float32 weights keep their precision down to 1e-38, and
# smaller ones do not matter in a sum above this.
MIN_WEIGHT = 1e-25


def compute_transferable_utility(
    graph: MarketGraph, beta: float = 1.0, iterations: int = MAX_ITERATIONS
) -> Float32Array:
    """Compute scores, float32 (n,) by edge: each viewer's order in the stable matching with transferable utility.

    With K = exp((p_like + p_returned) / (2 beta)), find A of viewers and B of candidates such that A² + A (K B) = 1
    and B² + B (Kᵀ A) = 1, by iterative proportional fitting. Rank by K A B (Choo & Siow, JPE 2006; Tomita, Togashi &
    Moriwaki, RecSys 2022; the baseline of Su, Bayoumi & Joachims, WWW 2022).

    Logarithms are used where products vanish, so that any beta from 1e-30 works. A small beta gives each user few
    partners; a large one ignores preferences. The fit stops when no logarithm moves by more than 1e-4, or after
    `iterations`.
    """
    log_k = (graph.p_like + graph.p_returned) / np.float32(2 * beta)
    log_k_by_list = gather(log_k, graph.csr_index, graph.list_start)
    lists = _build_side(graph.list_start, log_k_by_list, gather(graph.candidate, graph.csr_index, graph.list_start))
    inboxes = _build_side(graph.inbox_start, log_k, graph.viewer)
    log_b = np.zeros(len(graph.keys))
    for _ in range(iterations):
        before = log_b
        log_b = _fit_side(inboxes, _fit_side(lists, log_b))
        if np.abs(log_b - before).max(initial=0.0) < TOLERANCE:
            break
    return log_k + log_b.astype(np.float32)[graph.candidate]  # a viewer's own A does not affect their order


@dataclass(frozen=True)
class _MarketSide:
    """The pairs of each user on one side, with K as logarithms and divided by its maximum for the user.

    Single precision, like the probabilities that K is made of: memory bandwidth limits the fit. Bounds and users are
    unsigned, because indices that may be negative slow down the compiled loop.
    """

    start: UInt64Array
    log_k: Float32Array
    top: Float64Array
    weight: Float32Array
    other: UInt32Array


def _build_side(start: Int64Array, log_k: Float32Array, other: Int32Array) -> _MarketSide:
    side = _MarketSide(
        start.view(np.uint64), log_k, np.zeros(len(start) - 1), np.empty_like(log_k), other.view(np.uint32)
    )
    parallel_ranges(lambda first, last: _compute_weights(first, last, side.start, log_k, side.top, side.weight), start)
    return side


@jit
def _compute_weights(
    first: int, last: int, start: UInt64Array, log_k: Float32Array, top: Float64Array, weight: Float32Array
) -> None:
    for person in range(first, last):
        own = log_k[start[person] : start[person + 1]]
        if len(own):
            top[person] = own.max()
            weight[start[person] : start[person + 1]] = np.exp(own - own.max())


def _fit_side(side: _MarketSide, log_other: Float64Array) -> Float64Array:
    """Compute the logarithm of A such that A² + A S = 1, where S sums K B over each user's pairs, float64 (people,)."""
    found, highest = np.zeros(len(side.top)), float(log_other.max(initial=0.0))
    scaled = np.exp(log_other - highest)

    def fit_people(first: int, last: int) -> None:
        numbers = (side.start, side.log_k, side.top, side.weight, side.other, log_other, scaled, highest)
        _fit_range(first, last, *numbers, found)

    parallel_ranges(fit_people, side.start.view(np.int64))
    return found


@jit
def _fit_range(
    first: int,
    last: int,
    start: UInt64Array,
    log_k: Float32Array,
    top: Float64Array,
    weight: Float32Array,
    other: UInt32Array,
    log_other: Float64Array,
    scaled: Float64Array,
    highest: float,
    found: Float64Array,
) -> None:
    for person in range(first, last):
        total, above = 0.0, top[person] + highest
        for pair in range(start[person], start[person + 1]):
            total += weight[pair] * scaled[other[pair]]
        if total < MIN_WEIGHT:  # products vanish: use logarithms, which are slower
            above = -np.inf
            for pair in range(start[person], start[person + 1]):
                above = max(above, log_k[pair] + log_other[other[pair]])
            total = 0.0
            for pair in range(start[person], start[person + 1]):
                total += math.exp(log_k[pair] + log_other[other[pair]] - above)
        if total > 0:
            log_sum = above + math.log(total)
            # A = sqrt(1 + (S/2)²) - S/2 = exp(-asinh(S/2)), and asinh(x) approaches log(2 x).
            found[person] = -math.asinh(math.exp(log_sum) / 2) if log_sum < 30 else -log_sum
