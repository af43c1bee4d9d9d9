"""Who is in which arm: a salted hash of the unit, which stays the same while a share grows."""

import hashlib
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.experiments.design.experiment import Experiment, Unit
from models.ml.arrays import Float64Array, Int64Array
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.profiles.geography import name_cells

BUCKETS = 10_000
"""A layer is cut into so many equal parts; shares are rounded to them."""
NOT_IN_IT = -1


def make_unit_keys(unit: Unit, ids: Sequence[str], place: Float64Array, night: date) -> NDArray[np.object_]:
    """Return the key of each user's unit, str (n,): the profile id, the cell of the place, or the night.

    Args:
        unit: What is assigned as a whole.
        ids: Profile ids, (n,).
        place: Latitude and longitude in degrees, (n, 2); NaN if unknown.
        night: The UTC day of the publication.
    """
    if unit is Unit.person:
        return np.asarray(ids, object)
    if unit is Unit.region:
        return name_cells(place)
    return np.full(len(ids), night.isoformat(), object)


def assign_arms(experiment: Experiment, keys: NDArray[np.object_]) -> Int64Array:
    """Assign units to arms: the index of each unit's arm, int64 (n,), NOT_IN_IT for units that do not take part.

    A unit has one place in its layer, by a hash of the layer's name and its key. An experiment takes the units from
    `layer_start` on, so a larger share adds units and moves none. Within the experiment, a hash of the experiment's
    name and the key decides on the arm, whatever the share and the layer.

    Args:
        experiment: The experiment.
        keys: Keys of units, str (n,); equal keys get the same arm.
    """
    bucket = np.floor(BUCKETS * draw_uniform(f"layer {experiment.layer}", keys))
    first, end = (round(BUCKETS * edge) for edge in (experiment.layer_start, find_layer_end(experiment)))
    edges = np.cumsum([arm.share for arm in experiment.arms])[:-1]
    arm = np.searchsorted(edges, draw_uniform(f"experiment {experiment.name}", keys), side="right")
    return np.where((bucket >= first) & (bucket < end), arm, NOT_IN_IT).astype(np.int64)


def find_layer_end(experiment: Experiment) -> float:
    """Return where the experiment's part of its layer ends, above 0; more than 1 is no part of it."""
    return experiment.layer_start + experiment.share


def draw_uniform(salt: str, keys: NDArray[np.object_]) -> Float64Array:
    """Draw a number from 0 to below 1 for each key, float64 (n,): the same for the same salt and key, everywhere.

    Different salts give independent numbers.
    """
    digest = np.frombuffer(hashlib.blake2b(salt.encode(), digest_size=8).digest(), "<u8").astype(np.uint64)
    hashed = hash_splitmix64(pd.util.hash_array(keys) + hash_splitmix64(digest))
    return np.asarray((hashed >> np.uint64(11)) * 2.0**-53, np.float64)
