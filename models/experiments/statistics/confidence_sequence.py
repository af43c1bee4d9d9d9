"""Intervals that hold at every look: asymptotic confidence sequences.

Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, Ann. Stat. 52: Time-uniform central limit theory and asymptotic
confidence sequences; the boundary is Robbins' normal mixture. Its clock is the information of the estimate, one over
its variance. An estimate from all data so far, with the error of its clusters, moves like a Brownian motion in that
time (Jennison & Turnbull 1997, J. Am. Stat. Assoc. 92), also if clusters come back night after night.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

ALPHA = 0.05
"""Probability that the interval misses the truth at any look."""
FARTHEST = 30.0
"""Quantiles of Student's t are taken up to this one of the normal distribution: SciPy's are wrong for smaller tails."""
WIDEST = 30.0
"""No half width is larger: that of a logarithm says nothing long before."""


@dataclass(frozen=True)
class SequenceInterval:
    """An estimate and the ends of its interval, on the scale of the estimate."""

    estimate: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the distance of the ends."""
        return (self.high - self.low) / 2


def compute_interval(
    estimate: float, error: float, degrees: float, target: float, alpha: float = ALPHA
) -> SequenceInterval:
    """Compute the interval of a confidence sequence at one look.

    Over all looks together, the intervals miss the truth with probability `alpha` at most.

    Args:
        estimate: The estimate.
        error: Its standard error, above 0.
        degrees: Degrees of freedom of the error, at least 1. The boundary is moved to the quantile of Student's t with
            the same tail (Pocock 1977, Biometrika 64), so that few clusters have a wider interval.
        target: The half width at which the sequence is narrowest for its information, above 0. It must be fixed
            before the first look.
        alpha: Probability of a miss.
    """
    width = min(compute_boundary(error**-2, target, alpha, degrees) * error, WIDEST)
    return SequenceInterval(estimate, estimate - width, estimate + width)


def compute_boundary(information: float, target: float, alpha: float = ALPHA, degrees: float = np.inf) -> float:
    """Compute the half width of the interval, in standard errors; see `compute_interval`.

    Args:
        information: One over the variance of the estimate, above 0.
        target: The half width that the sequence is tuned for, above 0.
        alpha: Probability of a miss at any look.
        degrees: Degrees of freedom of the error.
    """
    time = tune_rho(target, alpha) ** 2 * information
    boundary = _compute_mixture_boundary(time, alpha)
    if np.isinf(degrees):
        return boundary
    return max(boundary, float(t.isf(norm.sf(min(boundary, FARTHEST)), degrees)))


def tune_rho(target: float, alpha: float = ALPHA) -> float:
    """Tune the mixture, rho, so that the sequence is narrowest when its half width is `target`.

    The planned time is the information at which that is so (their appendix B.1, with Lambert's W approximated).
    """
    scaled = _compute_tuned_time(alpha)
    planned = (_compute_mixture_boundary(scaled, alpha) / target) ** 2
    return float(np.sqrt(scaled / planned))


def _compute_tuned_time(alpha: float) -> float:
    return float(-2 * np.log(alpha) + np.log(-2 * np.log(alpha)) + 1)


def _compute_mixture_boundary(time: float, alpha: float) -> float:
    """Compute the boundary in standard errors; `time` is information times the square of rho."""
    return float(np.sqrt((1 + 1 / time) * (np.log1p(time) - 2 * np.log(alpha))))
