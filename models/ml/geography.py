"""Distances on the globe."""

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_KM = 6371.0088


def distance_km(place: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
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
