import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.arrays import Float32Array
from models.ml.market.graph.market_graph import MarketGraph, build_market_graph
from models.ml.market.graph.two_lists import compute_marginal_values, compute_match_probabilities
from tests.models_ml.market.scored import SEEDS, Pairs, crowded, pairs


def draw_likes(graph: MarketGraph, rng: np.random.Generator) -> Float32Array:
    return np.asarray(graph.p_like * rng.choice(np.array([0, 0.3, 1], np.float32), len(graph.pair)), np.float32)


@given(pairs(), SEEDS, st.sampled_from([0.0, 0.5, 3.0]))
def test_a_value_is_what_a_little_more_of_a_look_adds(scored: Pairs, seed: int, later: float) -> None:
    rng = np.random.default_rng(seed)
    graph = scored.graph(rng.choice([0.0, 0.5, 1.0], len(scored.viewer)))
    liked, people = draw_likes(graph, rng), np.arange(scored.people)
    found = compute_marginal_values(graph, liked, later, people >= 0)
    for edge in range(len(liked)):
        more = liked.copy()
        more[edge] += np.float32(0.01) * graph.p_like[edge]
        added = compute_match_probabilities(graph, more, later).astype(np.float64)
        added -= compute_match_probabilities(graph, liked, later)
        assert found[edge] == pytest.approx(added.sum() / 0.01, abs=0.02)
    alone = [compute_marginal_values(graph, liked, later, people == viewer) for viewer in people]
    np.testing.assert_array_equal(np.sum(alone, axis=0, dtype=np.float32), found)


@pytest.mark.parametrize("later", [0.0, 1.0, 1e9])
def test_matches_of_a_pair_by_hand(later: float) -> None:
    """0 and 1 have each other in their lists; 2, who is in the list of 0 only, has liked 0 with probability 1/2."""
    viewer, candidate = np.array([0, 1, 0]), np.array([1, 0, 2])
    p_like, back = np.array([0.8, 0.6, 0.5]), np.array([0.6, 0.8, 0.9])
    graph = build_market_graph(viewer, candidate, p_like, back, p_pending=np.array([0, 0, 0.5]))
    edge = np.argsort(graph.pair)
    liked = np.zeros(3, np.float32)
    liked[edge] = [0.4, 0.3, 0.25]
    shares = later / (later + np.array([0.4, 0.3, 0.125]))
    matched = compute_match_probabilities(graph, liked, later)[edge]
    expected = [
        0.4 * (0.3 / 2 + shares[0] * (0.6 - 0.3)),
        0.3 * (0.4 / 2 + shares[1] * (0.8 - 0.4)),
        0.25 * (0.5 + 0.5 * shares[2] * 0.9),
    ]
    np.testing.assert_allclose(matched, expected, rtol=1e-6)
    if later == 1e9:  # all are answered: at least one of the two must like tonight, and the other whenever
        assert matched[:2].sum() == pytest.approx(0.4 * 0.6 + 0.3 * 0.8 - 0.4 * 0.3)


def test_the_same_on_threads() -> None:
    """Above 200,000 pairs users are shared out to threads."""
    scored = crowded(800, seed=3, share=0.6)
    graph, rng = scored.graph(), np.random.default_rng(0)
    liked = draw_likes(graph, rng)
    viewers = rng.random(800) < 0.5
    found = compute_marginal_values(graph, liked, 2.0, viewers)
    back = np.where(graph.reverse_edge >= 0, liked[graph.reverse_edge], 0)
    waiting = np.bincount(graph.candidate, liked, 800)
    returned = np.bincount(graph.candidate, liked * (graph.p_liked_back - back), 800)
    share = 2 / (2 + waiting)
    own = back / 2 + (share * 1.0)[graph.candidate] * (graph.p_liked_back - back)
    own -= (share * returned / (2 + waiting))[graph.candidate]
    expected = graph.p_like * (own + back * (0.5 - share[graph.viewer]))
    np.testing.assert_allclose(found, np.where(viewers[graph.viewer], expected, 0), atol=1e-5)
