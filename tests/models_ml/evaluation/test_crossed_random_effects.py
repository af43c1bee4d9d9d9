"""Crossed random effects: the analysis of variance of full blocks, and exact expectations with holes."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.ml.arrays import Float64Array
from models.ml.evaluation.crossed_random_effects import CrossedDesign, build_design, estimate_components

# Who met whom, in up to two circles of people with holes anywhere.
holes = st.sets(st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=40)


def columns(cells: set[tuple[int, int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    circle, viewer, candidate = np.array(sorted(cells)).T
    return viewer, candidate, circle


def full(n_viewers: int, n_candidates: int) -> CrossedDesign:
    viewer, candidate = np.divmod(np.arange(n_viewers * n_candidates), n_candidates)
    return build_design(viewer, candidate, np.zeros(len(viewer)))


def variances(pairs: CrossedDesign, value: Float64Array) -> Float64Array:
    estimate: Float64Array = estimate_components(pairs, value, value)[0]
    return estimate


def test_a_full_block_is_the_analysis_of_variance() -> None:
    table = np.random.default_rng(1).normal(size=(6, 4)) + np.arange(6)[:, None] + np.arange(4) ** 2
    rows, cols, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    mean_square = ((table - rows[:, None] - cols + mean) ** 2).sum() / (5 * 3)
    of_rows, of_cols = 4 * ((rows - mean) ** 2).sum() / 5, 6 * ((cols - mean) ** 2).sum() / 3
    expected = [(of_rows - mean_square) / 4, (of_cols - mean_square) / 6, mean_square]
    assert variances(full(6, 4), table.ravel()) == pytest.approx(expected)


def test_viewers_who_differ_and_nothing_else_by_hand() -> None:
    """Three viewers at 1, 2 and 6: their variance is 7; nobody tells candidates apart."""
    assert variances(full(3, 2), np.repeat([1.0, 2.0, 6.0], 2)) == pytest.approx([7, 0, 0])
    assert variances(full(2, 3), np.tile([1.0, 2.0, 6.0], 2)) == pytest.approx([0, 7, 0])


@given(holes)
def test_whatever_is_missing_the_estimates_are_unbiased(cells: set[tuple[int, int, int]]) -> None:
    """A quadratic of independent effects of variance 1 has as expectation the sum over each effect alone."""
    pairs = build_design(*columns(cells))
    assume(np.isfinite(variances(pairs, np.zeros(len(cells)))).all())
    for code, expected in (
        (pairs.viewer, [1, 0, 0]),
        (pairs.candidate, [0, 1, 0]),
        (np.arange(len(cells)), [0, 0, 1]),
    ):
        alone = [variances(pairs, (code == each).astype(np.float64)) for each in range(code.max() + 1)]
        assert np.sum(alone, axis=0) == pytest.approx(expected, abs=1e-6)


def test_blocks_are_the_linked_people_of_a_circle() -> None:
    """Women 1 and 2 as viewers of men 8 and 9, the other way about, and the same women on another evening."""
    viewer = [1, 1, 2, 8, 9, 9, 1, 2]
    candidate = [8, 9, 9, 1, 1, 2, 7, 7]
    circle = [0, 0, 0, 0, 0, 0, 1, 1]
    block = build_design(viewer, candidate, circle).block
    assert [len(set(block[part])) for part in (slice(0, 3), slice(3, 6), slice(6, 8))] == [1, 1, 1]
    assert len(set(block)) == 3


@given(holes, st.integers(0, 99))
def test_what_blocks_differ_by_and_the_order_of_rows_change_nothing(
    cells: set[tuple[int, int, int]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    viewer, candidate, circle = columns(cells)
    value, order = random.normal(size=len(cells)), random.permutation(len(cells))
    pairs = build_design(viewer, candidate, circle)
    expected = pytest.approx(variances(pairs, value), abs=1e-6, nan_ok=True)
    assert variances(pairs, value + 10 * pairs.block) == expected
    shuffled = build_design(viewer[order].astype(str), candidate[order], circle[order] + 5)
    assert variances(shuffled, value[order]) == expected


def test_each_circle_is_left_out_in_turn() -> None:
    random = np.random.default_rng(2)
    viewer, candidate, circle = random.integers(0, 900, (3, 400)) % [[30], [30], [4]]
    kept = np.unique(np.column_stack([viewer, candidate, circle]), axis=0, return_index=True)[1]
    viewer, candidate, circle = viewer[kept], candidate[kept], circle[kept]
    one, other = random.normal(size=(2, len(kept)))
    all_and_without = estimate_components(build_design(viewer, candidate, circle), one, other)
    assert all_and_without.shape == (5, 3)
    for row, left_out in enumerate(dict.fromkeys(circle.tolist()), start=1):
        rest = circle != left_out
        alone = estimate_components(build_design(viewer[rest], candidate[rest], circle[rest]), one[rest], other[rest])[
            0
        ]
        assert all_and_without[row] == pytest.approx(alone)


def test_covariances_are_those_of_the_sum_and_the_difference() -> None:
    pairs = full(7, 5)
    one, other = np.random.default_rng(4).normal(size=(2, 35))
    polar = (variances(pairs, one + other) - variances(pairs, one - other)) / 4
    assert estimate_components(pairs, one, other)[0] == pytest.approx(polar)


def test_a_design_that_cannot_tell_says_so() -> None:
    for viewer, candidate in (([], []), ([1], [2]), ([1, 2, 3], [4, 5, 6]), ([1, 2], [3, 3]), ([1, 1], [2, 3])):
        pairs = build_design(viewer, candidate, np.zeros(len(viewer)))
        assert np.isnan(variances(pairs, np.arange(len(viewer), dtype=np.float64))).any()


def test_a_pair_decides_once() -> None:
    with pytest.raises(ValueError, match="1 of 3 pairs occur before in their circle"):
        build_design([1, 1, 2], [5, 5, 5], [0, 0, 0])
    assert len(build_design([1, 1], [5, 5], [0, 1]).block) == 2
