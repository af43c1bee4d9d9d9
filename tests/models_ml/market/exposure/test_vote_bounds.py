"""The bound on places: it holds at every depth, by hand and at random, and costs nobody more than half of a list."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.exposure.vote_bounds import bound_positions
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.graph.ranked_lists import compute_positions
from tests.models_ml.market.scored import Pairs, crowded, of_chances, pairs


def on_lists(town: MarketGraph, placed: np.ndarray, depth: int) -> np.ndarray:
    return np.bincount(town.candidate[(placed >= 0) & (placed < depth)], minlength=len(town.keys))


def test_by_hand() -> None:
    """Three viewers like 3 best and 4 next; 3 may have the mean of first places, 1.5, so two."""
    chances = np.zeros((5, 5))
    chances[:3, 3], chances[:3, 4] = [0.9, 0.8, 0.7], 0.5
    town = of_chances(chances, chances > 0).town()
    placed = bound_positions(town, town.p_like, 2, np.ones(5))
    first = {(int(town.viewer[slot]), int(town.candidate[slot])) for slot in np.flatnonzero(placed == 0)}
    assert first == {(0, 3), (1, 3), (2, 4)}
    assert on_lists(town, placed, 2).tolist() == [0, 0, 0, 3, 3]


def test_the_bound_holds_at_the_first_place_among_the_first_five_and_in_all() -> None:
    town = crowded(300, seed=4, share=0.5).town()
    before = compute_positions(town, town.p_like, 20)
    allowance = np.full(300, 2.0)
    placed = bound_positions(town, town.p_like, 20, allowance)
    for depth in (1, 5, 20):
        mean = on_lists(town, before, depth).mean()
        assert on_lists(town, before, depth).max() > 3 * mean
        assert on_lists(town, placed, depth).max() <= 2 * mean + 0.5


@given(pairs(), st.integers(1, 6))
def test_an_ample_allowance_changes_nobody_s_candidates(made: Pairs, length: int) -> None:
    town = made.town()
    placed = bound_positions(town, town.p_like, length, np.full(made.people, 1e6))
    for viewer in range(made.people):
        slots = np.flatnonzero(town.viewer == viewer)
        wanted = np.sort(town.p_like[slots])[::-1][:length]
        shown = slots[placed[slots] >= 0]
        assert town.p_like[shown[np.argsort(placed[shown])]].tolist() == wanted.tolist()


@given(pairs(), st.integers(1, 6))
def test_a_list_keeps_half_of_its_length_and_has_no_gap(made: Pairs, length: int) -> None:
    town = made.town()
    placed = bound_positions(town, town.p_like, length, np.ones(made.people))
    for viewer in range(made.people):
        own = placed[town.viewer == viewer]
        shown = np.sort(own[own >= 0])
        assert shown.tolist() == list(range(len(shown)))
        assert 2 * len(shown) >= min(len(own), length)


@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(made: Pairs, random: "np.random.Generator") -> None:
    rows = np.array(random.sample(range(len(made.viewer)), len(made.viewer)), np.int64)  # type: ignore[attr-defined]

    def lists(of: Pairs) -> set[tuple[int, int, int]]:
        town = of.town()
        placed = bound_positions(town, town.p_like, 3, np.ones(of.people))
        return set(zip(town.viewer.tolist(), town.candidate.tolist(), placed.tolist(), strict=True))

    assert lists(made) == lists(made.taken(rows))
