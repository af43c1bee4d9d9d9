"""The market policies by name."""

from collections.abc import Callable

import numpy as np

from models.ml.arrays import Float32Array, Int64Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.match_model import count_expected_matches
from models.ml.market.graph.ranked_lists import compute_positions, select_listed_pairs
from models.ml.market.policies.best_response import compute_best_response
from models.ml.market.policies.transferable_utility import compute_transferable_utility

MarketPolicy = Callable[[MarketGraph, AttentionModel], Float32Array]

# The one with the most expected matches is used. With 1, as published, a sparse population loses an eighth of them.
BETAS = (0.3, 0.1, 0.03)


def rank_pairs(graph: MarketGraph, policy: str, attention: AttentionModel) -> Int64Array:
    """Rank pairs by a policy of POLICIES: the listed input rows, int64, sorted by viewer, best first.

    A viewer has at most `attention.length`. The result does not depend on the order of the input; tie-break keys order
    equal scores. Raises KeyError for an unknown policy.
    """
    return select_listed_pairs(graph, compute_positions(graph, POLICIES[policy](graph, attention), attention.length))


def score_random(graph: MarketGraph, _attention: AttentionModel) -> Float32Array:
    """Score all pairs alike, so that tie-break keys decide: other keys give other lists."""
    return np.zeros_like(graph.p_like)


def score_p_like(graph: MarketGraph, _attention: AttentionModel) -> Float32Array:
    """Score by p_like, the viewer's preference alone."""
    return graph.p_like


def score_product(graph: MarketGraph, _attention: AttentionModel) -> Float32Array:
    """Score by p_match, p_like x the probability that the like is returned, times the worth of the match."""
    p_match = np.asarray(graph.p_like * graph.p_returned)
    return p_match if graph.worth is None else p_match * graph.worth


def score_harmonic_mean(graph: MarketGraph, _attention: AttentionModel) -> Float32Array:
    """Score by the harmonic mean of both directions, 0 if either is 0 (Pizzato et al., RecSys 2010)."""
    total = graph.p_like + graph.p_returned
    both = 2 * graph.p_like * graph.p_returned
    return np.asarray(np.divide(both, total, out=np.zeros_like(both), where=total > 0))


def score_minimum(graph: MarketGraph, _attention: AttentionModel) -> Float32Array:
    """Score by the less likely direction."""
    return np.minimum(graph.p_like, graph.p_returned)


def score_transferable_utility(graph: MarketGraph, attention: AttentionModel) -> Float32Array:
    """Score by the stable matching with transferable utility, at the best of BETAS."""
    tried = [compute_transferable_utility(graph, beta) for beta in BETAS]
    return max(
        tried,
        key=lambda scores: count_expected_matches(graph, attention, compute_positions(graph, scores, attention.length)),
    )


def score_best_response(graph: MarketGraph, attention: AttentionModel) -> Float32Array:
    """Score by best response with externality, started from the product.

    In trials, more expensive starts gave less than half a percent more matches.
    """
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
