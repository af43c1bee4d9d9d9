"""Distances on the Earth."""

import numpy as np

from models.ml.arrays import Float64Array

EARTH_RADIUS_KM = 6371.0088


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
