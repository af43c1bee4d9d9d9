"""Luck that does not depend on the order of events: uniform numbers from hashes of who meets whom.

Two arms of a simulation share people and luck: whether someone likes someone else is settled before any list is made.
"""

import numpy as np
from numpy.typing import NDArray

from models.ml.arrays import Float64Array
from models.ml.kernels.tie_breaking import hash_splitmix64

OPENING, BUDGET, CLOCK, LIKING, INBOX = range(1, 6)
"""What a number is drawn for; each purpose has numbers of its own."""

GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def draw_uniform(seed: int, purpose: int, *keys: NDArray[np.integer] | int) -> Float64Array:
    """Draw a number in (0, 1) for each combination of keys, (k,), by SplitMix64 (Steele, Lea & Flood 2014)."""
    words = np.broadcast_arrays(np.uint64(seed), np.uint64(purpose), *(np.asarray(key, np.uint64) for key in keys))
    state = np.zeros(words[0].shape, np.uint64)
    for word in words:
        state = hash_splitmix64(state + word + GOLDEN_GAMMA)
    return np.asarray(((state >> np.uint64(11)) + 0.5) / 2.0**53)
