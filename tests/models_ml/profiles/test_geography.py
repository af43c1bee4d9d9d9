import math

import numpy as np
import pytest

from models.ml.profiles.geography import EARTH_RADIUS_KM, NOWHERE, compute_distance_km, name_cells

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


def test_cells_are_about_equally_large_everywhere() -> None:
    rng = np.random.default_rng(1)
    latitude = np.degrees(np.arcsin(rng.uniform(-1, 1, 100_000)))  # uniform on the sphere
    cells = name_cells(np.column_stack([latitude, rng.uniform(-180, 180, len(latitude))]), cell_km=1000)
    counts = np.unique(cells, return_counts=True)[1]
    assert 450 < len(counts) < 570, "the Earth has 510 million square kilometres"
    assert np.std(counts) < 0.2 * counts.mean()


def test_a_cell_has_whoever_is_near_and_one_those_without_a_place() -> None:
    place = np.array([[52.52, 13.40], [52.50, 13.45], [52.52, -13.40], [np.nan, 13.40], [90, 0], [90, 180], [0, 180]])
    names = name_cells(place)
    assert names[0] == names[1] != names[2]
    assert names[3] == NOWHERE
    assert NOWHERE not in name_cells(place[4:6]), "poles are places"
    assert name_cells(place[6:]).tolist() == name_cells(np.array([[0.0, -180.0]])).tolist(), (
        "180 degrees east is 180 degrees west"
    )
