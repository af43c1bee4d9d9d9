"""Why people like whom they like: the viewer's selectivity, the candidate's desirability, and chemistry.

The social relations model (Kenny & La Voie 1984) of decisions, as Joel, Eastwick & Finkel (2017) used it: a decision is
the mean of its block, an effect of the viewer (actor), one of the candidate (partner), and what is left. With one
decision a pair, what is left is the relationship, called chemistry, and the error of a yes or no together: nothing in
such data parts them, so `chemistry` is an upper bound of it, and the share of it that predictions explain a lower one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, owens_t

from models.ml.evaluation.crossed import components, design

Floats = NDArray[np.float64]

# At most this share of chemistry and error explained, by two standard errors, is hardly anything.
HARDLY = 0.02
A_HUNDREDTH = 0.01
NOTHING = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A figure and its standard error, by the jackknife over circles: NaN of a single circle."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.error:.3f}"


@dataclass(frozen=True)
class Parts:
    """A figure of each part of a decision."""

    selectivity: Estimate
    desirability: Estimate
    chemistry: Estimate
    """Error included."""


@dataclass(frozen=True)
class Split:
    """How the variance of decisions within blocks splits; unbiased, so that a part of nothing may be below zero."""

    variance: Parts
    """Of the decision, 0 or 1: probability squared."""
    share: Parts
    """Of the three together; they sum to 1. NaN if everybody decided the same."""
    latent: Parts
    """The shares on the scale of a normal liking of which a decision shows only whether it is above a threshold."""


@dataclass(frozen=True)
class Explained:
    """How well probabilities predict each part of decisions."""

    share: Parts
    """1 - the variance of (part - predicted part) / the variance of the part: 1 at best, below 0 if the predictions
    add more than they explain. Selectivity and desirability are corrected for noise: they speak of people's own
    effects, not of means of few decisions. Chemistry is not: with one decision a pair even the truth stays below 1."""
    correlation: Parts
    """Of a part with its prediction, the same noise removed, which may carry it past 1. NaN where the part does not
    vary, or the predictions by less than a hundredth in it."""


def split(viewer: ArrayLike, candidate: ArrayLike, circle: ArrayLike, liked: ArrayLike) -> Split:
    """Split the variance of n decisions; circles are of people who met nobody outside, such as one evening's.

    Differences between blocks (see `crossed.Design`), such as of women's and men's like rates, are no part of it.
    """
    decision = np.asarray(liked, np.float64)
    variances = components(design(viewer, candidate, circle), decision, decision)
    shares = variances / _or_nan(variances.sum(axis=1, keepdims=True))
    return Split(_parts(variances), _parts(shares), _parts(np.array([_latent(*row) for row in variances])))


def explained(
    viewer: ArrayLike, candidate: ArrayLike, circle: ArrayLike, liked: ArrayLike, p_like: ArrayLike
) -> Explained:
    """What probabilities know of each part of n decisions that they have not seen, neither their own nor the others.

    Predictions from the others, such as leave-one-out rates, share their noise and seem to explain more than there is.
    """
    pairs = design(viewer, candidate, circle)
    decision, prediction = np.asarray(liked, np.float64), np.asarray(p_like, np.float64)
    of_decision = _or_nan(components(pairs, decision, decision))
    of_prediction = components(pairs, prediction, prediction)
    shared = components(pairs, decision, prediction)
    enough = of_prediction > np.maximum(A_HUNDREDTH * of_prediction.sum(axis=1, keepdims=True), NOTHING)
    return Explained(
        share=_parts((2 * shared - of_prediction) / of_decision),
        correlation=_parts(shared / np.sqrt(of_decision * np.where(enough, of_prediction, np.nan))),
    )


def sentences(split: Split, explained: Explained) -> list[str]:
    """What the figures say, in words."""
    share, known = split.share, explained.share
    return [
        (
            f"Of the variance of like decisions, {_percent(share.selectivity)} is the viewer's selectivity, "
            f"{_percent(share.desirability)} the candidate's desirability, and {_percent(share.chemistry)} chemistry "
            "and error, which one decision a pair cannot tell apart."
        ),
        (
            f"The predictions explain {_percent(known.selectivity)} of selectivity, {_percent(known.desirability)} of "
            f"desirability and {_percent(known.chemistry)} of chemistry and error."
        ),
        _of_chemistry(known.chemistry),
    ]


def _of_chemistry(known: Estimate) -> str:
    most = known.value + 2 * known.error
    if most < HARDLY:
        return (
            "Chemistry is hardly predictable: of who suits whom in particular, error included, "
            f"the predictions explain at most {100 * max(most, 0):.1f} %."
        )
    if known.value - 2 * known.error > 0:
        return "The predictions know something of chemistry, of who suits whom in particular."
    return "Whether chemistry can be predicted, these decisions do not say."


def _percent(estimate: Estimate) -> str:
    error = "" if np.isnan(estimate.error) else f" (standard error {100 * estimate.error:.1f})"
    return f"{100 * estimate.value:.1f} %{error}"


def _parts(with_and_without: Floats) -> Parts:
    """The figures of the first row, with errors from the rows that each leave a circle out."""
    values, without = with_and_without[0], with_and_without[1:]
    return Parts(*(Estimate(float(value), _jackknife(left)) for value, left in zip(values, without.T, strict=True)))


def _jackknife(without: Floats) -> float:
    """The standard error of a figure from its values without each circle; NaN for under two circles."""
    circles = len(without)
    return float(without.std() * np.sqrt(circles - 1)) if circles > 1 else float("nan")


def _or_nan(variance: Floats) -> Floats:
    return np.where(variance > NOTHING, variance, np.nan)


def _latent(viewers: float, candidates: float, left: float) -> tuple[float, float, float]:
    """Shares on the latent scale: the tetrachoric correlation of two decisions of one viewer, of two on one candidate.

    The like rate is the one whose decisions have this variance, p (1 - p); p and 1 - p give the same.
    """
    rate = (1 - np.sqrt(max(0.0, 1 - 4 * (viewers + candidates + left)))) / 2
    selectivity, desirability = _tetrachoric(viewers, rate), _tetrachoric(candidates, rate)
    return selectivity, desirability, 1 - selectivity - desirability


def _tetrachoric(covariance: float, rate: float) -> float:
    """The correlation of two standard normals whose signs about a threshold covary so (Pearson 1900), -1 to 1."""
    threshold = ndtri(rate)

    def surplus(correlation: float) -> float:
        # Both below the threshold, by Owen's T function (Owen 1956).
        both = ndtr(threshold) - 2 * owens_t(threshold, np.sqrt((1 - correlation) / (1 + correlation)))
        return float(both - rate**2 - covariance)

    lowest, highest = -0.9999, 0.9999
    if not surplus(lowest) < 0 < surplus(highest):
        return float("nan")
    return float(brentq(surplus, lowest, highest))
