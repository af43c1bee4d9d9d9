import numpy as np
import pytest
from hypothesis import given

from models.ml.arrays import Float32Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.list_likes import compute_list_likes
from models.ml.market.policies.best_response import compute_best_response, count_expected_matches, run_sweep
from models.ml.market.policies.policy_registry import score_product
from tests.models_ml.market.scored import Pairs, crowded, pairs

CONGESTED = AttentionModel("inv", length=3, inbox_weight=1)


def count_matches(graph: MarketGraph, attention: AttentionModel, scores: Float32Array) -> float:
    return count_expected_matches(graph, attention, compute_positions(graph, scores, attention.length))


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
def test_the_matches_that_are_maximised_are_those_that_are_measured(attention: AttentionModel) -> None:
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
