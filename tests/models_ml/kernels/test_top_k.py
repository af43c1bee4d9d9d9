"""The largest numbers of a row, beside sorting."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.kernels.top_k import STEP, TIE_BREAK_KEYS, find_top_k_threshold, keep_top_k

LEAST = -(2**63)


@given(
    st.lists(st.tuples(st.sampled_from([LEAST, -1, 0, 1, 2, 3, 2**63 - 1]), st.booleans()), max_size=36),
    st.integers(1, 40),
)
def test_as_by_sorting(row: list[tuple[int, bool]], most: int) -> None:
    numbers, there = np.array([each for each, _ in row], np.int64), np.array([is_there for _, is_there in row], bool)
    best = sorted((number for number, is_there in row if is_there), reverse=True)
    assert find_top_k_threshold(numbers, there, most) == (best[most - 1] if len(best) > most else LEAST)


def test_in_a_long_row() -> None:
    numbers = np.random.default_rng(1).permutation(10_000)
    there = np.ones(10_000, bool)
    assert [find_top_k_threshold(numbers, there, most) for most in (1, 300, 9_999)] == [9_999, 9_700, 1]


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_the_best_are_kept_and_equal_ones_by_masked_lot(seed: int, most: int) -> None:
    random = np.random.default_rng(seed)
    there = random.random((3, 12)) < 0.7
    steps = random.integers(-2, 3, (3, 12))
    mask, lot = random.integers(0, TIE_BREAK_KEYS, 3), random.choice(TIE_BREAK_KEYS, 12, replace=False)
    kept = there.copy()
    keep_top_k(kept, (steps * STEP).astype(np.float32), mask, lot, most)
    for row in range(3):
        best = sorted((steps[row, at], mask[row] ^ lot[at], at) for at in np.flatnonzero(there[row]))[-most:]
        assert np.flatnonzero(kept[row]).tolist() == sorted(at for _, _, at in best)
