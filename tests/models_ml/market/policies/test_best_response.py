"""Best response: what a look is worth, that turns climb, and how near to the best of all lists they come."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.ml.arrays import Float32Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.inbox import compute_marginal_values, compute_match_probabilities, count_distinct_matches
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.outcomes.expected_matches import compute_expected_matches
from models.ml.market.outcomes.list_likes import compute_list_likes
from models.ml.market.policies import best_response as module
from models.ml.market.policies.best_response import compute_best_response, count_expected_matches, run_sweep
from models.ml.market.policies.policy_registry import score_product
from tests.models_ml.market.scored import Pairs, crowded, pairs

CONGESTED = AttentionModel("inv", length=3, inbox_weight=1)


def measured(town: MarketGraph, placed: np.ndarray[tuple[int], np.dtype[np.int32]], attention: AttentionModel) -> float:
    """The same number by the evaluator, which shares no code with the policy."""
    pairs = (town.viewer, town.candidate, town.p_like, town.p_liked_back)
    inbox = (
        attention.compute_inbox_examination()
        if attention.inbox or attention.inbox_weight < 1
        else attention.examination
    )
    return compute_expected_matches(compute_list_likes(*pairs, placed + 1, attention.examination), inbox)


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
def test_the_matches_that_are_climbed_are_those_that_are_measured(attention: AttentionModel) -> None:
    town = crowded(60, seed=1).town()
    placed = compute_positions(town, score_product(town, attention), attention.length)
    assert count_expected_matches(town, attention, placed) == pytest.approx(measured(town, placed, attention), rel=1e-5)


@given(pairs(), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_worth_is_the_derivative_by_the_looks_of_one_viewer(scored: Pairs, who: int, seed: int) -> None:
    """The town's matches are of second degree in them, so that a step each way gives it exactly."""
    town, rng = scored.town(), np.random.default_rng(seed)
    answers, viewers = CONGESTED.compute_inbox_examination(), np.arange(scored.people) == who
    looks, step = rng.uniform(0.2, 0.8, (2, len(town.pair)))
    step *= viewers[town.viewer] * 0.25

    def matched(at: NDArray[np.float64]) -> Float32Array:
        return compute_match_probabilities(town, (town.p_like * at).astype(np.float32), answers)

    liked = (town.p_like * looks).astype(np.float32)
    value = compute_marginal_values(town, liked, matched(looks), answers, viewers)
    difference = count_distinct_matches(town, matched(looks + step)) - count_distinct_matches(
        town, matched(looks - step)
    )
    assert difference == pytest.approx(2 * (value * step).sum(), abs=1e-5)
    assert not value[~viewers[town.viewer]].any()


@given(pairs(one_sided=True))
def test_turns_of_one_never_lose_a_match(scored: Pairs) -> None:
    town = scored.town()
    scores = score_product(town, CONGESTED).copy()
    placed = compute_positions(town, scores, 3)
    for number in range(3):
        before = count_expected_matches(town, CONGESTED, placed)
        run_sweep(town, CONGESTED, scores, placed, number)
        assert count_expected_matches(town, CONGESTED, placed) >= before - 1e-5


def test_near_the_best_of_all_lists() -> None:
    """Four people, everybody shown to everybody: 12 towns, all 6^4 lists of each."""
    shares = []
    for seed in range(12):
        town = crowded(4, seed, share=1.0).town()
        best = max(
            count_expected_matches(town, CONGESTED, compute_positions(town, each, 3)) for each in _all_orders(town)
        )
        found = compute_positions(
            town, compute_best_response(town, CONGESTED, score_product(town, CONGESTED), sweeps=8), 3
        )
        shares.append(count_expected_matches(town, CONGESTED, found) / best)
    assert max(shares) <= 1 + 1e-6
    assert min(shares) > 0.97
    assert np.mean(shares) > 0.995


def _all_orders(town: MarketGraph) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    bounds = list(zip(town.list_start[:-1], town.list_start[1:], strict=True))
    found = []
    for orders in product(*(permutations(range(end - start)) for start, end in bounds)):
        scores = np.empty(len(town.pair), np.float32)
        scores[town.csr_index] = np.concatenate([np.array(order, float) for order in orders])
        found.append(scores)
    return found


def test_a_crowded_town_gains() -> None:
    """A quarter more matches than by product, in blocks too, where turns of one would take too long."""
    town, attention = crowded(300, seed=2).town(), AttentionModel("inv", length=20, inbox_weight=1)
    start = score_product(town, attention)
    gain = count_expected_matches(
        town, attention, compute_positions(town, compute_best_response(town, attention, start), 20)
    )
    assert gain > 1.25 * count_expected_matches(town, attention, compute_positions(town, start, 20))


def test_blocks_of_many_gain_nearly_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    town, attention = crowded(300, seed=2).town(), AttentionModel("inv", length=20, inbox_weight=1)
    start = score_product(town, attention)
    one_by_one = count_expected_matches(
        town, attention, compute_positions(town, compute_best_response(town, attention, start), 20)
    )
    monkeypatch.setattr(module, "MIN_PAIRS_PER_BLOCK", 0)
    in_blocks = count_expected_matches(
        town, attention, compute_positions(town, compute_best_response(town, attention, start), 20)
    )
    assert 0.985 * one_by_one < in_blocks < one_by_one * 1.005


def test_prices_keep_people_out_of_lists() -> None:
    town, attention = crowded(40, seed=3).town(), AttentionModel("inv", length=3, inbox_weight=1)
    scores = score_product(town, attention).copy()
    placed = compute_positions(town, scores, 3)
    star = int(np.argmax(np.bincount(town.candidate[placed >= 0])))
    run_sweep(town, attention, scores, placed, 0, prices=np.where(np.arange(40) == star, 2, 0).astype(np.float32))
    assert not (placed[town.candidate == star] >= 0).any()


def test_a_sweep_that_loses_matches_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all change at once they run from the stars together, and then back."""
    monkeypatch.setattr(module, "MIN_PAIRS_PER_BLOCK", 0)
    monkeypatch.setattr(module, "BLOCKS", 1)
    town, attention = crowded(100, seed=2, share=1.0).town(), AttentionModel("exp", length=10, inbox_weight=1)
    found, runs = compute_best_response(town, attention, score_product(town, attention), sweeps=2), []
    scores = score_product(town, attention).copy()
    placed = compute_positions(town, scores, 10)
    for number in range(2):
        runs.append(count_expected_matches(town, attention, placed))
        run_sweep(town, attention, scores, placed, number)
    runs.append(count_expected_matches(town, attention, placed))
    assert runs[2] < max(runs)
    assert count_expected_matches(town, attention, compute_positions(town, found, 10)) == max(runs)
