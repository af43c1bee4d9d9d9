"""Nights as switchbacks: washout after a switch, and runs of nights as clusters.

Bojinov, Simchi-Levi & Zhao 2023, Manag. Sci. 69: Design and Analysis of Switchback Experiments. They keep the periods
whose last m predecessors had the same arm; likes that wait from another arm's nights are then answered before.
"""

import numpy as np

from models.ml.arrays import BoolArray, Int64Array

WASHOUT = 1
"""Nights left out after a switch: likes that wait are mostly answered within a day."""


def number_runs(arm: Int64Array) -> Int64Array:
    """Give each run of nights with the same arm a number, from 0 in order of time, int64 (nights,).

    The nights of a run are one cluster: those that washout keeps come next to each other and share their arm.
    """
    return np.asarray(np.cumsum(np.diff(arm, prepend=arm[:1]) != 0), np.int64)


def find_washed(arm: Int64Array, washout: int = WASHOUT) -> BoolArray:
    """Find the nights that count, bool (nights,): the `washout` nights before had the same arm.

    The first nights of the experiment do not count, for the nights before had none of its arms.
    """
    run = number_runs(arm)
    starts = np.searchsorted(run, run)
    return np.asarray(np.arange(len(arm)) - starts >= washout)
