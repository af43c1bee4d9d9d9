"""The market policy by hand; its ties; and what any list must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market import LIST_LENGTH, rank_by_product
from models.ml.ties import mixed
from tests.models_ml.conftest import positions


def chances(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def test_a_town_by_hand() -> None:
    viewer, candidate = positions(1, 0, 0, 1, 0), positions(0, 1, 2, 2, 3)
    assert rank_by_product(viewer, candidate, chances(0.1, 0.2, 0.9, 0.3, 0.5)).tolist() == [2, 4, 1, 3, 0]


@pytest.mark.parametrize(("length", "rows"), [(1, [1, 4]), (2, [1, 2, 4]), (0, [])])
def test_lists_are_cut_at_their_length(length: int, rows: list[int]) -> None:
    viewer, candidate = positions(0, 0, 0, 0, 5), positions(1, 2, 3, 4, 1)
    assert rank_by_product(viewer, candidate, chances(0.1, 0.9, 0.8, 0.2, 0.01), length).tolist() == rows


def test_a_list_has_fifty_places() -> None:
    viewer = np.repeat([3, 4], [70, 20])
    ranked = rank_by_product(viewer, np.arange(90), np.linspace(0, 1, 90, dtype=np.float32))
    assert viewer[ranked].tolist() == [3] * LIST_LENGTH + [4] * 20
    assert ranked[:LIST_LENGTH].tolist() == list(range(69, 19, -1))


def test_nobody() -> None:
    assert rank_by_product(positions(), positions(), chances()).tolist() == []


def test_ties_are_settled_by_lot_and_always_the_same_way() -> None:
    """Each of 100 viewers has the same 100 candidates, all alike, and room for 10."""
    viewer, candidate = np.repeat(np.arange(100), 100), np.tile(np.arange(100), 100)
    alike = np.full(10_000, 0.5, np.float32)
    ranked = rank_by_product(viewer, candidate, alike, length=10)
    seen = np.bincount(candidate[ranked], minlength=100)
    # By chance 10 ± 3 each; by position the first ten would have all.
    assert seen.min() > 0
    assert seen.max() < 25
    assert np.corrcoef(candidate, np.isin(np.arange(10_000), ranked))[0, 1] == pytest.approx(0, abs=0.03)
    # The order in which the pairs come does not matter.
    turned = np.random.default_rng(1).permutation(10_000)
    again = turned[rank_by_product(viewer[turned], candidate[turned], alike, length=10)]
    np.testing.assert_array_equal(again, ranked)


def test_the_hash_is_that_of_splitmix64() -> None:
    """The finaliser of the generator's first states gives its published numbers for the seed 1234567."""
    weyl = np.uint64(0x9E3779B97F4A7C15)
    states = np.uint64(1234567) + weyl * np.arange(1, 4, dtype=np.uint64)
    assert mixed(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.sampled_from([0.0, 0.25, 0.5, 1.0])), max_size=60)


@given(rows, st.integers(0, 5))
def test_any_list_is_the_best_of_its_viewer_s_best_first(pairs: list[tuple[int, int, float]], length: int) -> None:
    table = np.array(pairs, float).reshape(-1, 3)
    viewer, candidate = table[:, :2].T.astype(np.int64)
    p_match = table[:, 2].astype(np.float32)
    ranked = rank_by_product(viewer, candidate, p_match, length)
    assert len(set(ranked.tolist())) == len(ranked)
    assert (np.diff(viewer[ranked]) >= 0).all()
    for who in set(viewer.tolist()):
        theirs = np.flatnonzero(viewer == who)
        best = sorted(p_match[theirs].tolist(), reverse=True)[:length]
        assert p_match[ranked[viewer[ranked] == who]].tolist() == best
