import math

import numpy as np
import pytest

from models.ml.profiles.geography import EARTH_RADIUS_KM, compute_distance_km

DEGREE = EARTH_RADIUS_KM * math.pi / 180
"""Kilometres of one degree of a great circle."""


@pytest.mark.parametrize(
    ("place", "other", "km"),
    [
        ((52, 5), (52, 5), 0),
        ((52, 5), (53, 5), DEGREE),
        ((0, 179.5), (0, -179.5), DEGREE),
        ((90, 0), (90, 137), 0),
        ((60, 0), (60, 180), 60 * DEGREE),
        ((0, 0), (0, 180), 180 * DEGREE),
        ((90, 0), (-90, 0), 180 * DEGREE),
        ((48.8566, 2.3522), (52.3676, 4.9041), 429.861983446),  # Paris to Amsterdam
        ((np.nan, 5), (52, np.nan), np.nan),
    ],
)
def test_known_distances(place: tuple[float, float], other: tuple[float, float], km: float) -> None:
    there = compute_distance_km(np.array([place], float), np.array([other], float))
    assert there == pytest.approx([km], abs=1e-6, nan_ok=True)
    np.testing.assert_array_equal(compute_distance_km(np.array([other], float), np.array([place], float)), there)
