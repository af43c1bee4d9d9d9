"""The eligibility rule, compiled: the parts of the rule that a pair breaks, as bits of an integer.

This is the only form of the rule in Python. `matching.is_eligible` is the same rule in SQL; a test compares the two.
"""

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array, UInt8Array
from models.ml.kernels.jit import jit

THEMSELVES, PAUSED, GENDERS, AGES, DISTANCE = 1, 2, 4, 8, 16


@jit
def find_broken_rules(
    gender: Int64Array,
    seeks: BoolArray,
    paused: BoolArray,
    limits: Float64Array,
    viewer: Int64Array,
    candidate: Int64Array,
) -> UInt8Array:
    """Find the rules that each of k pairs breaks, uint8 (k,); 0 for eligible pairs.

    Args:
        gender: Codes of the genders, (n,).
        seeks: Whether a user seeks each gender, (n, genders).
        paused: Whether a user is paused, (n,).
        limits: Ages, places and limits of n users, as in `EligibilityRules.limits`, (n, 7).
        viewer: Positions, (k,).
        candidate: Positions, (k,).
    """
    broken = np.empty(len(viewer), np.uint8)
    for pair in range(len(viewer)):
        one, other = viewer[pair], candidate[pair]
        of_both = THEMSELVES * (one == other) | PAUSED * (paused[one] | paused[other])
        of_one = _find_unmet_preferences(gender, seeks, limits, one, other)
        broken[pair] = of_both | of_one | _find_unmet_preferences(gender, seeks, limits, other, one)
    return broken


@jit
def match_preferences(
    gender: Int64Array, seeks: BoolArray, paused: BoolArray, limits: Float64Array, viewers: Int64Array
) -> BoolArray:
    """Find the users who have what each viewer asks for, bool (viewers, n), whatever they ask for themselves.

    Paused users ask for nobody, and nobody asks for them. The arguments are those of `find_broken_rules`.
    """
    fits = np.empty((len(viewers), len(gender)), np.bool_)
    for row in range(len(viewers)):
        one = viewers[row]
        for other in range(len(gender)):
            unmet = _find_unmet_preferences(gender, seeks, limits, one, other)
            fits[row, other] = one != other and not paused[one] and not paused[other] and unmet == 0
    return fits


@jit
def match_limits(viewers: Float64Array, others: Float64Array) -> BoolArray:
    """Find the pairs of two groups that keep each other's limits of age and distance, bool (v, o).

    Args:
        viewers: Rows of `EligibilityRules.limits`, (v, 7).
        others: Columns of its transpose, (7, o).
    """
    fits = np.empty((len(viewers), others.shape[1]), np.bool_)
    # Separate arrays: only then the compiler knows that each is contiguous, and vectorises the inner loop.
    ages, youngest, oldest = others[0], others[1], others[2]
    east, north, up, reaches = others[3], others[4], others[5], others[6]
    for row in range(len(viewers)):
        age, age_min, age_max, x, y, z, reach = viewers[row]
        for column in range(others.shape[1]):
            apart = (x - east[column]) ** 2 + (y - north[column]) ** 2 + (z - up[column]) ** 2
            unmet = _find_unmet_limits(age_min, age_max, reach, ages[column], apart)
            unmet |= _find_unmet_limits(youngest[column], oldest[column], reaches[column], age, apart)
            fits[row, column] = unmet == 0
    return fits


@jit
def _find_unmet_preferences(
    gender: Int64Array, seeks: BoolArray, limits: Float64Array, one: int | np.int64, other: int | np.int64
) -> int:
    """Find what one user asks for and the other does not have."""
    apart = 0.0
    for axis in range(3, 6):
        apart += (limits[one, axis] - limits[other, axis]) ** 2
    unmet = _find_unmet_limits(limits[one, 1], limits[one, 2], limits[one, 6], limits[other, 0], apart)
    return GENDERS * (not seeks[one, gender[other]]) | unmet


@jit
def _find_unmet_limits(age_min: float, age_max: float, reach: float, age: float, apart: float) -> int:
    """Find the limits of one user that another breaks. An unknown distance, NaN, is not too far."""
    # Without branches, so that the loops of callers can be vectorised.
    return AGES * (not ((age_min <= age) & (age <= age_max))) | DISTANCE * (apart > reach)
