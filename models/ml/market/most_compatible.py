"""The most compatible candidate of each user: a stable matching in which each user has at most one partner."""

import numpy as np

from models.ml.arrays import Float32Array, Int64Array
from models.ml.kernels.jit import jit
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.graph.market_graph import MarketGraph

NO_PARTNER = -1


def match_most_compatible(graph: MarketGraph, previous: Int64Array | None = None) -> Int64Array:
    """Match each user with at most one other, int64 (people,), -1 for no partner.

    Two users can be matched if each is a candidate of the other and they were not matched in `previous`. Pairs with
    p_match 0 are never matched.

    The matching is stable: no two users both prefer each other to their partners. Both sides value a pair alike, by
    p_match, so greedily taking the best remaining pair gives a stable matching (Abraham, Levavi, Manlove & O'Malley,
    Internet Mathematics 2008: roommates with globally ranked pairs). It is unique except for equal p_match, where a
    hash of both users' keys decides.

    Args:
        graph: The market graph.
        previous: The partners of the publication before, int64 (people,), -1 for no partner.
    """
    one, other, p_match = _list_couples(graph, previous)
    order = np.lexsort((hash_splitmix64(graph.keys[one] + graph.keys[other]), -p_match))
    partners = np.full(len(graph.keys), NO_PARTNER, np.int64)
    _match_greedily(one[order], other[order], partners)
    return partners


def _list_couples(graph: MarketGraph, previous: Int64Array | None) -> tuple[Int64Array, Int64Array, Float32Array]:
    """List each pair of users that can be matched, once, with its p_match."""
    slots = np.flatnonzero(graph.reverse_edge > np.arange(len(graph.reverse_edge)))
    one, other = graph.viewer[slots].astype(np.int64), graph.candidate[slots].astype(np.int64)
    p_match = graph.p_like[slots] * graph.p_liked_back[slots]
    possible = p_match > 0
    if previous is not None:
        possible &= (previous[one] != other) & (previous[other] != one)
    return one[possible], other[possible], p_match[possible]


@jit
def _match_greedily(one: Int64Array, other: Int64Array, partners: Int64Array) -> None:
    for couple in range(len(one)):
        if partners[one[couple]] < 0 and partners[other[couple]] < 0:
            partners[one[couple]], partners[other[couple]] = other[couple], one[couple]
