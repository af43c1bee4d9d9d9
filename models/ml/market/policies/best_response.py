"""Best response with externality: lists that bring matches without taking them from others."""

from collections.abc import Iterator

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Int32Array
from models.ml.kernels.jit import jit, parallel_ranges
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.match_model import compute_marginal_values, sum_match_worth
from models.ml.market.graph.ranked_lists import (
    compute_like_probabilities,
    compute_positions,
    update_like_probabilities,
    update_positions,
)

# Few viewers may change their lists at the same time; otherwise all move to the same candidates at once.
BLOCKS = 8
# Each block visits all pairs. A small market can have more blocks, down to one viewer each, up to this many visits.
MIN_PAIRS_PER_BLOCK = 10_000_000
SWEEPS = 3
# A sweep that adds less than this share of the matches is the last.
MIN_GAIN = 1e-4


def compute_best_response(
    graph: MarketGraph,
    attention: AttentionModel,
    start: Float32Array,
    sweeps: int = SWEEPS,
    blocks: int | None = None,
    viewers: BoolArray | None = None,
) -> Float32Array:
    """Compute scores, float32 (n,) by edge, whose lists maximise the expected distinct matches of all users.

    In turns, viewers sort by what an impression adds to the matches of all users (`compute_marginal_values`): where
    likes are told, their own match probability less the loss of weaker rivals in the same inbox. This is the best
    response to the lists of all others, so with turns of one viewer the total never falls. With larger blocks it may
    fall, and the best sweep counts.

    Where matches differ in worth (`MarketGraph.worth`), the worth of matches takes the place of their number.

    The objective is the social welfare of Su, Bayoumi & Joachims (WWW 2022), who maximise it by gradients over doubly
    stochastic matrices.

    Args:
        graph: The market graph.
        attention: The examination model.
        start: Scores of the first lists, float32 (n,) by edge.
        sweeps: The number of sweeps over all viewers, at most.
        blocks: The number of blocks of a sweep; None for as many as the size of the market allows.
        viewers: Whose lists are sorted, bool (people,), in answer to those of all others, which stay; None: all.
    """
    scores, placed = start.copy(), compute_positions(graph, start, attention.length)
    best, most = start, sum_match_worth(graph, attention, placed)
    for number in range(sweeps):
        run_sweep(graph, attention, scores, placed, number, blocks=blocks, viewers=viewers)
        now = sum_match_worth(graph, attention, placed)
        if now > most:
            best = scores.copy()
        if now < most * (1 + MIN_GAIN):
            break
        most = now
    return best


def run_sweep(
    graph: MarketGraph,
    attention: AttentionModel,
    scores: Float32Array,
    placed: Int32Array,
    number: int,
    prices: Float32Array | None = None,
    blocks: int | None = None,
    viewers: BoolArray | None = None,
) -> None:
    """Re-sort the list of each viewer once, in random blocks, writing to `scores` and `placed`.

    Args:
        graph: The market graph.
        attention: The examination model.
        scores: Score of each edge, float32 (n,), updated in place.
        placed: Index of each edge in its list, int32 (n,), -1 if not listed, updated in place.
        number: The number of the sweep, which seeds the order of the blocks.
        prices: Matches per impression to subtract from the scores of each candidate, float32 (people,).
        blocks: The number of blocks; None for as many as the size of the market allows.
        viewers: Whose lists are sorted, bool (people,); None: all.
    """
    looks = attention.compute_list_examination()
    liked = compute_like_probabilities(graph, placed, looks)
    for block in _iterate_blocks(graph, number, blocks, viewers):
        value = compute_marginal_values(graph, attention, liked, block)
        if prices is not None:
            value -= prices[graph.candidate]
        _copy_values(graph, value, block, scores)
        update_positions(graph, scores, block, attention.length, placed)
        update_like_probabilities(graph, placed, looks, block, liked)


def _copy_values(graph: MarketGraph, value: Float32Array, viewers: BoolArray, scores: Float32Array) -> None:
    """Write the values of some viewers' edges to their scores."""

    def copy_range(first: int, last: int) -> None:
        slots = slice(graph.inbox_start[first], graph.inbox_start[last])
        _copy_range(graph.viewer[slots], value[slots], viewers, scores[slots])

    parallel_ranges(copy_range, graph.inbox_start)


@jit
def _copy_range(viewer: Int32Array, value: Float32Array, viewers: BoolArray, scores: Float32Array) -> None:
    for slot in range(len(viewer)):
        if viewers[viewer[slot]]:
            scores[slot] = value[slot]


def _iterate_blocks(
    graph: MarketGraph, number: int, blocks: int | None, viewers: BoolArray | None
) -> Iterator[BoolArray]:
    """Yield blocks of viewers in random order, bool (people,) each."""
    has_list = np.diff(graph.list_start) > 0
    turns = np.flatnonzero(has_list if viewers is None else has_list & viewers)
    order = turns[np.argsort(hash_splitmix64(graph.keys[turns] + hash_splitmix64(np.full(1, number + 1, np.uint64))))]
    if blocks is None:
        blocks = max(BLOCKS, MIN_PAIRS_PER_BLOCK // max(len(graph.pair), 1))
    for block in np.array_split(order, min(blocks, len(order))) if len(order) else []:
        turn = np.zeros(len(graph.keys), bool)
        turn[block] = True
        yield turn
