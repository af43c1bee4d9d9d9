import numpy as np

from models.ml.market.attention.freshness import FATIGUE, RECOVERY_DAYS, compute_freshness


def test_a_card_steps_back_with_each_day_shown_and_recovers() -> None:
    shown, since = np.array([0, 1, 2, 1, 3]), np.array([0.0, 0, 0, RECOVERY_DAYS, 1e6])
    np.testing.assert_allclose(compute_freshness(shown, since), [1, FATIGUE, FATIGUE**2, FATIGUE**0.5, 1])
