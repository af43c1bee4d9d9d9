import numpy as np

from models.ml.market.edge_weights import MarketState, build_weighted_graph, make_idle_state
from tests.models_ml.market.scored import crowded, keys


def test_the_idle_state_changes_nothing() -> None:
    scored = crowded(12, seed=1)
    state = make_idle_state(scored.people, len(scored.viewer))
    pairs = (scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back)
    weighted, plain = build_weighted_graph(*pairs, keys(scored.people), state), scored.graph()
    for name, values in vars(plain).items():
        np.testing.assert_array_equal(getattr(weighted, name), values)


def test_weights_by_hand() -> None:
    """User 0 is there with probability 1/2, user 1 with 1/5; 1 likes 0, who sees it in the inbox with 1/4."""
    viewer, candidate, ones = np.array([0, 1]), np.array([1, 0]), np.ones(2)
    state = MarketState(np.array([0.5, 0.2]), p_pending=np.array([1.0, 0]), p_answered=np.array([0.25, 0]))
    graph = build_weighted_graph(viewer, candidate, 0.8 * ones, 0.6 * ones, keys(2), state)
    edge = np.argsort(graph.pair)
    np.testing.assert_allclose(graph.p_like[edge], [0.8 * 0.5 * 0.75, 0.8 * 0.2], rtol=1e-6)
    np.testing.assert_allclose(graph.p_liked_back[edge], [0.6 * 0.2, 0.6 * 0.5], rtol=1e-6)
    assert graph.p_pending[edge].tolist() == [1, 0]
