"""The variance of decisions: the viewer's selectivity, the candidate's desirability, and chemistry.

The social relations model (Kenny & La Voie 1984) of decisions, as Joel, Eastwick & Finkel (2017) used it. A decision is
the mean of its block, an effect of the viewer (actor), one of the candidate (partner), and a rest. With one decision
per pair, the rest is the relationship, called chemistry, plus the error of a yes or no. Such data cannot separate the
two. So `chemistry` is an upper bound, and the share of it that predictions explain is a lower bound.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, owens_t

from models.ml.arrays import Float64Array
from models.ml.validation.crossed_random_effects import build_design, estimate_components

# Chemistry is "hardly predictable" if the explained share, plus two standard errors, is below this.
MIN_SHARE = 0.02
PERCENT = 0.01
ROUNDING = 1e-12


@dataclass(frozen=True)
class VarianceEstimate:
    """A value and its standard error, by the jackknife over components; the error is NaN for a single component."""

    value: float
    error: float

    def __str__(self) -> str:
        """Return the value and its standard error."""
        return f"{self.value:.3f} ± {self.error:.3f}"


@dataclass(frozen=True)
class VarianceParts:
    """An estimate for each part of a decision."""

    selectivity: VarianceEstimate
    desirability: VarianceEstimate
    chemistry: VarianceEstimate
    """Including error."""


@dataclass(frozen=True)
class VarianceSplit:
    """The split of the variance of decisions within blocks; unbiased, so a part of 0 may be estimated below 0."""

    variance: VarianceParts
    """Of the decision, 0 or 1, in squared probability."""
    share: VarianceParts
    """Shares of the sum of the three; NaN if all decisions are equal."""
    latent: VarianceParts
    """The shares on the scale of a normal latent liking; a decision only shows whether it is above a threshold."""


@dataclass(frozen=True)
class ExplainedVariance:
    """How well probabilities predict each part of decisions."""

    share: VarianceParts
    """One less the variance of (part - predicted part) over the variance of the part.

    At best 1; below 0 if the predictions add more variance than they explain. Selectivity and desirability are
    corrected for noise: they describe users' own effects, not means of few decisions. Chemistry is not: with one
    decision per pair, even the true probabilities stay below 1.
    """
    correlation: VarianceParts
    """Of a part with its prediction, with the same correction, which may carry it past 1.

    NaN if the part does not vary, or if less than 1 % of the predictions' variance is in it.
    """


def split_variance(viewer: ArrayLike, candidate: ArrayLike, circle: ArrayLike, liked: ArrayLike) -> VarianceSplit:
    """Split the variance of n decisions.

    Differences between blocks (see `crossed_random_effects.CrossedDesign`), such as those between the like rates of
    women and men, are not part of it.

    Args:
        viewer: Viewer of each decision, (n,).
        candidate: Candidate of each decision, (n,).
        circle: Connected component of each decision, (n,), such as one evening of speed dating.
        liked: Labels, (n,).
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
    """Estimate what probabilities explain of each part of n decisions.

    The predictions must not have seen any of the n decisions. Predictions from the other decisions, such as
    leave-one-out rates, share their noise and seem to explain more than there is.

    Args:
        viewer: Viewer of each decision, (n,).
        candidate: Candidate of each decision, (n,).
        circle: Connected component of each decision, (n,).
        liked: Labels, (n,).
        p_like: Predicted probability of each like, (n,).
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
    """Describe the estimates in sentences."""
    share, known = split.share, explained.share
    return [
        (
            f"Of the variance of like decisions, {_format_percent(share.selectivity)} is the viewer's selectivity, "
            f"{_format_percent(share.desirability)} the candidate's desirability, and "
            f"{_format_percent(share.chemistry)} chemistry "
            "and error, which one decision per pair cannot separate."
        ),
        (
            f"The predictions explain {_describe_explained(known.selectivity)} of selectivity, "
            f"{_describe_explained(known.desirability)} of desirability "
            f"and {_describe_explained(known.chemistry)} of chemistry and error."
        ),
        _describe_chemistry(known.chemistry),
    ]


def _describe_chemistry(known: VarianceEstimate) -> str:
    most = known.value + 2 * known.error
    if most < MIN_SHARE:
        return (
            "Chemistry is hardly predictable: of what is specific to a pair, error included, "
            f"the predictions explain at most {100 * max(most, 0):.1f} %."
        )
    if known.value - 2 * known.error > 0:
        return "The predictions know something of chemistry, which is specific to a pair."
    return "These decisions do not say whether chemistry can be predicted."


def _describe_explained(estimate: VarianceEstimate) -> str:
    """Describe a share that is 0 or more, although its estimate may be negative."""
    return _format_percent(estimate) if estimate.value > 0 else "nothing that can be measured"


def _format_percent(estimate: VarianceEstimate) -> str:
    error = "" if np.isnan(estimate.error) else f" (standard error {100 * estimate.error:.1f})"
    return f"{100 * estimate.value:.1f} %{error}"


def _build_parts(with_and_without: Float64Array) -> VarianceParts:
    """Build estimates from the first row, with errors from the rows that leave out one component each."""
    values, without = with_and_without[0], with_and_without[1:]
    return VarianceParts(
        *(
            VarianceEstimate(float(value), _estimate_jackknife_error(left))
            for value, left in zip(values, without.T, strict=True)
        )
    )


def _estimate_jackknife_error(without: Float64Array) -> float:
    """Estimate the standard error from the values without each component; NaN for fewer than two components."""
    circles = len(without)
    return float(without.std() * np.sqrt(circles - 1)) if circles > 1 else float("nan")


def _replace_tiny(variance: Float64Array) -> Float64Array:
    return np.where(variance > ROUNDING, variance, np.nan)


def _compute_latent_shares(viewers: float, candidates: float, left: float) -> tuple[float, float, float]:
    """Compute shares on the latent scale, as tetrachoric correlations.

    They are the correlations of two decisions of one viewer, and of two decisions about one candidate. The like rate is
    the one whose decisions have this variance, p (1 - p); p and 1 - p give the same result.
    """
    rate = (1 - np.sqrt(max(0.0, 1 - 4 * (viewers + candidates + left)))) / 2
    selectivity, desirability = _solve_tetrachoric(viewers, rate), _solve_tetrachoric(candidates, rate)
    return selectivity, desirability, 1 - selectivity - desirability


def _solve_tetrachoric(covariance: float, rate: float) -> float:
    """Find the correlation of two standard normals whose signs about a threshold have this covariance.

    The result is between -1 and 1 (Pearson 1900), or NaN if no correlation has the covariance.
    """
    threshold = ndtri(rate)

    def compute_surplus(correlation: float) -> float:
        # Both below the threshold, by Owen's T function (Owen 1956).
        both = ndtr(threshold) - 2 * owens_t(threshold, np.sqrt((1 - correlation) / (1 + correlation)))
        return float(both - rate**2 - covariance)

    lowest, highest = -0.9999, 0.9999
    if not compute_surplus(lowest) < 0 < compute_surplus(highest):
        return float("nan")
    return float(brentq(compute_surplus, lowest, highest))
