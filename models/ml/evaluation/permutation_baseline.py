"""The null of shuffled profiles: what is reached when what profiles say has nothing to do with who liked whom."""

from dataclasses import replace

import numpy as np

from models.ml.arrays import Int64Array
from models.ml.profiles.profile_matrix import ProfileMatrix


def shuffle_profiles(people: ProfileMatrix, gender: Int64Array, seed: int) -> ProfileMatrix:
    """The same people, each with the profile of a random one of the same gender (int64 (people,)); ids stay.

    Decisions name people by position, so they stay where they are: what is known of likes is as true as before.
    """
    lot = np.random.default_rng(seed).random(len(people))
    place, taken = np.argsort(gender, kind="stable"), np.lexsort((lot, gender))
    owner = np.empty(len(people), np.int64)
    owner[place] = taken
    profiles = {name: array[owner] for name, array in vars(people).items() if name != "ids"}
    return replace(people, **profiles)
