"""The permutation baseline: what is reached if profiles have nothing to do with decisions."""

from dataclasses import replace

import numpy as np

from models.ml.arrays import Int64Array
from models.ml.profiles.profile_matrix import ProfileMatrix


def shuffle_profiles(people: ProfileMatrix, gender: Int64Array, seed: int) -> ProfileMatrix:
    """Give each user the profile of a random user of the same gender, int64 (people,); ids stay.

    Decisions refer to users by index and stay, so histories remain true.
    """
    lot = np.random.default_rng(seed).random(len(people))
    place, taken = np.argsort(gender, kind="stable"), np.lexsort((lot, gender))
    owner = np.empty(len(people), np.int64)
    owner[place] = taken
    profiles = {name: array[owner] for name, array in vars(people).items() if name != "ids"}
    return replace(people, **profiles)
