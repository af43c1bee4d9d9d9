"""The gate of the outcome head: what it must show on later matches before the market may use it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.conversations.head.outcome_head import ForwardPredictions, Past, predict_forward
from models.ml.conversations.head.outcome_inputs import OUTCOMES, MatchSample
from models.ml.validation.gate_rules import GateCheck, Rule, judge, leave_unjudged
from models.ml.validation.score_metrics import (
    compute_auc,
    compute_calibration_error,
    compute_log_losses,
    compute_signed_gaps,
)

MIN_MATCHES = 1000
"""Mature matches from which a head is trained. With fewer it would often seem to know something."""
MAX_CALIBRATION_ERROR = 0.05
# Each match after the first part is predicted once, by a head that saw only what was known before its part. With tenths
# of a few hundred matches, chance alone would exceed the bound.
CUTS, BINS = (0.4, 0.55, 0.7, 0.85), 5
CHECKS = ("has_enough_matches", "beats_the_constant", "is_calibrated")


@dataclass(frozen=True)
class HeadQuality:
    """How good predictions are on k later matches.

    Attributes:
        auc: Area under the ROC curve; NaN with one kind of outcome.
        auc_error: Standard error of it, clustered by both people.
        log_loss: Mean log loss, in nats.
        constant_loss: That of the share of earlier conversations that went on.
        gain_error: Standard error of the difference of the two among these people: given what they bring, their
            conversations are independent. The head is judged for the people whose past it knows.
        calibration_error: Expected calibration error over BINS bins.
        calibration_noise: Standard error of it.
        top_tenth: Share that goes on among the tenth with the highest predictions.
        went_on: Share of all that goes on.
        matches: The number k.
    """

    auc: float
    auc_error: float
    log_loss: float
    constant_loss: float
    gain_error: float
    calibration_error: float
    calibration_noise: float
    top_tenth: float
    went_on: float
    matches: int

    @property
    def gain(self) -> float:
        """How much less the log loss is than the constant's, in nats."""
        return self.constant_loss - self.log_loss


def measure_quality(matches: MatchSample, predicted: ForwardPredictions) -> HeadQuality:
    """Measure predictions of matches whose outcome is known."""
    later = matches.take(predicted.rows)
    went_on = later.outcome > 0
    ours, plain = (compute_log_losses(went_on, each) for each in (predicted.p_on, predicted.constant))
    top = np.argsort(-predicted.p_on, kind="stable")[: max(len(went_on) // 10, 1)]
    return HeadQuality(
        auc=compute_auc(went_on, predicted.p_on),
        auc_error=estimate_auc_error(went_on, predicted.p_on, later.person),
        log_loss=float(ours.mean()),
        constant_loss=float(plain.mean()),
        gain_error=float((plain - ours).std() / np.sqrt(len(ours))),
        calibration_error=compute_calibration_error(went_on, predicted.p_on, BINS),
        calibration_noise=float(compute_signed_gaps(went_on, predicted.p_on, BINS).std() / np.sqrt(len(ours))),
        top_tenth=float(went_on[top].mean()),
        went_on=float(went_on.mean()),
        matches=len(went_on),
    )


def estimate_auc_error(label: BoolArray, score: Float64Array, person: Int64Array) -> float:
    """Estimate the standard error of an AUC over pairs, from placements (DeLong et al., Biometrics 44, 1988).

    Args:
        label: Label of each pair, bool (n,).
        score: Score of each pair, (n,).
        person: Numbers of both people, int64 (n, 2); see `estimate_dyadic_error`.

    Returns:
        The standard error; NaN with one kind of label.
    """
    positive, negative = int(label.sum()), int((~label).sum())
    if not positive or not negative:
        return float("nan")
    below = rankdata(score)
    for kind in (label, ~label):
        below[kind] -= rankdata(score[kind])
    placement = np.where(label, below / negative, 1 - below / positive)
    off = (placement - placement[label].mean()) / np.where(label, positive, negative)
    return estimate_dyadic_error(off * len(label), person)


def estimate_dyadic_error(values: Float64Array, person: Int64Array) -> float:
    """Estimate the standard error of a mean over pairs, of which those that share a person are not independent.

    Aronow, Samii & Assenova, Political Analysis 23 (2015). It is at least that of independent pairs.

    Args:
        values: A value of each pair, float64 (n,).
        person: Numbers of both people, int64 (n, 2), 0 or more.
    """
    off = values - values.mean()
    alone = float((off**2).sum())
    by_person = float((np.bincount(person.T.ravel(), np.tile(off, 2)) ** 2).sum())
    return float(np.sqrt(max(by_person - alone, alone)) / len(values))


def judge_head(past: Past, matches: MatchSample) -> tuple[Sequence[GateCheck], HeadQuality | None]:
    """Judge a head on mature matches, in order of time; the quality is None if there are too few of them."""
    count = Rule("mature_matches", "mature matches", len(matches), "at least", MIN_MATCHES)
    enough = judge(CHECKS[0], [count])
    if not enough.passed:
        return [enough, *(leave_unjudged(name, count.sentence, [count], passed=False) for name in CHECKS[1:])], None
    quality = measure_quality(matches, predict_forward(past, matches, CUTS, OUTCOMES))
    said = (
        f"log loss {quality.log_loss:.4f} on {quality.matches:,} later matches, {quality.constant_loss:.4f} of the "
        "share before them, difference less two standard errors"
    )
    gain = Rule("gain_less_two_errors", said, quality.gain - 2 * quality.gain_error, "above", 0)
    calibration = Rule(
        "calibration_error_less_error",
        f"calibration error {quality.calibration_error:.4f}, less one standard error",
        quality.calibration_error - quality.calibration_noise,
        "at most",
        MAX_CALIBRATION_ERROR,
    )
    return [enough, judge(CHECKS[1], [gain]), judge(CHECKS[2], [calibration])], quality
