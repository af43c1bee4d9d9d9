"""Transferable utility: the equations it solves, the ends of beta, and the published markets' order."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.ml.arrays import Float64Array, Int32Array
from models.ml.market import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.best_response import count_expected_matches
from models.ml.market.policies.policy_registry import BETAS
from models.ml.market.policies.transferable_utility import MAX_ITERATIONS, compute_transferable_utility
from models.ml.market.two_sided import build_two_sided_graph, sort_receivers
from tests.models_ml.market.scored import Pairs, crowded, pairs


def test_the_marginals_hold() -> None:
    """With the scores' B, and the A that follows, everybody's masses add up to 1, being alone included."""
    like, back = np.random.default_rng(0).random((2, 6, 4))
    town = build_two_sided_graph(like, back)
    scores = np.empty((6, 4))
    scores[town.viewer, town.candidate - 6] = compute_transferable_utility(town, beta=0.5, iterations=1000)
    k = np.exp((like + back) / (2 * 0.5))
    b = (np.exp(scores) / k)[0]
    s = k @ b
    a = np.sqrt(1 + (s / 2) ** 2) - s / 2
    mass = a[:, None] * k * b
    np.testing.assert_allclose(a**2 + mass.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(b**2 + mass.sum(axis=0), 1, atol=1e-3)


def test_a_small_beta_matches_the_best_couples() -> None:
    """Of the two ways to make two couples, 0.9 + 0.6 is more than 1.0 + 0.2, though both would have the first."""
    both = np.array([[1.0, 0.9], [0.6, 0.2]])
    town = build_two_sided_graph(both, both)
    assert sort_receivers(town, compute_transferable_utility(town, beta=1e-2), both.shape)[:, 0].tolist() == [1, 0]


def test_a_large_beta_shares_out_by_room_alone() -> None:
    town = crowded(30, seed=1).town()
    assert np.ptp(compute_transferable_utility(town, beta=1e6)[town.candidate == 3]) < 1e-5


def plain(town: MarketGraph, beta: float, iterations: int) -> Float64Array:
    """The same scores by numpy, in logarithms throughout."""

    def fitted(person: Int32Array, log_products: Float64Array) -> Float64Array:
        log_sum = np.full(len(town.keys), -np.inf)
        np.logaddexp.at(log_sum, person, log_products)
        return np.where(log_sum < 30, -np.arcsinh(np.exp(np.minimum(log_sum, 30)) / 2), -log_sum)

    log_k = (town.p_like.astype(float) + town.p_liked_back) / (2 * beta)
    log_b = np.zeros(len(town.keys))
    for _ in range(iterations):
        log_a = fitted(town.viewer, log_k + log_b[town.candidate])
        log_b = fitted(town.candidate, log_k + log_a[town.viewer])
    return np.asarray(log_k + log_b[town.candidate])


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
def test_as_by_plain_logarithms(scored: Pairs, beta: float, iterations: int) -> None:
    town = scored.town()
    found = compute_transferable_utility(town, beta, iterations)
    np.testing.assert_allclose(found, plain(town, beta, iterations), atol=1e-3, rtol=1e-6)


@pytest.mark.parametrize("beta", BETAS)
def test_on_threads_the_scores_are_as_by_plain_logarithms(beta: float) -> None:
    """Above 200,000 pairs the people are shared out. Scores reach 30, where single precision has steps of 2e-6."""
    town = crowded(700, seed=2, share=0.5).town()
    found, by_hand = compute_transferable_utility(town, beta), plain(town, beta, MAX_ITERATIONS)
    np.testing.assert_allclose(found, by_hand, rtol=0, atol=1e-5)
    differ = compute_positions(town, found, 50) != compute_positions(town, by_hand.astype(np.float32), 50)
    assert differ.mean() < 1e-4


@given(pairs(), st.sampled_from([1e-30, 1e-3, 1e-2, 1.0, 1e6]))
def test_any_beta_gives_numbers(scored: Pairs, beta: float) -> None:
    assert np.isfinite(compute_transferable_utility(scored.town(), beta)).all()


def test_the_published_order_of_the_first_cell() -> None:
    """random, inv, lambda 0, n = 100, seed 621: 200.3 matches in 1,000 runs; here without the lots."""
    rng = np.random.RandomState(621)
    like = rng.uniform(0, 1, (150, 100))
    town = build_two_sided_graph(like, rng.uniform(0, 1, (100, 150)).T)
    placed = compute_positions(town, compute_transferable_utility(town), 100)
    assert count_expected_matches(town, AttentionModel("inv", length=100, inbox_weight=1), placed) == pytest.approx(
        200.3, abs=0.5
    )
