"""What to do about an experiment, from the interval of its primary metric."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from models.experiments.statistics.confidence_sequence import ALPHA, SequenceInterval, compute_boundary


class Verdict(StrEnum):
    """What to do."""

    keep_running = "keep running"
    better = "stop: better"
    worse = "stop: worse"
    alike = "stop: no difference worth knowing"
    cannot_tell = "cannot tell by the end date"


@dataclass(frozen=True)
class Progress:
    """How far an experiment is: nights with results, and nights planned, at least 1."""

    nights: int
    planned: int

    @property
    def has_ended(self) -> bool:
        """Whether all nights have results."""
        return self.nights >= self.planned


def decide_verdict(
    interval: SequenceInterval | None, smallest_effect: float, progress: Progress, alpha: float = ALPHA
) -> Verdict:
    """Decide what to do; the same answer for the same interval.

    An interval above or below 0 stops the experiment, and so does one within the smallest effect of 0. Before the end
    the experiment keeps running, unless even the width that the interval will have by then hides both what was seen
    and the smallest effect.

    Args:
        interval: The interval of the logarithm of the lift, turned so that more is better; None: nothing to say yet.
        smallest_effect: The smallest relative difference worth knowing, above 0.
        progress: How far the experiment is.
        alpha: That of the interval.
    """
    target = float(np.log1p(smallest_effect))
    if interval is None:
        return Verdict.cannot_tell if progress.has_ended else Verdict.keep_running
    if interval.low > 0:
        return Verdict.better
    if interval.high < 0:
        return Verdict.worse
    if -target < interval.low and interval.high < target:
        return Verdict.alike
    hidden = forecast_half_width(interval, target, progress, alpha) > max(target, abs(interval.estimate))
    return Verdict.cannot_tell if progress.has_ended or hidden else Verdict.keep_running


def forecast_half_width(interval: SequenceInterval, target: float, progress: Progress, alpha: float = ALPHA) -> float:
    """Forecast the half width at the end, if each night to come brings as much information as those so far.

    It is a lower bound where the same clusters come back, for what differs between them for good stays.
    """
    error = _find_error(interval.half_width, target, alpha)
    at_the_end = error**-2 * max(progress.planned / max(progress.nights, 1), 1)
    return float(compute_boundary(at_the_end, target, alpha) / np.sqrt(at_the_end))


def _find_error(half_width: float, target: float, alpha: float) -> float:
    """Find the standard error of an interval of many clusters by bisection of its logarithm."""
    low, high = half_width * 1e-3, half_width
    for _ in range(60):
        middle = np.sqrt(low * high)
        wide = compute_boundary(middle**-2, target, alpha) * middle > half_width
        low, high = (low, middle) if wide else (middle, high)
    return float(low)
