import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.arrays import Float32Array, Float64Array, Int32Array
from models.ml.evaluation.monitoring.frontier import EVERYBODY, compute_frontier
from models.ml.market import AttentionModel, MarketGraph, build_market_graph
from models.ml.market.exposure.exposure_bounds import bound_exposure
from models.ml.market.graph.match_model import compute_marginal_values, compute_match_probabilities, sum_match_worth
from models.ml.market.graph.ranked_lists import compute_like_probabilities, compute_positions
from models.ml.market.outcomes.match_worth import compute_free_attention, compute_match_worth, multiply_by_attention
from models.ml.market.policies.policy_registry import POLICIES, score_best_response
from tests.models_ml.market.scored import Pairs, crowded, keys

TOLD = AttentionModel("inv", "inv", length=10)
SECRET = AttentionModel("inv", length=10, later_answers=5.0)


def draw_worth(scored: Pairs, seed: int = 0) -> Float32Array:
    """The same both ways, from 0 to 2."""
    worth = np.random.default_rng(seed).uniform(0, 2, (scored.people, scored.people))
    return ((worth + worth.T) / 2)[scored.viewer, scored.candidate].astype(np.float32)


def build(scored: Pairs, worth: Float32Array | None, pending: Float64Array | None = None) -> MarketGraph:
    pairs = (scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back)
    return build_market_graph(*pairs, keys(scored.people), pending, worth)


@pytest.mark.parametrize("attention", [TOLD, SECRET])
@pytest.mark.parametrize("policy", ["product", "best_response"])
def test_equal_worth_changes_no_bit(attention: AttentionModel, policy: str) -> None:
    scored = crowded(80, seed=3)
    plain, equal = (build(scored, worth) for worth in (None, np.ones(len(scored.viewer), np.float32)))
    assert np.array_equal(POLICIES[policy](plain, attention), POLICIES[policy](equal, attention))


@pytest.mark.parametrize("attention", [TOLD, SECRET])
def test_values_are_the_derivative_of_the_worth(attention: AttentionModel) -> None:
    scored = crowded(12, seed=1, share=0.7)
    pending = np.where(np.random.default_rng(0).random(len(scored.viewer)) < 0.1, 0.5, 0.0)
    graph = build(scored, draw_worth(scored), pending)
    placed = compute_positions(graph, graph.p_like, 3)
    examined = AttentionModel(
        attention.examination, attention.inbox, 3, attention.inbox_weight, attention.later_answers
    )
    likes = compute_like_probabilities(graph, placed, examined.compute_list_examination() / 2)
    values = compute_marginal_values(graph, examined, likes, np.ones(12, bool))

    def sum_worth(changed: Float32Array) -> float:
        matched = compute_match_probabilities(graph, examined, changed).astype(np.float64)
        if examined.later_answers is None:
            both = graph.reverse_edge >= 0
            matched[both] -= matched[both] * matched[graph.reverse_edge[both]] / 2
        return float(matched @ graph.match_worth)

    step = np.float32(0.01)
    for slot in np.flatnonzero(placed >= 0)[::3]:
        up, down = likes.copy(), likes.copy()
        up[slot] += step * graph.p_like[slot]
        down[slot] -= step * graph.p_like[slot]
        assert values[slot] == pytest.approx((sum_worth(up) - sum_worth(down)) / (2 * step), abs=2e-4)


@pytest.mark.parametrize("attention", [TOLD, SECRET])
def test_best_response_trades_matches_for_worth(attention: AttentionModel) -> None:
    scored = crowded(150, seed=4)
    plain, weighed = build(scored, None), build(scored, draw_worth(scored))
    lists = [compute_positions(weighed, score_best_response(each, attention), 10) for each in (plain, weighed)]
    indifferent, worthy = (sum_match_worth(weighed, attention, each) for each in lists)
    most, fewer = (sum_match_worth(plain, attention, each) for each in lists)
    assert worthy > 1.1 * indifferent
    assert fewer < most


def test_the_floor_of_exposure_holds_for_who_answers_least() -> None:
    scored = crowded(60, seed=5)
    silent = 7
    worth = np.where((scored.viewer == silent) | (scored.candidate == silent), 0.0, 1.0).astype(np.float32)
    graph = build(scored, worth)
    bounded = bound_exposure(graph, SECRET, score_best_response(graph, SECRET), np.inf, floor=0.5)
    assert bounded.exposure[silent] >= 0.999 * bounded.low[silent] > 0


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=20), st.floats(0, 1))
def test_worth_is_one_on_average(p_on: list[float], weight: float) -> None:
    worth = compute_match_worth(np.array(p_on), weight)
    assert worth.mean() == pytest.approx(1, rel=1e-5)
    assert worth.min() >= 1 - weight - 1e-6
    assert (np.diff(worth[np.argsort(p_on)]) >= 0).all()


def test_known_worth() -> None:
    assert compute_match_worth(np.array([0.2, 0.6]), 0.5).tolist() == pytest.approx([0.75, 1.25])
    assert compute_match_worth(np.zeros(3), 1.0).tolist() == [1, 1, 1]
    free = compute_free_attention(np.array([0, 10, 5]), 0.1)
    assert free.tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    viewer, candidate = np.array([0, 0, 1]), np.array([1, 2, 0])
    found = multiply_by_attention(None, free, viewer, candidate)
    assert found.tolist() == pytest.approx(np.array([1 / 2, 2 / 3, 1 / 2]) / np.mean([1 / 2, 2 / 3, 1 / 2]))
    assert multiply_by_attention(2 * np.ones(3, np.float32), free, viewer, candidate).tolist() == pytest.approx(
        2 * found
    )
    assert len(multiply_by_attention(None, free, viewer[:0], candidate[:0])) == 0


def test_the_frontier_gives_matches_for_lasting_ones() -> None:
    scored = crowded(150, seed=6)
    p_on, graph = draw_worth(scored) / 2, build(scored, None)
    groups = np.array(["woman", "man"], object)[np.arange(150) % 2]

    def make_positions(weighed: MarketGraph) -> Int32Array:
        return compute_positions(weighed, score_best_response(weighed, SECRET), 10)

    found = compute_frontier(graph, SECRET, p_on, groups, make_positions, (0.0, 0.5, 1.0))
    everybody = found[found["group"] == EVERYBODY]
    assert (everybody["users"] == 150).all()
    assert everybody["lasting"].is_monotonic_increasing
    assert everybody["matches"].is_monotonic_decreasing
    parts = found[found["group"] != EVERYBODY].groupby("weight")["lasting"].mean()
    assert parts.to_numpy() == pytest.approx(everybody["lasting"].to_numpy())
    plain = compute_like_probabilities(graph, make_positions(graph), SECRET.compute_list_examination())
    matched = compute_match_probabilities(graph, SECRET, plain)
    assert everybody["matches"].iloc[0] == pytest.approx(2 * matched.sum(dtype=np.float64) / 150)
