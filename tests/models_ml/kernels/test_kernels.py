from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.ml.kernels.similarity import compute_cosines
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.kernels.top_k import STEP, TIE_BREAK_KEYS, find_top_k_threshold, keep_top_k
from tests.models_ml.conftest import positions


def test_every_number_of_half_precision_is_read_as_it_is() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    vectors = np.append(halves, np.float16(1))[:, None, None]
    ones = np.full(len(halves), len(halves))
    found = compute_cosines(vectors, 0, ones, np.arange(len(halves)), 0.0)
    np.testing.assert_array_equal(found, halves.astype(np.float32))


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_cosines_are_those_of_numpy_and_the_same_both_ways(kind: type[np.floating]) -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(0, 0.05, (20, 3, 384)).astype(kind)
    viewer, candidate = random.integers(0, 20, (2, 200))
    found = compute_cosines(vectors, 1, viewer, candidate, 0.5)
    expected = (vectors[viewer, 1].astype(float) * vectors[candidate, 1]).sum(axis=1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(compute_cosines(vectors, 1, candidate, viewer, 0.5), found)
    alone = [compute_cosines(vectors, 1, viewer[at : at + 1], candidate[at : at + 1], 0.5)[0] for at in range(200)]
    np.testing.assert_array_equal(alone, found)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_without_a_vector_the_cosine_is_the_default(kind: type[np.floating]) -> None:
    vectors = np.zeros((3, 1, 4), kind)
    vectors[1, 0, 3], vectors[2, 0, 2] = 1, 1
    found = compute_cosines(vectors, 0, positions(0, 0, 1, 1, 1), positions(0, 1, 0, 1, 2), 0.25)
    assert found.tolist() == [0.25, 0.25, 0.25, 1, 0]
    assert compute_cosines(np.zeros((2, 1, 0), kind), 0, positions(0), positions(1), 0.25).tolist() == [0.25]


def test_the_hash_gives_the_published_numbers_of_splitmix64() -> None:
    """Of its generator, whose first states of the seed 1234567 are multiples of the golden gamma."""
    states = np.uint64(1234567) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, 4, dtype=np.uint64)
    assert hash_splitmix64(states).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


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
