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
        panel: A panel of n nights whose units are the nights: night t has values in column t alone.
        washout: Nights left out after a switch.

    Returns:
        The panel whose units are the runs of nights of the same arm.
    """
    run, first = number_runs(panel.arm), np.unique(number_runs(panel.arm), return_index=True)[1]
    kept = np.zeros((panel.nights, len(first)))
    kept[np.arange(panel.nights), run] = find_washed(panel.arm, washout)
    each = (panel.numerator, panel.denominator, panel.expected)
    return Panel(panel.arm[first], *(np.diagonal(values)[:, None] * kept for values in each))
