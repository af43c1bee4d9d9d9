"""Ratio metrics of clusters, and the lift of one arm over another, by the delta method."""

from dataclasses import dataclass

import numpy as np

from models.experiments.statistics.cuped import adjust_numerators
from models.ml.arrays import Float64Array, Int64Array

LEAST_CLUSTERS = 2
"""A variance needs so many clusters in each arm."""


@dataclass(frozen=True)
class Clusters:
    """The sums of k clusters: what was assigned to an arm as a whole.

    Attributes:
        arm: Index of the arm, 0 for the control, int64 (k,).
        numerator: Sum of what is counted, such as matches, float64 (k,).
        denominator: Sum of what it is counted over, such as users in nights, from 0, float64 (k,).
        expected: The numerator that last week's values lead to expect, float64 (k,); see `cuped`.
    """

    arm: Int64Array
    numerator: Float64Array
    denominator: Float64Array
    expected: Float64Array


@dataclass(frozen=True)
class Ratio:
    """A ratio of sums over clusters, its variance, and the effective number of clusters behind it."""

    value: float
    variance: float
    clusters: float


@dataclass(frozen=True)
class Lift:
    """How much larger a ratio is in one arm than in the control.

    Attributes:
        control: The ratio in the control, above 0.
        treatment: The ratio in the other arm, above 0.
        log: The logarithm of treatment over control.
        error: The standard error of `log`, above 0.
        degrees: Degrees of freedom of that error, at least 1.
    """

    control: float
    treatment: float
    log: float
    error: float
    degrees: float


def estimate_lift(clusters: Clusters, treatment: int = 1) -> Lift | None:
    """Estimate the lift of an arm over arm 0; None if it cannot be said yet.

    That is so if an arm has fewer than LEAST_CLUSTERS clusters, if a ratio is not above 0, or if nothing varies. The
    error of the logarithm of a ratio is that of the ratio over its value (delta method). The degrees of freedom are
    Welch and Satterthwaite's, one less for the slope of CUPED.
    """
    numerator, slopes = adjust_numerators(clusters.arm, clusters.numerator, clusters.denominator, clusters.expected)
    ratios = [_estimate_arm(clusters, numerator, arm) for arm in (0, treatment)]
    control, other = ratios
    if control is None or other is None:
        return None
    relative = np.array([ratio.variance / ratio.value**2 for ratio in (control, other)])
    if not relative.sum():
        return None
    spread = (relative**2 / np.array([control.clusters - 1, other.clusters - 1])).sum()
    degrees = max(relative.sum() ** 2 / spread - slopes, 1.0)
    log = float(np.log(other.value / control.value))
    return Lift(control.value, other.value, log, float(np.sqrt(relative.sum())), float(degrees))


def estimate_ratio(numerator: Float64Array, denominator: Float64Array) -> Ratio:
    """Estimate a ratio of sums over k clusters, of which at least two have a denominator above 0.

    The variance is the jackknife's over clusters. It is the delta method's linearisation with each residual divided by
    one less the share of its cluster, which few or unequal clusters need (CR3; MacKinnon, Nielsen & Webb 2023, J.
    Econometrics 232). The effective number of clusters falls with the inequality of the denominators (Carter, Schnepel
    & Steigerwald 2017, Rev. Econ. Stat. 99).
    """
    total = denominator.sum()
    value = float(numerator.sum() / total)
    count = int((denominator > 0).sum())
    left_out = (numerator - value * denominator) / (total - denominator)
    effective = float(total**2 / (denominator @ denominator))
    return Ratio(value, float((count - 1) / count * (left_out @ left_out)), effective)


def _estimate_arm(clusters: Clusters, numerator: Float64Array, arm: int) -> Ratio | None:
    own = (clusters.arm == arm) & (clusters.denominator > 0)
    if own.sum() < LEAST_CLUSTERS:
        return None
    ratio = estimate_ratio(numerator[own], clusters.denominator[own])
    return ratio if ratio.value > 0 else None
