from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.arrays import Float32Array
from models.ml.market import POLICIES, build_market_graph, rank_pairs
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.match_model import count_expected_matches
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.list_likes import compute_list_likes
from models.ml.market.policies.best_response import compute_best_response, run_sweep
from models.ml.market.policies.policy_registry import score_best_response, score_product, score_transferable_utility
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


CONGESTED = AttentionModel("inv", length=3, inbox_weight=1)


def count_matches(graph: MarketGraph, attention: AttentionModel, scores: Float32Array) -> float:
    return count_expected_matches(graph, attention, compute_positions(graph, scores, attention.length))


def test_best_response_gains_in_crowds_and_loses_little_else() -> None:
    graph = crowded(600, seed=8, share=0.2).graph()
    congested = AttentionModel("inv", length=30, inbox_weight=1)
    flat, hedged = AttentionModel("inv", "flat", length=30, inbox_weight=1), AttentionModel("inv", length=30)
    assert hedged.inbox_weight == 0.5
    product, tuned = score_product(graph, congested), score_transferable_utility(graph, congested)
    of_congested, of_hedged = (score_best_response(graph, attention) for attention in (congested, hedged))
    in_crowd, elsewhere = partial(count_matches, graph, congested), partial(count_matches, graph, flat)
    assert in_crowd(of_congested) > 1.3 * in_crowd(product)
    assert in_crowd(of_congested) > 1.05 * in_crowd(tuned)
    assert in_crowd(of_hedged) > 1.2 * in_crowd(product)
    assert elsewhere(of_hedged) > 0.95 * elsewhere(product)
    assert elsewhere(of_congested) < 0.95 * elsewhere(product)


@pytest.mark.parametrize(
    "attention",
    [
        CONGESTED,
        AttentionModel("exp", length=8, inbox_weight=1),
        AttentionModel("log", length=5, inbox_weight=1),
        AttentionModel("log2", "inv", length=50, inbox_weight=0.5),
        AttentionModel([0.9, 0.2], "flat", length=4, inbox_weight=1),
    ],
)
def test_the_matches_that_are_maximised_are_those_measured(attention: AttentionModel) -> None:
    """The evaluator shares no code with the policy."""
    graph = crowded(60, seed=1).graph()
    placed = compute_positions(graph, score_product(graph, attention), attention.length)
    likes = compute_list_likes(
        graph.viewer, graph.candidate, graph.p_like, graph.p_liked_back, placed + 1, attention.examination
    )
    own = attention.inbox or attention.inbox_weight < 1
    inbox = attention.compute_inbox_examination() if own else attention.examination
    expected = compute_expected_matches(likes, inbox)
    assert count_expected_matches(graph, attention, placed) == pytest.approx(expected, rel=1e-5)


@given(pairs(one_sided=True))
def test_turns_of_one_viewer_never_lose_a_match(scored: Pairs) -> None:
    graph = scored.graph()
    scores = score_product(graph, CONGESTED).copy()
    placed = compute_positions(graph, scores, 3)
    for number in range(3):
        before = count_expected_matches(graph, CONGESTED, placed)
        run_sweep(graph, CONGESTED, scores, placed, number)
        assert count_expected_matches(graph, CONGESTED, placed) >= before - 1e-5


def test_a_crowded_market_gains_a_quarter_also_in_few_blocks() -> None:
    graph, attention = crowded(300, seed=2).graph(), AttentionModel("inv", length=20, inbox_weight=1)
    start = score_product(graph, attention)
    one_by_one = count_matches(graph, attention, compute_best_response(graph, attention, start))
    in_blocks = count_matches(graph, attention, compute_best_response(graph, attention, start, blocks=8))
    assert one_by_one > 1.25 * count_matches(graph, attention, start)
    assert 0.985 * one_by_one < in_blocks < one_by_one * 1.005


def test_a_price_keeps_a_user_out_of_lists() -> None:
    graph = crowded(40, seed=3).graph()
    scores = score_product(graph, CONGESTED).copy()
    placed = compute_positions(graph, scores, 3)
    popular = int(np.argmax(np.bincount(graph.candidate[placed >= 0])))
    prices = np.where(np.arange(40) == popular, 2, 0).astype(np.float32)
    run_sweep(graph, CONGESTED, scores, placed, 0, prices)
    assert not (placed[graph.candidate == popular] >= 0).any()


def test_a_sweep_that_loses_matches_is_not_kept() -> None:
    """Where all change at once, all leave the same popular users, and then come back."""
    graph, attention = crowded(100, seed=2, share=1.0).graph(), AttentionModel("exp", length=10, inbox_weight=1)
    start = score_product(graph, attention)
    scores, placed = start.copy(), compute_positions(graph, start, 10)
    totals = [count_matches(graph, attention, start)]
    for number in range(2):
        run_sweep(graph, attention, scores, placed, number, blocks=1)
        totals.append(count_expected_matches(graph, attention, placed))
    assert totals[2] < max(totals)
    found = compute_best_response(graph, attention, start, sweeps=2, blocks=1)
    assert count_matches(graph, attention, found) == max(totals)
