"""The policies that the benchmark compares: orders of receivers in two-sided markets, rows of lists in towns."""

from collections.abc import Callable

import numpy as np

from models.ml.arrays import Float64Array, Int64Array
from models.ml.market import AttentionModel, build_market_graph, rank_market, rank_pairs
from models.ml.market.policies.transferable_utility import compute_transferable_utility
from models.ml.market.two_sided import build_two_sided_graph, sort_receivers
from tests.bench.sparse import Pairs

# Of both directions, (proposers, receivers), and the examination curve: each proposer's receivers, best first.
TwoSided = Callable[[Float64Array, Float64Array, str], Int64Array]
# Of pairs and the inbox's curve as the policy believes it to be: the rows that make the lists.
InLists = Callable[[Pairs, str], Int64Array]


def _by_score(score: Float64Array) -> Int64Array:
    return np.argsort(-score, axis=1, kind="stable")


def _transferable_utility(like: Float64Array, liked_back: Float64Array, _examination: str) -> Int64Array:
    market = build_two_sided_graph(like, liked_back)
    return sort_receivers(market, compute_transferable_utility(market, beta=1), (len(like), like.shape[1]))


TWO_SIDED: dict[str, TwoSided] = {
    "naive": lambda like, _liked_back, _examination: _by_score(like),
    "product": lambda like, liked_back, _examination: _by_score(like * liked_back),
    "TU β=1": _transferable_utility,
    "best response": rank_market,
}


def _by(policy: str, q: float = 1.0) -> InLists:
    def lists(pairs: Pairs, inbox: str) -> Int64Array:
        laid_out = build_market_graph(pairs.viewer, pairs.candidate, pairs.p_like, pairs.p_liked_back)
        return rank_pairs(laid_out, policy, AttentionModel("inv", inbox, inbox_weight=q))

    return lists


LISTS: dict[str, InLists] = {
    "product": _by("product"),
    "tuned TU": _by("transferable_utility"),
    "best response": _by("best_response"),
    "hedged": _by("best_response", q=0.5),
}
