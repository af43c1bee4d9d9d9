import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.exposure.vote_bounds import bound_positions
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_positions
from tests.models_ml.market.scored import SEEDS, Pairs, crowded, of_chances, pairs


def count_listed(graph: MarketGraph, placed: np.ndarray, depth: int) -> np.ndarray:
    return np.bincount(graph.candidate[(placed >= 0) & (placed < depth)], minlength=len(graph.keys))


def test_lists_by_hand() -> None:
    """Three viewers like 3 best and 4 next; 3 may have the mean of first positions, 1.5, so two."""
    chances = np.zeros((5, 5))
    chances[:3, 3], chances[:3, 4] = [0.9, 0.8, 0.7], 0.5
    graph = of_chances(chances, chances > 0).graph()
    placed = bound_positions(graph, graph.p_like, 2, np.ones(5))
    first = {(int(graph.viewer[edge]), int(graph.candidate[edge])) for edge in np.flatnonzero(placed == 0)}
    assert first == {(0, 3), (1, 3), (2, 4)}
    assert count_listed(graph, placed, 2).tolist() == [0, 0, 0, 3, 3]


def test_the_bound_holds_at_every_depth() -> None:
    graph = crowded(300, seed=4, share=0.5).graph()
    before = compute_positions(graph, graph.p_like, 20)
    placed = bound_positions(graph, graph.p_like, 20, np.full(300, 2.0))
    for depth in (1, 5, 20):
        mean = count_listed(graph, before, depth).mean()
        assert count_listed(graph, before, depth).max() > 3 * mean
        assert count_listed(graph, placed, depth).max() <= 2 * mean + 0.5


@given(pairs(), st.integers(1, 6))
def test_an_ample_bound_changes_no_list(scored: Pairs, length: int) -> None:
    graph = scored.graph()
    placed = bound_positions(graph, graph.p_like, length, np.full(scored.people, 1e6))
    for viewer in range(scored.people):
        edges = np.flatnonzero(graph.viewer == viewer)
        shown = edges[placed[edges] >= 0]
        best = np.sort(graph.p_like[edges])[::-1][:length]
        assert graph.p_like[shown[np.argsort(placed[shown])]].tolist() == best.tolist()


@given(pairs(), st.integers(1, 6), SEEDS)
def test_a_list_keeps_half_its_length_in_any_order_of_pairs(scored: Pairs, length: int, seed: int) -> None:
    def lists(of: Pairs) -> set[tuple[int, int, int]]:
        graph = of.graph()
        placed = bound_positions(graph, graph.p_like, length, np.ones(of.people))
        return set(zip(graph.viewer.tolist(), graph.candidate.tolist(), placed.tolist(), strict=True))

    found = lists(scored)
    assert found == lists(scored.take(np.random.default_rng(seed).permutation(len(scored.viewer))))
    for viewer in range(scored.people):
        own = [index for who, _, index in found if who == viewer]
        shown = sorted(index for index in own if index >= 0)
        assert shown == list(range(len(shown)))
        assert 2 * len(shown) >= min(len(own), length)
