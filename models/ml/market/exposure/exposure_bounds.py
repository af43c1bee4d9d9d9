"""Bounds on exposure, relative to its mean, at the least cost in matches."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int32Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.exposure.swaps import swap_into_bounds
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.match_model import compute_marginal_values, count_expected_matches
from models.ml.market.graph.ranked_lists import compute_like_probabilities, compute_positions
from models.ml.market.policies.best_response import run_sweep

# Price in matches per impression, added in each sweep for each multiple of the mean above the cap.
PRICE_STEP = 0.02
PRICE_SWEEPS = 3
# Swaps of one round use the values from before the round, so several rounds are needed.
SWAP_ROUNDS = 6


@dataclass(frozen=True)
class ExposureResult:
    """Lists with exposure within bounds, and the cost of the bounds.

    Attributes:
        positions: Index of each edge in its list, from 0, int32 (n,), -1 if not listed.
        exposure: Expected impressions of each user, float64 (people,).
        low: Lower bound of each user, float64 (people,).
        high: Upper bound of each user, float64 (people,).
        cost_of_cap: Share of the expected matches lost to the cap, 0.01 for 1 %; can be negative.
        cost_of_floor: Share of the expected matches lost to the floor; can be negative.
    """

    positions: Int32Array
    exposure: Float64Array
    low: Float64Array
    high: Float64Array
    cost_of_cap: float
    cost_of_floor: float

    @property
    def violation_count(self) -> int:
        """Number of users whose exposure is still out of bounds because no swap could move it."""
        return int((_find_shortfalls(self.exposure, self.low) | _find_shortfalls(-self.exposure, -self.high)).sum())


def compute_exposure(graph: MarketGraph, placed: Int32Array, examination: Float64Array) -> Float64Array:
    """Compute the expected impressions of each user in others' lists, float64 (people,)."""
    by_place = np.append(np.minimum(examination, 1), 0.0)
    return np.bincount(graph.candidate, by_place[placed], len(graph.keys)).astype(np.float64)


def bound_exposure(
    graph: MarketGraph, attention: AttentionModel, scores: Float32Array, cap: float = 1.5, floor: float = 0.0
) -> ExposureResult:
    """Build lists whose exposure lies between `floor` and `cap` times its mean.

    The mean is over users who are a candidate of at least one viewer. The lower bound of a user with few eligible
    viewers is at most their fair share: the exposure they would have if all lists were in random order.

    Users above the cap get a price in sweeps of best response: 0.02 matches per impression for each mean of excess, the
    multiplier of a Lagrangian, by subgradient steps. Swaps of two candidates in one list, the cheapest first, then
    settle the rest of the cap and the floor. Prices alone leave users short, as a price moves all positions of a user
    or none.

    Args:
        graph: The market graph.
        attention: The examination model.
        scores: Scores of the first lists, float32 (n,) by edge.
        cap: Upper bound, as a multiple of the mean.
        floor: Lower bound, as a multiple of the mean; 0 for none.
    """
    looks = np.minimum(attention.compute_list_examination(), 1)
    before = compute_positions(graph, scores, attention.length)
    shown = np.diff(graph.inbox_start) > 0
    mean = compute_exposure(graph, before, looks).sum() / max(shown.sum(), 1)
    high = np.full(len(shown), cap * mean)
    low = np.where(shown, np.minimum(floor * mean, _compute_random_exposure(graph, looks)), 0.0)
    capped = _swap_into_bounds(
        graph, attention, _sweep_with_prices(graph, attention, scores, cap, mean), np.zeros_like(low), high
    )
    shared = _swap_into_bounds(graph, attention, capped, low, high) if floor else capped
    total, after_cap, after_floor = (
        count_expected_matches(graph, attention, lists) for lists in (before, capped, shared)
    )
    costs = (total - after_cap, after_cap - after_floor) if total else (0.0, 0.0)
    return ExposureResult(
        shared, compute_exposure(graph, shared, looks), low, high, costs[0] / (total or 1), costs[1] / (total or 1)
    )


def _compute_random_exposure(graph: MarketGraph, examination: Float64Array) -> Float64Array:
    """Compute each user's exposure if all lists were in random order, float64 (people,)."""
    lengths = np.diff(graph.list_start)
    given = np.append(0.0, np.cumsum(examination))[np.minimum(lengths, len(examination))] / np.maximum(lengths, 1)
    return np.bincount(graph.candidate, given[graph.viewer], len(lengths)).astype(np.float64)


def _sweep_with_prices(
    graph: MarketGraph, attention: AttentionModel, scores: Float32Array, cap: float, mean: float
) -> Int32Array:
    """Return lists after sweeps in which impressions of users above the cap have a price."""
    scores, placed = scores.copy(), compute_positions(graph, scores, attention.length)
    prices = np.zeros(len(graph.keys), np.float32)
    for number in range(PRICE_SWEEPS):
        excess = compute_exposure(graph, placed, attention.compute_list_examination()) / (mean or 1) - cap
        prices = np.maximum(prices + PRICE_STEP * excess, 0).astype(np.float32)
        if not prices.any():
            break
        run_sweep(graph, attention, scores, placed, number, prices)
    return placed


def _swap_into_bounds(
    graph: MarketGraph, attention: AttentionModel, placed: Int32Array, low: Float64Array, high: Float64Array
) -> Int32Array:
    """Return lists in which swaps have brought exposure within the bounds, as far as possible."""
    looks, everybody = np.minimum(attention.compute_list_examination(), 1), np.ones(len(low), bool)
    for _ in range(SWAP_ROUNDS):
        now = compute_exposure(graph, placed, looks)
        out = np.flatnonzero(_find_shortfalls(now, low) | _find_shortfalls(-now, -high))
        if not len(out):
            break
        liked = compute_like_probabilities(graph, placed, attention.compute_list_examination())
        value = compute_marginal_values(graph, attention, liked, everybody)
        # Users with the fewest viewers come first, since they have the fewest possible swaps.
        out = out[np.lexsort((graph.keys[out], np.diff(graph.inbox_start)[out]))]
        placed = swap_into_bounds(graph, placed, value, out, now, low, high, looks)
    return placed


def _find_shortfalls(amount: Float64Array, least: Float64Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return amount < least - 1e-9
