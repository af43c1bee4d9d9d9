"""A hash that breaks ties. Ties broken by position would favour the first users."""

import numpy as np

from models.ml.arrays import UInt64Array


def hash_splitmix64(number: UInt64Array) -> UInt64Array:
    """Hash numbers, uint64 of the same shape, with the finaliser of SplitMix64 (Steele, Lea & Flood 2014)."""
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(number ^ (number >> np.uint64(31)))
