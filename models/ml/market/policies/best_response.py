"""Best response with externality: lists that bring matches without taking them from others."""

from collections.abc import Iterator

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Int32Array
from models.ml.kernels.jit import jit, parallel_ranges
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.graph.inbox import compute_marginal_values, compute_match_probabilities, count_distinct_matches
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import (
    compute_like_probabilities,
    compute_positions,
    update_like_probabilities,
    update_positions,
)

# Viewers whose lists change at the same time must be few, or all run to the same people at once.
BLOCKS = 8
# In a small market a pass is so cheap that viewers can take turns one by one: pairs looked at in a sweep, at most.
MIN_PAIRS_PER_BLOCK = 10_000_000
SWEEPS = 3
# A sweep that adds less than this share is the last.
MIN_GAIN = 1e-4


def compute_best_response(
    graph: MarketGraph, attention: AttentionModel, start: Float32Array, sweeps: int = SWEEPS
) -> Float32Array:
    """Scores of pairs, float32 (n,) by slot, whose lists bring the town many expected distinct matches.

    Viewers sort, in turns, by what a look at a candidate adds to the matches of the whole town: the own chance less
    the loss of weaker rivals in the same inbox (`compute_marginal_values`). That is the best answer to the lists of all
    others, so with turns of one viewer the town's matches never fall; with larger blocks they may, and the best sweep
    counts. It begins with the lists by `start`, float32 (n,). What is climbed is the social welfare of Su, Bayoumi &
    Joachims (WWW 2022), who climb it by gradients over doubly stochastic matrices.
    """
    scores, placed = start.copy(), compute_positions(graph, start, attention.length)
    best, most = start, count_expected_matches(graph, attention, placed)
    for number in range(sweeps):
        run_sweep(graph, attention, scores, placed, number)
        now = count_expected_matches(graph, attention, placed)
        if now > most:
            best = scores.copy()
        if now < most * (1 + MIN_GAIN):
            break
        most = now
    return best


def count_expected_matches(graph: MarketGraph, attention: AttentionModel, placed: Int32Array) -> float:
    """The distinct matches that lists can expect, with the inbox hedged as `attention` says."""
    return count_distinct_matches(
        graph,
        compute_match_probabilities(
            graph,
            compute_like_probabilities(graph, placed, attention.compute_list_examination()),
            attention.compute_inbox_examination(),
        ),
    )


def run_sweep(
    graph: MarketGraph,
    attention: AttentionModel,
    scores: Float32Array,
    placed: Int32Array,
    number: int,
    prices: Float32Array | None = None,
) -> None:
    """Let everybody sort anew once, in random blocks, another order each `number`; writes to `scores` and `placed`.

    `prices`, float32 (people,), in matches a look, are taken off the scores of candidates.
    """
    looks, answers = attention.compute_list_examination(), attention.compute_inbox_examination()
    liked = compute_like_probabilities(graph, placed, looks)
    for viewers in _iterate_blocks(graph, number):
        value = compute_marginal_values(
            graph, liked, compute_match_probabilities(graph, liked, answers), answers, viewers
        )
        if prices is not None:
            value -= prices[graph.candidate]
        _copy_values(graph, value, viewers, scores)
        update_positions(graph, scores, viewers, attention.length, placed)
        update_like_probabilities(graph, placed, looks, viewers, liked)


def _copy_values(graph: MarketGraph, value: Float32Array, viewers: BoolArray, scores: Float32Array) -> None:
    """Write the values of some viewers' pairs to their scores."""

    def copy_range(first: int, last: int) -> None:
        slots = slice(graph.inbox_start[first], graph.inbox_start[last])
        _copy_range(graph.viewer[slots], value[slots], viewers, scores[slots])

    parallel_ranges(copy_range, graph.inbox_start)


@jit
def _copy_range(viewer: Int32Array, value: Float32Array, viewers: BoolArray, scores: Float32Array) -> None:
    for slot in range(len(viewer)):
        if viewers[viewer[slot]]:
            scores[slot] = value[slot]


def _iterate_blocks(graph: MarketGraph, number: int) -> Iterator[BoolArray]:
    """Blocks of viewers in random order: bool (people,) each."""
    viewers = np.flatnonzero(np.diff(graph.list_start))
    order = viewers[
        np.argsort(hash_splitmix64(graph.keys[viewers] + hash_splitmix64(np.full(1, number + 1, np.uint64))))
    ]
    blocks = max(BLOCKS, MIN_PAIRS_PER_BLOCK // max(len(graph.pair), 1))
    for block in np.array_split(order, min(blocks, len(order))) if len(order) else []:
        turn = np.zeros(len(graph.keys), bool)
        turn[block] = True
        yield turn
