import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.attention.attention_model import INBOX_DEPTH, AttentionModel
from models.ml.market.graph.inbox import compute_marginal_values, compute_match_probabilities, count_distinct_matches
from models.ml.market.graph.market_graph import MarketGraph, build_market_graph
from models.ml.market.graph.ordering import draw_tie_break_key, sort_top_k
from tests.models_ml.market.scored import SEEDS, Pairs, crowded, keys, pairs

ROWS = st.lists(
    st.floats(width=32, allow_nan=False) | st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0]), min_size=1, max_size=300
)


@given(ROWS, st.integers(0, 310), SEEDS)
def test_best_first_and_equal_ones_by_key_as_lexsort(row: list[float], length: int, seed: int) -> None:
    rng, scores = np.random.default_rng(seed), np.array(row, np.float32)
    other, all_keys = rng.permutation(len(row)).astype(np.int32), keys(len(row))
    some = rng.permutation(len(row))[: rng.integers(len(row) + 1)].astype(np.int32)
    own = np.uint64(seed)
    drawn = np.array([draw_tie_break_key(own, all_keys[each]) for each in other[some]], np.uint64)
    expected = some[np.lexsort((drawn, -scores[some]))][:length]
    np.testing.assert_array_equal(sort_top_k(some, scores, length, own, other, all_keys), expected)


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


INBOX = AttentionModel("inv", inbox_weight=1).compute_inbox_examination()


@given(pairs(), SEEDS)
def test_a_value_is_what_a_certain_look_adds(scored: Pairs, seed: int) -> None:
    """In lists in which some are not listed, some are examined for certain, and some like the viewer already."""
    rng = np.random.default_rng(seed)
    graph = scored.graph(rng.choice([0.0, 0.5, 1.0], len(scored.viewer)))
    liked = graph.p_like * rng.choice(np.array([0, 0.3, 1], np.float32), len(graph.pair))

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


def test_a_like_of_someone_who_likes_the_sender_waits_in_no_inbox() -> None:
    """Senders 0, 1 and 2 like 3, who prefers them in this order and has liked sender 1 already, perhaps sender 2."""
    graph = build_market_graph(
        np.arange(3), np.full(3, 3), np.ones(3), np.array([0.9, 0.8, 0.6]), p_pending=np.array([0, 1, 0.5])
    )
    matched = compute_match_probabilities(graph, np.ones(3, np.float32), INBOX)
    np.testing.assert_allclose(matched, [0.9, 1, 0.5 + 0.5 * 0.6 / 2], rtol=1e-6)
    np.testing.assert_allclose(graph.p_returned, [0.9, 1, 0.8], rtol=1e-6)


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
