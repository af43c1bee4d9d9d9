import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.ml.arrays import Float64Array, Int32Array
from models.ml.market import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.match_model import count_expected_matches
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.transferable_utility import compute_transferable_utility
from models.ml.market.two_sided import build_two_sided_graph
from tests.models_ml.market.scored import Pairs, crowded, pairs


def test_the_marginals_hold() -> None:
    """With the scores' B, and the A that follows, everybody's masses add up to 1, being alone included."""
    like, back = np.random.default_rng(0).random((2, 6, 4))
    graph = build_two_sided_graph(like, back)
    scores = np.empty((6, 4))
    scores[graph.viewer, graph.candidate - 6] = compute_transferable_utility(graph, beta=0.5, iterations=1000)
    k = np.exp((like + back) / (2 * 0.5))
    b = (np.exp(scores) / k)[0]
    s = k @ b
    a = np.sqrt(1 + (s / 2) ** 2) - s / 2
    mass = a[:, None] * k * b
    np.testing.assert_allclose(a**2 + mass.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(b**2 + mass.sum(axis=0), 1, atol=1e-3)


def compute_plainly(graph: MarketGraph, beta: float, iterations: int) -> Float64Array:
    """The same scores by numpy, in logarithms throughout."""

    def fit(person: Int32Array, log_products: Float64Array) -> Float64Array:
        log_sum = np.full(len(graph.keys), -np.inf)
        np.logaddexp.at(log_sum, person, log_products)
        return np.where(log_sum < 30, -np.arcsinh(np.exp(np.minimum(log_sum, 30)) / 2), -log_sum)

    log_k = (graph.p_like.astype(float) + graph.p_liked_back) / (2 * beta)
    log_b = np.zeros(len(graph.keys))
    for _ in range(iterations):
        log_a = fit(graph.viewer, log_k + log_b[graph.candidate])
        log_b = fit(graph.candidate, log_k + log_a[graph.viewer])
    return np.asarray(log_k + log_b[graph.candidate])


# A chance of 1 beside chances of 0: K goes below what single precision holds.
FAR_APART = Pairs(
    np.array([0, 0, 0, 2, 3]),
    np.array([1, 2, 3, 3, 1]),
    np.array([0, 0, 0, 0, 1], np.float32),
    np.array([0, 0, 0, 1, 1], np.float32),
    4,
)


@example(FAR_APART, 1e-2, 1)
@given(pairs(), st.sampled_from([1e-3, 1e-2, 0.1, 1.0, 1e6]), st.integers(1, 9))
def test_scores_are_those_of_plain_logarithms(scored: Pairs, beta: float, iterations: int) -> None:
    graph = scored.graph()
    found = compute_transferable_utility(graph, beta, iterations)
    np.testing.assert_allclose(found, compute_plainly(graph, beta, iterations), atol=1e-3, rtol=1e-6)
    assert np.isfinite(compute_transferable_utility(graph, beta=1e-30)).all()


def test_scores_on_threads_are_those_of_plain_logarithms() -> None:
    """Above 200,000 pairs users are shared out. Scores reach 30, where single precision has steps of 2e-6."""
    graph = crowded(700, seed=2, share=0.5).graph()
    found, expected = compute_transferable_utility(graph, 0.03, 20), compute_plainly(graph, 0.03, 20)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    differ = compute_positions(graph, found, 50) != compute_positions(graph, expected.astype(np.float32), 50)
    assert differ.mean() < 1e-4


def test_matches_of_a_published_market() -> None:
    """random, inv, lambda 0, n = 100, seed 621: 200.3 matches in 1,000 simulated runs."""
    rng = np.random.RandomState(621)
    like = rng.uniform(0, 1, (150, 100))
    graph = build_two_sided_graph(like, rng.uniform(0, 1, (100, 150)).T)
    placed = compute_positions(graph, compute_transferable_utility(graph), 100)
    matches = count_expected_matches(graph, AttentionModel("inv", length=100, inbox_weight=1), placed)
    assert matches == pytest.approx(200.3, abs=0.5)
