import numpy as np
import pytest
from hypothesis import given

from models.ml.market.attention.attention_model import INBOX_DEPTH, AttentionModel
from models.ml.market.graph.inbox import compute_marginal_values, compute_match_probabilities, count_distinct_matches
from models.ml.market.graph.market_graph import build_market_graph
from tests.models_ml.market.scored import SEEDS, Pairs, keys, pairs

INBOX = AttentionModel("inv", inbox_weight=1).compute_inbox_examination()


@given(pairs(), SEEDS)
def test_a_value_is_what_a_certain_look_adds(scored: Pairs, seed: int) -> None:
    """In lists in which some are not listed and some are examined for certain; each viewer's values are their own."""
    graph = scored.graph()
    liked = graph.p_like * np.random.default_rng(seed).choice(np.array([0, 0.3, 1], np.float32), len(graph.pair))

    def count_matches(edge: int, look: float) -> float:
        changed = liked.copy()
        changed[edge] = look * graph.p_like[edge]
        return count_distinct_matches(graph, compute_match_probabilities(graph, changed, INBOX))

    matched, people = compute_match_probabilities(graph, liked, INBOX), np.arange(scored.people)
    found = compute_marginal_values(graph, liked, matched, INBOX, people >= 0)
    added = [count_matches(edge, 1) - count_matches(edge, 0) for edge in range(len(liked))]
    np.testing.assert_allclose(found, added, atol=1e-5)
    alone = [compute_marginal_values(graph, liked, matched, INBOX, people == viewer) for viewer in people]
    np.testing.assert_array_equal(np.sum(alone, axis=0, dtype=np.float32), found)


@pytest.mark.parametrize("depth", [4, INBOX_DEPTH, 300])
def test_past_its_depth_an_inbox_is_examined_as_there(depth: int) -> None:
    people = np.arange(400)
    graph = build_market_graph(people, np.full(400, 400), np.ones(400), np.linspace(1, 0.5, 400))
    found = compute_match_probabilities(graph, np.ones(400, np.float32), 1 / np.arange(1.0, depth + 2))
    np.testing.assert_allclose(found / graph.p_liked_back, 1 / np.minimum(people + 1, depth + 1), rtol=1e-5)


def test_the_same_on_threads() -> None:
    """Above 200,000 pairs users are shared out to threads."""
    rng = np.random.default_rng(1)
    viewer, candidate = np.divmod(rng.choice(1000 * 1000, 250_000, replace=False), 1000)
    p_like, back = rng.random((2, 250_000))
    few = candidate < 10
    of_all = build_market_graph(viewer, candidate + 1000, p_like, back)
    of_few = build_market_graph(viewer[few], candidate[few] + 1000, p_like[few], back[few])
    alone = compute_match_probabilities(of_few, of_few.p_like, INBOX)
    np.testing.assert_array_equal(compute_match_probabilities(of_all, of_all.p_like, INBOX)[: len(alone)], alone)


def test_keys_order_equal_likes_in_an_inbox() -> None:
    people, ones, own = np.arange(50), np.ones(50), keys(51)
    first = build_market_graph(people, np.full(50, 50), ones, ones, own)
    turned = build_market_graph(people, np.full(50, 50), ones, ones, np.append(own[:50][::-1], own[50]))
    assert first.viewer.tolist() != sorted(first.viewer.tolist())
    assert turned.viewer.tolist() == (49 - first.viewer).tolist()
