"""Best first, and equal ones by lot, beside sorting by numpy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.graph.ordering import draw_tie_break_key, encode_descending, sort_top_k
from tests.models_ml.market.scored import keys

SCORES = st.floats(width=32, allow_nan=False)
ROWS = st.lists(SCORES | st.sampled_from([-1.0, -0.0, 0.0, 0.5, 1.0]), min_size=1, max_size=60)


@given(SCORES, SCORES)
def test_integers_fall_as_scores_rise(one: float, other: float) -> None:
    first, second = encode_descending(np.float32(one)), encode_descending(np.float32(other))
    assert bool(first < second) is (one > other)
    assert bool(first == second) is (one == other)


@given(ROWS, st.integers(0, 70), st.integers(0, 2**32 - 1))
def test_the_best_are_first_and_equal_ones_by_lot(row: list[float], length: int, seed: int) -> None:
    """Beside numpy.lexsort, of some of the slots, in any order."""
    rng, scores = np.random.default_rng(seed), np.array(row, np.float32)
    other, all_keys = rng.permutation(len(row)).astype(np.int32), keys(len(row))
    slots = rng.permutation(len(row))[: rng.integers(len(row) + 1)].astype(np.int32)
    own = np.uint64(seed)
    lots = np.array([draw_tie_break_key(own, all_keys[each]) for each in other[slots]], np.uint64)
    expected = slots[np.lexsort((lots, -scores[slots]))][:length]
    np.testing.assert_array_equal(sort_top_k(slots, scores, length, own, other, all_keys), expected)


def test_of_many() -> None:
    scores = np.random.default_rng(1).permutation(10_000).astype(np.float32)
    slots, one = np.arange(10_000, dtype=np.int32), np.uint64(1)
    for length in (1, 300, 9_999, 10_000):
        found = sort_top_k(slots, scores, length, one, slots, keys(10_000))
        np.testing.assert_array_equal(found, np.argsort(-scores)[:length])
