import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.outcomes.inequality import (
    compute_expected_exposure,
    compute_gini,
    compute_match_coverage,
    compute_top_share,
)
from tests.models_ml.market.enumeration import of_rows, outcomes

AMOUNTS = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=30).map(np.array)


def test_exposure_by_hand() -> None:
    candidate, position = np.array([1, 2, 0, 1, 3]), np.array([1, 2, 3, 4, 0])
    assert compute_expected_exposure(candidate, position, 5).tolist() == pytest.approx([1 / 3, 1.25, 0.5, 0, 0])
    assert compute_expected_exposure(candidate[:0], position[:0], 2).tolist() == [0, 0]


@given(AMOUNTS)
def test_gini_is_half_the_mean_difference_over_the_mean(amounts: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    difference = np.abs(amounts[:, None] - amounts[None, :]).mean()
    expected = difference / (2 * amounts.mean()) if amounts.any() else 0
    assert compute_gini(amounts) == pytest.approx(expected, abs=1e-9)


def test_the_share_of_the_top_by_hand() -> None:
    amounts = np.arange(1, 201)
    assert compute_top_share(amounts) == pytest.approx(399 / amounts.sum())
    assert compute_top_share(amounts, 1.0) == 1
    assert compute_top_share(np.array([2, 6])) == 0.75
    for nothing in (np.zeros(3), np.empty(0)):
        assert compute_top_share(nothing) == compute_gini(nothing) == 0


def test_match_coverage_is_exact_where_nobody_competes() -> None:
    """Each like is the only one in its inbox; users 3 and 4 are in no list."""
    rows = [(0, 1, 0.9, 0.8, 1), (1, 0, 0.8, 0.9, 1), (0, 2, 0.7, 0.6, 2), (3, 4, 1, 1, 0)]
    matched = sum(chance * len(set().union(*couples)) for chance, couples in outcomes(rows, [1, 0.5], [1]))
    assert compute_match_coverage(of_rows(rows), 5) == pytest.approx(matched / 5)
    assert compute_match_coverage(of_rows([]), 5) == 0
    assert compute_match_coverage(of_rows([]), 0) == 0
