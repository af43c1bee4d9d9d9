"""Nights as switchbacks: washout after a switch, and runs of nights as clusters.

Bojinov, Simchi-Levi & Zhao 2023, Manag. Sci. 69: Design and Analysis of Switchback Experiments. They keep the periods
whose last m predecessors had the same arm; likes that wait from another arm's nights are then answered before.
"""

import numpy as np

from models.ml.arrays import BoolArray, Int64Array

WASHOUT = 1
"""Nights left out after a switch: likes that wait are mostly answered within a day."""


def number_runs(arm: Int64Array, first: Int64Array, last: Int64Array) -> Int64Array:
    """Give each run of nights with the same arm a number, from 0 in order of time, int64 (nights,).

    The nights of a run are one cluster: those that washout keeps come next to each other and share their arm.

    Args:
        arm: The arm of each night, int64 (nights,).
        first: The first publication of each night, int64 (nights,).
        last: The last one. If the next night does not follow it at once, a run ends.
    """
    ends = (np.diff(arm) != 0) | (first[1:] - last[:-1] > 1)
    return np.concatenate([np.zeros(min(len(arm), 1), np.int64), np.cumsum(ends)])


def find_washed(run: Int64Array, washout: int = WASHOUT) -> BoolArray:
    """Find the nights that count, bool (nights,): the `washout` nights before were in the same run."""
    return np.asarray(np.arange(len(run)) - np.searchsorted(run, run) >= washout)
