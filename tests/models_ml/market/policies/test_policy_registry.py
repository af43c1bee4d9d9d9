import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.market import POLICIES, build_market_graph, rank_pairs
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.best_response import count_expected_matches
from tests.models_ml.conftest import positions
from tests.models_ml.market.scored import SEEDS, Pairs, crowded, keys, of_chances, pairs

ATTENTION = AttentionModel("inv", length=3)


@pytest.mark.parametrize(
    ("policy", "back", "rows"),
    [
        ("naive", 0.305, [0, 1, 2]),
        ("product", 0.305, [2, 1, 0]),
        ("harmonic", 0.29, [2, 0, 1]),
        ("minimum", 0.29, [2, 0, 1]),
    ],
)
def test_what_the_simple_policies_sort_by(policy: str, back: float, rows: list[int]) -> None:
    """`back` is the second candidate's p_liked_back."""
    p_like, p_liked_back = np.array([1.0, 0.99, 0.6], np.float32), np.array([0.3, back, 0.6], np.float32)
    graph = build_market_graph(positions(0, 0, 0), positions(1, 2, 3), p_like, p_liked_back)
    assert rank_pairs(graph, policy, ATTENTION).tolist() == rows


@settings(max_examples=40)
@given(pairs(), st.sampled_from(sorted(POLICIES)), st.integers(0, 4), SEEDS)
def test_lists_of_any_market(scored: Pairs, policy: str, length: int, seed: int) -> None:
    """Eligible pairs, each once, by viewer, as many as there is room for, whatever their order and numbers."""
    attention, rng = AttentionModel("inv", length=length), np.random.default_rng(seed)
    listed = rank_pairs(scored.graph(), policy, attention)
    assert len(set(listed.tolist())) == len(listed)
    assert (np.diff(scored.viewer[listed]) >= 0).all()
    room = np.minimum(np.bincount(scored.viewer, minlength=scored.people), length)
    assert np.bincount(scored.viewer[listed], minlength=scored.people).tolist() == room.tolist()
    turned = rng.permutation(len(scored.viewer))
    np.testing.assert_array_equal(turned[rank_pairs(scored.take(turned).graph(), policy, attention)], listed)
    number = rng.permutation(scored.people)
    own = np.empty(scored.people, np.uint64)
    own[number] = keys(scored.people)
    chances = (scored.p_like, scored.p_liked_back)
    renumbered = build_market_graph(number[scored.viewer], number[scored.candidate], *chances, own)
    again = rank_pairs(renumbered, policy, attention)
    for who in range(scored.people):
        assert again[scored.viewer[again] == who].tolist() == listed[scored.viewer[listed] == who].tolist()


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_markets_of_nobody_and_of_equals(policy: str) -> None:
    """Of a hundred equals with ten positions each, nobody is forgotten and nobody is everywhere: keys decide."""
    none = np.empty(0, np.float32)
    assert rank_pairs(build_market_graph(positions(), positions(), none, none), policy, ATTENTION).tolist() == []
    scored = of_chances(np.full((100, 100), 0.3), ~np.eye(100, dtype=bool))
    listed = rank_pairs(scored.graph(), policy, AttentionModel(length=10))
    seen = np.bincount(scored.candidate[listed], minlength=100)
    assert 0 < seen.min() <= seen.max() < 25
    chances = (scored.p_like, scored.p_liked_back)
    other = build_market_graph(scored.viewer, scored.candidate, *chances, keys(100)[::-1].copy())
    assert np.mean(rank_pairs(other, policy, AttentionModel(length=10)) == listed) < 0.3


def count_matches(graph: MarketGraph, policy: str, believed: AttentionModel, true: AttentionModel) -> float:
    placed = compute_positions(graph, POLICIES[policy](graph, believed), true.length)
    return count_expected_matches(graph, true, placed)


def test_best_response_gains_in_crowded_inboxes_and_loses_little_elsewhere() -> None:
    graph = crowded(600, seed=8, share=0.2).graph()
    congested = AttentionModel("inv", length=30, inbox_weight=1)
    flat, hedged = AttentionModel("inv", "flat", length=30, inbox_weight=1), AttentionModel("inv", length=30)
    assert hedged.inbox_weight == 0.5
    product = count_matches(graph, "product", congested, congested)
    best = count_matches(graph, "best_response", congested, congested)
    assert best > 1.3 * product
    assert best > 1.05 * count_matches(graph, "transferable_utility", congested, congested)
    assert count_matches(graph, "best_response", hedged, congested) > 1.2 * product
    in_flat = count_matches(graph, "product", flat, flat)
    assert count_matches(graph, "best_response", hedged, flat) > 0.95 * in_flat
    assert count_matches(graph, "best_response", congested, flat) < 0.95 * in_flat
