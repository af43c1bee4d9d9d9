"""A little randomisation with known chances: neighbours in a list change places, each with an exact propensity.

A list is cut into pairs of neighbours, from its first or from its second position on, with one half each. Each pair
changes places with the swap rate r. So two neighbours are a pair in just one of the two cuts: a candidate moves one
position down with the probability r / 2, one up with r / 2, and else stays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.kernels.grouping import count_earlier
from models.ml.market.exposure.vote_bounds import compute_caps
from models.ml.market.graph.market_graph import MarketGraph


@dataclass(frozen=True)
class SwappedLists:
    """Lists after the swaps, k rows.

    Attributes:
        order: The row that stands at each place now, int64 (k,).
        propensity: Probability that the candidate of each place stands there, float32 (k,), above 0 to 1.
    """

    order: Int64Array
    propensity: Float32Array


def swap_neighbours(viewer: Int64Array, rate: Float64Array, may_swap: BoolArray, rng: Generator) -> SwappedLists:
    """Swap neighbours in lists at random.

    Args:
        viewer: Viewer of each listed pair, (k,); the rows of a viewer stand together, in the order of the list.
        rate: Swap rate of each row's list, float64 (k,), 0 to 1.
        may_swap: Whether each row may change places with the next one, bool (k,); the last row of a list never may.
        rng: The source of the draws; a cut of each list and a number for each row.
    """
    index = count_earlier(viewer)
    may_swap = may_swap & np.append(viewer[1:] == viewer[:-1], False)[: len(viewer)]
    lists = np.cumsum(index == 0) - 1
    cut = rng.integers(2, size=int(lists[-1]) + 1 if len(lists) else 0)[lists]
    swapped = may_swap & ((index - cut) % 2 == 0) & (rng.random(len(viewer)) < rate)
    order = np.arange(len(viewer))
    first = np.flatnonzero(swapped)
    order[first], order[first + 1] = first + 1, first
    neighbours = may_swap.astype(np.int64) + np.append(False, may_swap)[:-1]
    stays = 1 - rate * neighbours / 2
    return SwappedLists(order, np.where(order == np.arange(len(order)), stays, rate / 2).astype(np.float32))


def find_allowed_swaps(
    graph: MarketGraph, viewer: Int64Array, candidate: Int64Array, length: int, allowance: Float64Array | None
) -> BoolArray:
    """Find the rows that may change places with the next one, bool (k,), so that the bound on positions surely holds.

    Only a swap across a depth of the bound moves anybody into it. Where all lists that could move a candidate up would
    together exceed the bound, none of them may. This is decided before anything is drawn, so propensities stay exact.

    Args:
        graph: The market graph.
        viewer: Viewer of each listed pair, (k,); the rows of a viewer stand together, in the order of the list.
        candidate: Candidate of each listed pair, (k,).
        length: Maximum length of a list.
        allowance: Bound on positions, as `bound_positions` takes it, float64 (people,); None without a bound.
    """
    may_swap = np.ones(len(viewer), bool)
    if allowance is None or not len(viewer):
        return may_swap
    index, following = count_earlier(viewer), np.minimum(np.arange(len(viewer)) + 1, len(viewer) - 1)
    depths, caps = compute_caps(graph, length, allowance)
    for number, depth in enumerate(depths[:-1]):
        most = np.bincount(candidate[index <= depth], minlength=len(graph.keys))
        edge = np.flatnonzero(index == depth - 1)
        may_swap[edge] = (most <= caps[:, number])[candidate[following[edge]]]
    return may_swap
