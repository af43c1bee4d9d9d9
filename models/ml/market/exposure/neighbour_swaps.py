"""A little randomisation with known chances: neighbours in a list change places, each with an exact propensity.

A list is cut into pairs of neighbours, from its first or from its second position on, with one half each. Each pair
changes places with the swap rate r. So two neighbours are a pair in just one of the two cuts: a candidate moves one
position down with the probability r / 2, one up with r / 2, and else stays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array
from models.ml.kernels.grouping import count_earlier
from models.ml.market.exposure.vote_bounds import compute_caps
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import select_listed_edges


@dataclass(frozen=True)
class SwappedPositions:
    """Positions after the swaps.

    Attributes:
        positions: Index of each edge in its list, from 0, int32 (n,), -1 if not listed.
        propensity: Probability that the edge stands at its position, float32 (n,), above 0 to 1; 1 if not listed.
        support: Of the listed, the share of positions where another candidate could stand, 0 to 1.
    """

    positions: Int32Array
    propensity: Float32Array
    support: float


@dataclass(frozen=True)
class SwappedLists:
    """Lists after the swaps, k rows.

    Attributes:
        order: The row that stands at each place now, int64 (k,).
        propensity: Probability that the candidate of each place stands there, float32 (k,), above 0 to 1.
    """

    order: Int64Array
    propensity: Float32Array


def swap_positions(
    graph: MarketGraph,
    placed: Int32Array,
    rate: Float64Array,
    length: int,
    allowance: Float64Array | None,
    rng: Generator,
) -> SwappedPositions:
    """Swap neighbours in the lists of a market at random, within the bound on positions.

    Args:
        graph: The market graph.
        placed: Index of each edge in its list, int32 (n,), -1 if not listed.
        rate: Swap rate of each viewer's list, float64 (people,), 0 to 1.
        length: Maximum length of a list.
        allowance: Bound on positions, as `bound_positions` takes it, float64 (people,); None without a bound.
        rng: The source of the draws.
    """
    edges = select_listed_edges(graph, placed)
    viewer, candidate = graph.viewer[edges].astype(np.int64), graph.candidate[edges].astype(np.int64)
    may_swap = find_allowed_swaps(graph, viewer, candidate, length, allowance) & (rate[viewer] > 0)
    swapped = swap_neighbours(viewer, rate[viewer], may_swap, rng)
    positions, propensity = placed.copy(), np.ones(len(placed), np.float32)
    positions[edges[swapped.order]] = placed[edges]
    propensity[edges[swapped.order]] = swapped.propensity
    return SwappedPositions(positions, propensity, float(np.mean(swapped.propensity < 1)) if len(edges) else 0.0)


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
