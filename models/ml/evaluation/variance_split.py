"""Why people like whom they like: the viewer's selectivity, the candidate's desirability, and chemistry.

The social relations model (Kenny & La Voie 1984) of decisions, as Joel, Eastwick & Finkel (2017) used it: a decision is
the mean of its block, an effect of the viewer (actor), one of the candidate (partner), and what is left. With one
decision a pair, what is left is the relationship, called chemistry, and the error of a yes or no together: nothing in
such data parts them, so `chemistry` is an upper bound of it, and the share of it that predictions explain a lower one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, owens_t

from models.ml.arrays import Float64Array
from models.ml.evaluation.crossed_random_effects import build_design, estimate_components

# At most this share of chemistry and error explained, by two standard errors, is hardly anything.
MIN_SHARE = 0.02
PERCENT = 0.01
ROUNDING = 1e-12


@dataclass(frozen=True)
class VarianceEstimate:
    """A figure and its standard error, by the jackknife over circles: NaN of a single circle."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.error:.3f}"


@dataclass(frozen=True)
class VarianceParts:
    """A figure of each part of a decision."""

    selectivity: VarianceEstimate
    desirability: VarianceEstimate
    chemistry: VarianceEstimate
    """Error included."""


@dataclass(frozen=True)
class VarianceSplit:
    """How the variance of decisions within blocks splits; unbiased, so that a part of nothing may be below zero."""

    variance: VarianceParts
    """Of the decision, 0 or 1: probability squared."""
    share: VarianceParts
    """Of the three together; they sum to 1. NaN if everybody decided the same."""
    latent: VarianceParts
    """The shares on the scale of a normal liking of which a decision shows only whether it is above a threshold."""


@dataclass(frozen=True)
class ExplainedVariance:
    """How well probabilities predict each part of decisions."""

    share: VarianceParts
    """1 - the variance of (part - predicted part) / the variance of the part: 1 at best, below 0 if the predictions
    add more than they explain. Selectivity and desirability are corrected for noise: they speak of people's own
    effects, not of means of few decisions. Chemistry is not: with one decision a pair even the truth stays below 1."""
    correlation: VarianceParts
    """Of a part with its prediction, the same noise removed, which may carry it past 1. NaN where the part does not
    vary, or the predictions by less than a hundredth in it."""


def split_variance(viewer: ArrayLike, candidate: ArrayLike, circle: ArrayLike, liked: ArrayLike) -> VarianceSplit:
    """Split the variance of n decisions; circles are of people who met nobody outside, such as one evening's.

    Differences between blocks (see `crossed_random_effects.CrossedDesign`), such as of women's and men's like rates,
    are no part of it.
    """
    decision = np.asarray(liked, np.float64)
    variances = estimate_components(build_design(viewer, candidate, circle), decision, decision)
    shares = variances / _replace_tiny(variances.sum(axis=1, keepdims=True))
    return VarianceSplit(
        _build_parts(variances),
        _build_parts(shares),
        _build_parts(np.array([_compute_latent_shares(*row) for row in variances])),
    )


def estimate_explained_variance(
    viewer: ArrayLike, candidate: ArrayLike, circle: ArrayLike, liked: ArrayLike, p_like: ArrayLike
) -> ExplainedVariance:
    """What probabilities know of each part of n decisions that they have not seen, neither their own nor the others.

    Predictions from the others, such as leave-one-out rates, share their noise and seem to explain more than there is.
    """
    pairs = build_design(viewer, candidate, circle)
    decision, prediction = np.asarray(liked, np.float64), np.asarray(p_like, np.float64)
    of_decision = _replace_tiny(estimate_components(pairs, decision, decision))
    of_prediction = estimate_components(pairs, prediction, prediction)
    shared = estimate_components(pairs, decision, prediction)
    enough = of_prediction > np.maximum(PERCENT * of_prediction.sum(axis=1, keepdims=True), ROUNDING)
    return ExplainedVariance(
        share=_build_parts((2 * shared - of_prediction) / of_decision),
        correlation=_build_parts(shared / np.sqrt(of_decision * np.where(enough, of_prediction, np.nan))),
    )


def describe_variance(split: VarianceSplit, explained: ExplainedVariance) -> list[str]:
    """What the figures say, in words."""
    share, known = split.share, explained.share
    return [
        (
            f"Of the variance of like decisions, {_format_percent(share.selectivity)} is the viewer's selectivity, "
            f"{_format_percent(share.desirability)} the candidate's desirability, and "
            f"{_format_percent(share.chemistry)} chemistry "
            "and error, which one decision a pair cannot tell apart."
        ),
        (
            f"The predictions explain {_format_percent(known.selectivity)} of selectivity, "
            f"{_format_percent(known.desirability)} of "
            f"desirability and {_format_percent(known.chemistry)} of chemistry and error."
        ),
        _describe_chemistry(known.chemistry),
    ]


def _describe_chemistry(known: VarianceEstimate) -> str:
    most = known.value + 2 * known.error
    if most < MIN_SHARE:
        return (
            "Chemistry is hardly predictable: of who suits whom in particular, error included, "
            f"the predictions explain at most {100 * max(most, 0):.1f} %."
        )
    if known.value - 2 * known.error > 0:
        return "The predictions know something of chemistry, of who suits whom in particular."
    return "Whether chemistry can be predicted, these decisions do not say."


def _format_percent(estimate: VarianceEstimate) -> str:
    error = "" if np.isnan(estimate.error) else f" (standard error {100 * estimate.error:.1f})"
    return f"{100 * estimate.value:.1f} %{error}"


def _build_parts(with_and_without: Float64Array) -> VarianceParts:
    """The figures of the first row, with errors from the rows that each leave a circle out."""
    values, without = with_and_without[0], with_and_without[1:]
    return VarianceParts(
        *(
            VarianceEstimate(float(value), _estimate_jackknife_error(left))
            for value, left in zip(values, without.T, strict=True)
        )
    )


def _estimate_jackknife_error(without: Float64Array) -> float:
    """The standard error of a figure from its values without each circle; NaN for under two circles."""
    circles = len(without)
    return float(without.std() * np.sqrt(circles - 1)) if circles > 1 else float("nan")


def _replace_tiny(variance: Float64Array) -> Float64Array:
    return np.where(variance > ROUNDING, variance, np.nan)


def _compute_latent_shares(viewers: float, candidates: float, left: float) -> tuple[float, float, float]:
    """Shares on the latent scale: the tetrachoric correlation of two decisions of one viewer, of two on one candidate.

    The like rate is the one whose decisions have this variance, p (1 - p); p and 1 - p give the same.
    """
    rate = (1 - np.sqrt(max(0.0, 1 - 4 * (viewers + candidates + left)))) / 2
    selectivity, desirability = _solve_tetrachoric(viewers, rate), _solve_tetrachoric(candidates, rate)
    return selectivity, desirability, 1 - selectivity - desirability


def _solve_tetrachoric(covariance: float, rate: float) -> float:
    """The correlation of two standard normals whose signs about a threshold covary so (Pearson 1900), -1 to 1."""
    threshold = ndtri(rate)

    def compute_surplus(correlation: float) -> float:
        # Both below the threshold, by Owen's T function (Owen 1956).
        both = ndtr(threshold) - 2 * owens_t(threshold, np.sqrt((1 - correlation) / (1 + correlation)))
        return float(both - rate**2 - covariance)

    lowest, highest = -0.9999, 0.9999
    if not compute_surplus(lowest) < 0 < compute_surplus(highest):
        return float("nan")
    return float(brentq(compute_surplus, lowest, highest))
