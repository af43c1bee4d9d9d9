"""The one person each is most compatible with: one partner each, and the partner's partner is oneself."""

import numpy as np

from models.ml.arrays import Float32Array, Int64Array
from models.ml.kernels.jit import jit
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.graph.market_graph import MarketGraph

NO_PARTNER = -1


def match_most_compatible(graph: MarketGraph, previous: Int64Array | None = None) -> Int64Array:
    """Each person's partner, int64 (people,), -1 for nobody: stable, and no partner of theirs before.

    Two people can be partners if each may be shown the other, and neither was the other's partner in `previous`, int64
    (people,), -1 for nobody. Nobody has a partner by whom, and with whom, both would rather be than as they are: where
    both sides value a pair alike, as by p_match, to join the best pair that is left, again and again, gives the
    stable matching (Abraham, Levavi, Manlove & O'Malley, Internet Mathematics 2008: roommates with globally ranked
    pairs); it is the only one but for equal p_match, where a hash of the two people's keys decides. p_match 0 is
    nobody's partner.
    """
    one, other, p_match = _list_couples(graph, previous)
    order = np.lexsort((hash_splitmix64(graph.keys[one] + graph.keys[other]), -p_match))
    partners = np.full(len(graph.keys), NO_PARTNER, np.int64)
    _match_greedily(one[order], other[order], partners)
    return partners


def _list_couples(graph: MarketGraph, previous: Int64Array | None) -> tuple[Int64Array, Int64Array, Float32Array]:
    """Who can be partners, each two people once, and their p_match."""
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
