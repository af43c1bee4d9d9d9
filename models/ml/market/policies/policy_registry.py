"""The market policies by name: each gives every scored pair a score, and lists are in the order of the scores."""

from collections.abc import Callable

import numpy as np

from models.ml.arrays import Float32Array, Int64Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_positions, select_listed_pairs
from models.ml.market.policies.best_response import compute_best_response, count_expected_matches
from models.ml.market.policies.transferable_utility import compute_transferable_utility

MarketPolicy = Callable[[MarketGraph, AttentionModel], Float32Array]

# Of these the one with the most expected matches is taken: at 1, as published, a sparse town loses an eighth of them.
BETAS = (0.3, 0.1, 0.03)


def rank_pairs(graph: MarketGraph, policy: str, attention: AttentionModel) -> Int64Array:
    """The input's rows that make the lists by a policy of POLICIES, int64: by viewer, best first.

    At most `attention.length` a viewer. The same for the same pairs in any order, and with ties settled by the people's
    keys. Raises KeyError for an unknown policy.
    """
    return select_listed_pairs(graph, compute_positions(graph, POLICIES[policy](graph, attention), attention.length))


def score_random(graph: MarketGraph, _attention: AttentionModel) -> Float32Array:
    """All alike, so that lot decides: other keys, other lists."""
    return np.zeros_like(graph.p_like)


def score_p_like(graph: MarketGraph, _attention: AttentionModel) -> Float32Array:
    """Whom the viewer likes, whatever comes of it: p_like."""
    return graph.p_like


def score_product(graph: MarketGraph, _attention: AttentionModel) -> Float32Array:
    """Who matches if both look: p_like x p_liked_back."""
    return np.asarray(graph.p_like * graph.p_liked_back)


def score_harmonic_mean(graph: MarketGraph, _attention: AttentionModel) -> Float32Array:
    """The harmonic mean of both directions, 0 where either is (Pizzato et al., RecSys 2010)."""
    total = graph.p_like + graph.p_liked_back
    both = 2 * graph.p_like * graph.p_liked_back
    return np.asarray(np.divide(both, total, out=np.zeros_like(both), where=total > 0))


def score_minimum(graph: MarketGraph, _attention: AttentionModel) -> Float32Array:
    """The less likely direction."""
    return np.minimum(graph.p_like, graph.p_liked_back)


def score_transferable_utility(graph: MarketGraph, attention: AttentionModel) -> Float32Array:
    """The stable matching with transferable utility at the best of BETAS."""
    tried = [compute_transferable_utility(graph, beta) for beta in BETAS]
    return max(
        tried,
        key=lambda scores: count_expected_matches(graph, attention, compute_positions(graph, scores, attention.length)),
    )


def score_best_response(graph: MarketGraph, attention: AttentionModel) -> Float32Array:
    """Best response with externality; in trial, starts that took longer came out less than half a percent higher."""
    return compute_best_response(graph, attention, score_product(graph, attention))


POLICIES: dict[str, MarketPolicy] = {
    "random": score_random,
    "naive": score_p_like,
    "product": score_product,
    "harmonic": score_harmonic_mean,
    "minimum": score_minimum,
    "transferable_utility": score_transferable_utility,
    "best_response": score_best_response,
}
