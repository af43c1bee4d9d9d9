"""Distances on the Earth."""

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Float64Array

EARTH_RADIUS_KM = 6371.0088
CELL_KM = 100.0
"""Height and mean width of a geographic cell: farther than most users look for others."""
NOWHERE = "nowhere"
"""The cell of users without a place."""


def compute_distance_km(place: Float64Array, other: Float64Array) -> Float64Array:
    """Compute the great-circle distance in km (haversine).

    The database's `matching.distance_km` uses the same formula.

    Args:
        place: Latitude and longitude in degrees, (..., 2).
        other: Latitude and longitude in degrees, (..., 2).

    Returns:
        Distances (...,); NaN if a place is unknown.
    """
    latitude, longitude = np.radians(place[..., 0]), np.radians(place[..., 1])
    other_latitude, other_longitude = np.radians(other[..., 0]), np.radians(other[..., 1])
    half_chord = (
        np.sin((other_latitude - latitude) / 2) ** 2
        + np.cos(latitude) * np.cos(other_latitude) * np.sin((other_longitude - longitude) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(half_chord))))


def convert_to_unit_vectors(place: Float64Array) -> Float64Array:
    """Convert latitude and longitude in degrees, (n, 2), to points on the unit sphere, (n, 3); NaN if unknown."""
    latitude, longitude = np.radians(place[:, 0]), np.radians(place[:, 1])
    across = np.cos(latitude)
    return np.column_stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)])


def compute_squared_chords(km: Float64Array) -> Float64Array:
    """Compute the squared chord of the unit sphere for distances in km; infinite from half the circumference on."""
    half_angle = km / (2 * EARTH_RADIUS_KM)
    chords = 4 * np.sin(np.minimum(half_angle, np.pi / 2)) ** 2
    return np.where(half_angle < np.pi / 2, chords, np.inf)


def name_cells(place: Float64Array, cell_km: float = CELL_KM) -> NDArray[np.object_]:
    """Name the geographic cell of each place, str (n,): the number of its band of latitude, and of its cell there.

    Bands are equally high. Each is cut into a whole number of cells, about as wide as high in the middle of the band,
    so cells everywhere have about the same area.

    Args:
        place: Latitude and longitude in degrees, (n, 2); NaN if unknown, which is the cell NOWHERE.
        cell_km: Height of a band, above 0.
    """
    known = ~np.isnan(place).any(axis=1)
    degrees = np.degrees(cell_km / EARTH_RADIUS_KM)
    band = np.floor((place[known, 0] + 90) / degrees)
    middle = np.radians((band + 0.5) * degrees - 90)
    cells = np.maximum(np.rint(360 * np.abs(np.cos(middle)) / degrees), 1)
    column = np.floor((place[known, 1] + 180) % 360 / 360 * cells)
    names = np.full(len(place), NOWHERE, object)
    names[known] = [f"{row:.0f}:{cell:.0f}" for row, cell in zip(band, column, strict=True)]
    return names
