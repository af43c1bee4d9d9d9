from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.ml.kernels.top_k import STEP, TIE_BREAK_KEYS, find_top_k_threshold, keep_top_k

EXTREMES = st.sampled_from([-(2**63), -1, 0, 1, 2, 3, 2**63 - 1])
SCORES = st.one_of(st.sampled_from([-0.0, 0.0, 0.5, 1.0]), st.floats(width=32, allow_nan=False))
ROWS = st.one_of(st.lists(EXTREMES, min_size=1, max_size=36), st.lists(SCORES, min_size=1, max_size=36))


@given(ROWS, st.data())
def test_the_threshold_is_that_of_sorting(row: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(row)))
    values: NDArray[Any] = np.array(row, np.int64 if isinstance(row[0], int) else np.float32)
    assert find_top_k_threshold(values, k) == np.sort(values)[-k]


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_the_best_are_kept_and_equal_ones_by_masked_key(seed: int, most: int) -> None:
    random = np.random.default_rng(seed)
    there = random.random((3, 12)) < 0.7
    steps = random.integers(-2, 3, (3, 12))
    mask, key = random.integers(0, TIE_BREAK_KEYS, 3), random.choice(TIE_BREAK_KEYS, 12, replace=False)
    kept = there.copy()
    keep_top_k(kept, (steps * STEP).astype(np.float32), mask, key, most)
    for row in range(3):
        best = sorted((steps[row, at], mask[row] ^ key[at], at) for at in np.flatnonzero(there[row]))[-most:]
        assert np.flatnonzero(kept[row]).tolist() == sorted(at for _, _, at in best)
