"""Swaps of neighbours: stored propensities are those of many redraws, and the bound on positions holds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.exposure.neighbour_swaps import find_allowed_swaps, swap_neighbours
from models.ml.market.exposure.vote_bounds import bound_positions, compute_caps
from models.ml.market.graph.ranked_lists import select_listed_pairs
from tests.models_ml.market.scored import SEEDS, crowded

DRAWS = 100_000
LENGTHS = [5, 1, 2, 4]
RATES = [0.3, 0.3, 1.0, 0.0]
BARRED = 2
"""The third row of the first list may not change places with the fourth."""


def make_lists(times: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """LENGTHS over and over: viewers, rates, and who may swap."""
    lengths = np.tile(LENGTHS, times)
    may_swap = np.ones(lengths.sum(), bool)
    may_swap[BARRED :: sum(LENGTHS)] = False
    return np.repeat(np.arange(len(lengths)), lengths), np.repeat(np.tile(RATES, times), lengths), may_swap


def test_propensities_are_those_of_many_redraws() -> None:
    """A hundred thousand redraws of four lists, at once: as all are alike, each is a draw of its own."""
    size = sum(LENGTHS)
    swapped = swap_neighbours(*make_lists(DRAWS), np.random.default_rng(1))
    stands = swapped.order.reshape(DRAWS, size) - np.arange(DRAWS)[:, None] * size
    told = swapped.propensity.reshape(DRAWS, size)
    for place in range(size):
        for candidate in np.unique(stands[:, place]):
            here = stands[:, place] == candidate
            (propensity,) = np.unique(told[here, place])
            error = np.sqrt(propensity * (1 - propensity) / DRAWS)
            assert abs(here.mean() - propensity) <= 4.5 * error + 1e-7, (place, candidate)
    assert np.unique(stands[:, 3]).tolist() == [3, 4], "the third and fourth are barred"
    assert (told[:, [5, 8, 9, 10, 11]] == 1).all(), "lists of one, and those without a rate, are as they were"


def test_the_propensities_of_a_place_by_hand() -> None:
    """Each place of one list, by who stands there: 1 - r / 2 at the ends, 1 - r within, r / 2 for a neighbour."""
    rows = np.zeros(3, np.int64)
    for seed in range(20):
        swapped = swap_neighbours(rows, np.full(3, 0.2), np.ones(3, bool), np.random.default_rng(seed))
        expected = np.where(swapped.order == np.arange(3), [0.9, 0.8, 0.9], 0.1)
        np.testing.assert_allclose(swapped.propensity, expected, rtol=1e-6)


@given(st.lists(st.integers(1, 9), max_size=6), st.floats(0, 1), SEEDS)
def test_lists_keep_their_candidates_who_move_by_one(lengths: list[int], rate: float, seed: int) -> None:
    viewer = np.repeat(np.arange(len(lengths)), lengths)
    swapped = swap_neighbours(
        viewer, np.full(len(viewer), rate), np.ones(len(viewer), bool), np.random.default_rng(seed)
    )
    assert sorted(swapped.order.tolist()) == list(range(len(viewer)))
    assert np.array_equal(viewer[swapped.order], viewer)
    assert (np.abs(swapped.order - np.arange(len(viewer))) <= 1).all()
    assert ((swapped.propensity > 0) & (swapped.propensity <= 1)).all()


def test_swaps_keep_the_bound_on_positions() -> None:
    """Without the rule the same swaps break it."""
    graph, length, allowance = crowded(300, seed=4, share=0.5).graph(), 20, np.full(300, 2.0)
    listed = select_listed_pairs(graph, bound_positions(graph, graph.p_like, length, allowance))
    edge = np.argsort(graph.pair)[listed]
    viewer, candidate = graph.viewer[edge].astype(np.int64), graph.candidate[edge].astype(np.int64)
    depths, caps = compute_caps(graph, length, allowance)
    index = np.concatenate([np.arange(count) for count in np.bincount(viewer)])

    def count_violations(may_swap: np.ndarray) -> int:
        order = swap_neighbours(viewer, np.ones(len(viewer)), may_swap, np.random.default_rng(2)).order
        shown = [np.bincount(candidate[order][index < depth], minlength=300) for depth in depths]
        return int((np.column_stack(shown) > caps).sum())

    allowed = find_allowed_swaps(graph, viewer, candidate, length, allowance)
    assert allowed.mean() > 0.9
    assert count_violations(allowed) == 0
    assert count_violations(np.ones(len(viewer), bool)) > 0
