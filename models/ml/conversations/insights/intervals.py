"""Shares over conversations with 95 % intervals that know that a person has several conversations."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array, Int64Array
from models.ml.validation.clustered_errors import estimate_dyadic_error

Z = 1.959964
"""The 97.5 % quantile of a standard normal."""


@dataclass(frozen=True)
class ShareEstimate:
    """A share and its 95 % interval, all from 0 to 1."""

    value: float
    low: float
    high: float


def number_people(pairs: pd.DataFrame) -> Int64Array:
    """Give the people of conversations numbers from 0, int64 (n, 2), from the columns person_a and person_b."""
    sides = np.concatenate([pairs["person_a"].to_numpy(object), pairs["person_b"].to_numpy(object)])
    return np.asarray(pd.factorize(sides)[0], np.int64).reshape(2, -1).T


def estimate_share(values: Float64Array, person: Int64Array) -> ShareEstimate:
    """Estimate the mean of values with its interval, clustered by both people.

    Wilson's interval (1927), with the number of independent conversations that has the clustered error as its own. If
    all values are 0, or all are 1, no error can be seen. Then each person counts as half a conversation.

    Args:
        values: A value of each conversation from 0 to 1, float64 (n,), n at least 1.
        person: Both people of each, int64 (n, 2).
    """
    value = float(np.clip(values.mean(), 0, 1))
    error = estimate_dyadic_error((values - values.mean()) / len(values), person)
    spread = value * (1 - value)
    count = spread / error**2 if error > 0 and spread > 0 else len(np.unique(person)) / 2
    return build_wilson_interval(value, count)


def build_wilson_interval(value: float, count: float) -> ShareEstimate:
    """Build Wilson's 95 % interval of a share of `count` independent observations, which need not be a whole number."""
    middle, scale = value + Z**2 / (2 * count), 1 + Z**2 / count
    half = Z * np.sqrt(value * (1 - value) / count + Z**2 / (4 * count**2))
    # Rounding must not put the value outside.
    low, high = np.clip([(middle - half) / scale, (middle + half) / scale], 0, 1)
    return ShareEstimate(value, float(min(low, value)), float(max(high, value)))
