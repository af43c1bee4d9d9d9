"""The lift of an arm after each night, with the interval that holds at every look."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.experiments.statistics.cluster_ratio import Lift, estimate_lift
from models.experiments.statistics.confidence_sequence import ALPHA, SequenceInterval, compute_interval
from models.experiments.statistics.contamination import correct_lift
from models.experiments.statistics.panel import Panel

COLUMNS = ("night", "control", "treatment", "lift", "low", "high")
ENDS = ("estimate", "low", "high")


@dataclass(frozen=True)
class Look:
    """What is known after some nights: the lift, and the interval of its logarithm."""

    night: int
    lift: Lift
    interval: SequenceInterval


def follow_lift(
    panel: Panel, smallest_effect: float, treatment: int = 1, alpha: float = ALPHA, contrast: float = 1.0
) -> list[Look]:
    """Follow the lift of an arm over arm 0, night after night.

    Args:
        panel: The panel of the metric.
        smallest_effect: The smallest relative difference worth knowing, above 0, which the sequence is tuned for.
        treatment: Index of the arm.
        alpha: Probability that the interval misses the truth at any look.
        contrast: How much more of the treatment is in the arm's matches than in the control's; see `contamination`.

    Returns:
        A look for each night after which something can be said; nights are numbered from 1.
    """
    looks = []
    for number, clusters in enumerate(panel.accumulate(), start=1):
        if (found := estimate_lift(clusters, treatment)) is not None:
            lift = correct_lift(found, contrast)
            looks.append(Look(number, lift, find_interval(lift, smallest_effect, alpha)))
    return looks


def find_interval(lift: Lift, smallest_effect: float, alpha: float = ALPHA) -> SequenceInterval:
    """Find the interval of the logarithm of a lift."""
    return compute_interval(lift.log, lift.error, lift.degrees, float(np.log1p(smallest_effect)), alpha)


def tabulate_looks(looks: list[Look]) -> pd.DataFrame:
    """Tabulate looks, a row each, with COLUMNS: the night, the ratio in both arms, and the lift with its interval.

    Lift, low and high are relative differences: 0.1 is a tenth more than in the control.
    """
    rows = [
        (look.night, look.lift.control, look.lift.treatment, *np.expm1([getattr(look.interval, end) for end in ENDS]))
        for look in looks
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"night": "int64"})
