"""The policies that the benchmark compares: orders of receivers in two-sided markets, rows of lists in towns."""

from collections.abc import Callable

import numpy as np

from models.ml.market import Attention, rank, rank_market, town
from models.ml.market.examination import Doubles
from models.ml.market.transferable_utility import transferable_utility
from models.ml.market.two_sided import in_order, town_of
from tests.bench.sparse import Ints, Pairs

# Of both directions, (proposers, receivers), and the examination curve: each proposer's receivers, best first.
TwoSided = Callable[[Doubles, Doubles, str], Ints]
# Of pairs and the inbox's curve as the policy believes it to be: the rows that make the lists.
InLists = Callable[[Pairs, str], Ints]


def _by_score(score: Doubles) -> Ints:
    return np.argsort(-score, axis=1, kind="stable")


def _transferable_utility(like: Doubles, liked_back: Doubles, _examination: str) -> Ints:
    market = town_of(like, liked_back)
    return in_order(market, transferable_utility(market, beta=1), (len(like), like.shape[1]))


TWO_SIDED: dict[str, TwoSided] = {
    "naive": lambda like, _liked_back, _examination: _by_score(like),
    "product": lambda like, liked_back, _examination: _by_score(like * liked_back),
    "TU β=1": _transferable_utility,
    "best response": rank_market,
}


def _by(policy: str, q: float = 1.0) -> InLists:
    def lists(pairs: Pairs, inbox: str) -> Ints:
        laid_out = town(pairs.viewer, pairs.candidate, pairs.p_like, pairs.p_liked_back)
        return rank(laid_out, policy, Attention("inv", inbox, q=q))

    return lists


LISTS: dict[str, InLists] = {
    "product": _by("product"),
    "tuned TU": _by("transferable_utility"),
    "best response": _by("best_response"),
    "hedged": _by("best_response", q=0.5),
}
