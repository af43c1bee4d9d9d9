import numpy as np
import pytest

from models.ml.market.freshness import HALF_LIFE_DAYS, compute_freshness


def test_each_day_shown_costs_and_days_without_bring_back() -> None:
    shown = np.arange(1, 30)
    today = compute_freshness(shown, np.zeros(29, np.int64))
    assert today[0] == pytest.approx(0.8)
    assert (np.diff(today) < 0).all()
    assert today.min() > 0
    later = compute_freshness(shown, np.full(29, HALF_LIFE_DAYS))
    np.testing.assert_allclose(1 - later, (1 - today) / 2)
    assert (compute_freshness(shown, np.full(29, 200)) < 1).all()
