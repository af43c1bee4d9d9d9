import numpy as np
from hypothesis import given

from models.ml.market.graph.market_graph import MarketGraph
from tests.models_ml.market.scored import SEEDS, Pairs, crowded, pairs


def check_layout(graph: MarketGraph, scored: Pairs) -> None:
    """Each edge is its row, inboxes and lists are within their bounds, and reverse edges are the other way round."""
    people, edges = np.arange(scored.people), np.arange(len(graph.pair))
    for name in ("viewer", "candidate", "p_like", "p_liked_back"):
        np.testing.assert_array_equal(getattr(graph, name), getattr(scored, name)[graph.pair])
    np.testing.assert_array_equal(np.sort(graph.pair), edges)
    np.testing.assert_array_equal(graph.candidate, np.repeat(people, np.diff(graph.inbox_start)))
    np.testing.assert_array_equal(graph.viewer[graph.csr_index], np.repeat(people, np.diff(graph.list_start)))
    np.testing.assert_array_equal(np.lexsort((-graph.p_liked_back, graph.candidate)), edges)
    by_list = np.lexsort((graph.candidate[graph.csr_index], graph.viewer[graph.csr_index]))
    np.testing.assert_array_equal(by_list, edges)
    at = {pair: edge for edge, pair in enumerate(zip(graph.viewer.tolist(), graph.candidate.tolist(), strict=True))}
    assert graph.reverse_edge.tolist() == [at.get((other, one), -1) for one, other in at]


@given(pairs(), SEEDS)
def test_layout_of_some_pairs_in_any_order(scored: Pairs, seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = len(scored.viewer)
    some = scored.take(rng.permutation(count)[: rng.integers(count + 1)])
    check_layout(some.graph(), some)


def test_layout_on_threads() -> None:
    """Above 200,000 pairs users are shared out to threads."""
    scored = crowded(800, seed=3, share=0.6)
    some = scored.take(np.random.default_rng(3).permutation(len(scored.viewer))[:250_000])
    check_layout(some.graph(), some)
