"""One metric as a panel: units over nights."""

from dataclasses import dataclass

import numpy as np

from models.experiments.statistics.cluster_ratio import Clusters
from models.experiments.statistics.switchback import WASHOUT, find_washed, number_runs
from models.ml.arrays import Float64Array, Int64Array


@dataclass(frozen=True)
class Panel:
    """The numerator and the denominator of a metric, of u units over n nights.

    Attributes:
        arm: Index of each unit's arm, 0 for the control, int64 (u,).
        numerator: Sum of what is counted, float64 (n, u).
        denominator: Sum of what it is counted over, from 0, float64 (n, u).
        expected: The numerator that last week's values lead to expect, float64 (n, u).
    """

    arm: Int64Array
    numerator: Float64Array
    denominator: Float64Array
    expected: Float64Array

    @property
    def nights(self) -> int:
        """The number of nights."""
        return len(self.numerator)

    def accumulate(self) -> list[Clusters]:
        """Return the clusters after each night: the sums of each unit so far."""
        sums = [each.cumsum(axis=0) for each in (self.numerator, self.denominator, self.expected)]
        return [Clusters(self.arm, *(each[night] for each in sums)) for night in range(self.nights)]


def join_runs(panel: Panel, washout: int = WASHOUT) -> Panel:
    """Join the nights of a switchback into runs, and leave out nights after a switch.

    Args:
        panel: A panel whose units are nights, in the order of time; nights without an arm are no units.
        washout: Nights left out after a switch, or after nights without an arm.

    Returns:
        The panel whose units are the runs of nights of the same arm.
    """
    has_values = panel.denominator > 0
    first, last = has_values.argmax(axis=0), panel.nights - 1 - has_values[::-1].argmax(axis=0)
    run = number_runs(panel.arm, np.asarray(first, np.int64), np.asarray(last, np.int64))
    starts = np.unique(run, return_index=True)[1]
    kept = np.zeros((len(run), len(starts)))
    kept[np.arange(len(run)), run] = find_washed(run, washout)
    return Panel(panel.arm[starts], panel.numerator @ kept, panel.denominator @ kept, panel.expected @ kept)
