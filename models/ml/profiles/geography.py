"""Distances on the globe."""

import numpy as np

from models.ml.arrays import Float64Array

EARTH_RADIUS_KM = 6371.0088


def compute_distance_km(place: Float64Array, other: Float64Array) -> Float64Array:
    """Great-circle distance in km (haversine); `place` and `other` are (…, 2) latitude, longitude in degrees.

    NaN where a place is unknown. The database's `matching.distance_km` is the same formula.
    """
    latitude, longitude = np.radians(place[..., 0]), np.radians(place[..., 1])
    other_latitude, other_longitude = np.radians(other[..., 0]), np.radians(other[..., 1])
    half_chord = (
        np.sin((other_latitude - latitude) / 2) ** 2
        + np.cos(latitude) * np.cos(other_latitude) * np.sin((other_longitude - longitude) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(half_chord))))


def convert_to_unit_vectors(place: Float64Array) -> Float64Array:
    """Places (n, 2), latitude and longitude in degrees, as points of a unit sphere, (n, 3); NaN where unknown."""
    latitude, longitude = np.radians(place[:, 0]), np.radians(place[:, 1])
    across = np.cos(latitude)
    return np.column_stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)])


def compute_squared_chords(km: Float64Array) -> Float64Array:
    """The squared distance through the unit sphere of points so many km apart; infinite from half the globe on."""
    half_angle = km / (2 * EARTH_RADIUS_KM)
    chords = 4 * np.sin(np.minimum(half_angle, np.pi / 2)) ** 2
    return np.where(half_angle < np.pi / 2, chords, np.inf)
