"""Exposure: nobody is looked at far more than others, nobody is left out, at the least cost in matches."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int32Array
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.exposure.swaps import swap_into_bounds
from models.ml.market.graph.inbox import compute_marginal_values, compute_match_probabilities
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_like_probabilities, compute_positions
from models.ml.market.policies.best_response import count_expected_matches, run_sweep

# Matches a look, for each mean's worth of looks above the cap, added every sweep.
PRICE_STEP = 0.02
PRICE_SWEEPS = 3
# Swaps are chosen by what a look was worth before any of the round was made.
SWAP_ROUNDS = 6


@dataclass(frozen=True)
class ExposureResult:
    """Lists that keep exposure within bounds, and what that costs.

    `positions` int32 (n,) by slot is each pair's place from 0, -1 if not listed; `exposure`, float64 (people,), each
    person's expected views; `low` and `high`, float64 (people,), the bounds that were asked of them. `cost_of_cap` and
    `cost_of_floor` are shares of the expected matches, 0.01 for one in a hundred, and may come out below 0.
    """

    positions: Int32Array
    exposure: Float64Array
    low: Float64Array
    high: Float64Array
    cost_of_cap: float
    cost_of_floor: float

    @property
    def violation_count(self) -> int:
        """The number of people whose views are outside the bounds all the same: no swap could help them."""
        return int((_find_shortfalls(self.exposure, self.low) | _find_shortfalls(-self.exposure, -self.high)).sum())


def compute_exposure(graph: MarketGraph, placed: Int32Array, examination: Float64Array) -> Float64Array:
    """How often each person can expect to be looked at in others' lists, float64 (people,)."""
    by_place = np.append(np.minimum(examination, 1), 0.0)
    return np.bincount(graph.candidate, by_place[placed], len(graph.keys)).astype(np.float64)


def bound_exposure(
    graph: MarketGraph, attention: AttentionModel, scores: Float32Array, cap: float = 1.5, floor: float = 0.0
) -> ExposureResult:
    """The lists by `scores`, float32 (n,) by slot, changed until views lie between `floor` and `cap` times their mean.

    The mean is over those whom anybody may be shown. The floor of somebody with few eligible viewers is their fair
    share at most: the views they had if each list were in random order. Who is over the cap is priced out in sweeps of
    best response, 0.02 matches a look for each mean of excess (the multiplier of a Lagrangian, by subgradient steps);
    what is left, and the floor, is settled by swaps of two candidates in one list, the cheapest first: prices alone
    leave people short, as a price moves all of a person's places or none.
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
    """Each person's views if all lists were in random order, float64 (people,)."""
    lengths = np.diff(graph.list_start)
    given = np.append(0.0, np.cumsum(examination))[np.minimum(lengths, len(examination))] / np.maximum(lengths, 1)
    return np.bincount(graph.candidate, given[graph.viewer], len(lengths)).astype(np.float64)


def _sweep_with_prices(
    graph: MarketGraph, attention: AttentionModel, scores: Float32Array, cap: float, mean: float
) -> Int32Array:
    """Lists after some sweeps in which looks at people over the cap have a price."""
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
    """Lists in which swaps have brought views within the bounds, as far as they can."""
    looks, everybody = np.minimum(attention.compute_list_examination(), 1), np.ones(len(low), bool)
    for _ in range(SWAP_ROUNDS):
        now = compute_exposure(graph, placed, looks)
        out = np.flatnonzero(_find_shortfalls(now, low) | _find_shortfalls(-now, -high))
        if not len(out):
            break
        liked = compute_like_probabilities(graph, placed, attention.compute_list_examination())
        value = compute_marginal_values(
            graph,
            liked,
            compute_match_probabilities(graph, liked, attention.compute_inbox_examination()),
            attention.compute_inbox_examination(),
            everybody,
        )
        # Who has the fewest viewers to choose from chooses first.
        out = out[np.lexsort((graph.keys[out], np.diff(graph.inbox_start)[out]))]
        placed = swap_into_bounds(graph, placed, value, out, now, low, high, looks)
    return placed


def _find_shortfalls(amount: Float64Array, least: Float64Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return amount < least - 1e-9
