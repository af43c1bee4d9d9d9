"""The gate: what a trained ranker must show on held-out groups before publications use it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml import baselines
from models.ml.features import Pairs
from models.ml.fitting import HeldOut
from models.ml.metrics import auc, calibration_error, log_loss, standard_error, within_viewer_aucs

# Mean gap between predicted and observed like rates, by tenth of the predictions, that still counts as calibrated.
WORST_CALIBRATION = 0.05
# Nobody predicts whom people like this well: something that is known only afterwards has got into the features.
LEAK = 0.90
CHANCE = 0.5

Report = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Check:
    """One check of the gate: whether it passed, and the sentence with the figures."""

    name: str
    passed: bool
    sentence: str


def report(
    liked: NDArray[np.bool_], pairs: Pairs, shown: NDArray[np.int64], held_out: HeldOut, base_rate: float, seed: int
) -> Report:
    """Metrics of the ranker beside baselines on the same n held-out decisions: method → metric → value.

    `shown` numbers the lists, one a viewer and period: within a list the viewer knew and was known the same, so that
    only the candidates differ. Scores that are no probabilities have no log loss and no calibration error.
    """
    scores: dict[str, NDArray[np.floating]] = {
        "ranker": held_out.p_like,
        "ridge": held_out.p_like_linear,
        "random": baselines.random(pairs, seed),
        "popularity": baselines.popularity(pairs, base_rate),
        "interest_cosine": baselines.interest_cosine(pairs),
    }
    metrics = {name: {"auc": auc(liked, score)} for name, score in scores.items()}
    for name, score in scores.items():
        within = within_viewer_aucs(shown, liked, score)
        metrics[name] |= {"within_viewer_auc": float(within.mean()), "within_viewer_auc_error": standard_error(within)}
    for name in ("ranker", "ridge", "popularity"):
        metrics[name]["log_loss"] = log_loss(liked, scores[name])
        metrics[name]["calibration_error"] = calibration_error(liked, scores[name])
    return metrics


def check(report: Report) -> list[Check]:
    """The gate's checks of a report: beats the baselines, is calibrated, does not leak."""
    ours = report["ranker"]
    reached = ours["within_viewer_auc"]
    rivals = {name: report[name]["within_viewer_auc"] for name in ("random", "popularity", "interest_cosine")}
    best = max(rivals, key=lambda name: rivals[name])
    error = ours["calibration_error"]
    return [
        Check(
            "beats_the_baselines",
            reached > rivals[best],
            f"within-viewer AUC {reached:.3f}; the best baseline, {best}, has {rivals[best]:.3f}",
        ),
        Check(
            "is_calibrated",
            error <= WORST_CALIBRATION,
            f"expected calibration error {error:.3f}; at most {WORST_CALIBRATION} is accepted",
        ),
        Check("does_not_leak", reached < LEAK, f"within-viewer AUC {reached:.3f}; {LEAK} or more would be a leak"),
    ]


def beats_random(report: Report) -> bool:
    """Whether the ranker is better than chance within viewers by more than chance explains: two standard errors."""
    ours = report["ranker"]
    return ours["within_viewer_auc"] - 2 * ours["within_viewer_auc_error"] > CHANCE
