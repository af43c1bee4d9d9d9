"""Contamination: matches between the arms of an experiment, and the lift without it.

A match has two lists behind it. If they are of different arms, it has half of each effect, and a difference of the arms
is too small. Where regions are assigned, few matches are like that; where people are, half of them.
"""

from dataclasses import replace

from models.experiments.statistics.cluster_ratio import Lift

LEAST_CONTRAST = 0.5
"""With less, the correction would be guesswork: half of the effect at least must be seen."""


def compute_contrast(mixed: tuple[float, float], matches: tuple[float, float]) -> float:
    """Compute how much more of the treatment is in the matches of the treatment than in those of the control.

    It is 1 if no match is between arms, and near 0 if people are assigned one by one.

    Args:
        mixed: The matches with users of another arm, of the users in the control and in the treatment.
        matches: All matches of the users in the control and in the treatment.
    """
    return 1.0 - sum(other / total for other, total in zip(mixed, matches, strict=True) if total)


def correct_lift(lift: Lift, contrast: float) -> Lift:
    """Correct a lift for contamination: the effect is taken as linear in the treatment that matches have.

    That is the Wald estimator with the treatment of both sides as the dose (Eckles, Karrer & Ugander 2017, J. Causal
    Inference 5, on linear effects of exposure). Sign and significance stay as they were.

    Args:
        lift: The lift as it is between the arms.
        contrast: See `compute_contrast`; at least LEAST_CONTRAST.
    """
    return replace(lift, log=lift.log / contrast, error=lift.error / contrast)
