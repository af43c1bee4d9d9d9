"""Distances on the globe, by known answers."""

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
        ((48.8566, 2.3522), (52.3676, 4.9041), 429.861983446),
    ],
    ids=["same", "a degree", "date line", "pole", "over the pole", "antipodes", "poles", "Paris to Amsterdam"],
)
def test_known_distances(place: tuple[float, float], other: tuple[float, float], km: float) -> None:
    there = compute_distance_km(np.array([place], float), np.array([other], float))
    assert there == pytest.approx([km], abs=1e-6)
    np.testing.assert_array_equal(compute_distance_km(np.array([other], float), np.array([place], float)), there)


def test_an_unknown_place_is_at_no_distance() -> None:
    places = np.array([[52, 5], [np.nan, 5], [52, np.nan], [52, 5]])
    assert np.isnan(compute_distance_km(places, places[::-1])).tolist() == [False, True, True, False]
    assert compute_distance_km(places[:0], places[:0]).shape == (0,)
