"""The gate: the checks on held-out decisions that a challenger must pass before publications use it."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.ml.arrays import BoolArray, Float64Array, FloatArray
from models.ml.features.pair_features import Pairs
from models.ml.validation import simple_scores
from models.ml.validation.clustered_errors import estimate_within_viewer_auc_error
from models.ml.validation.holdout import HoldoutSet
from models.ml.validation.score_metrics import (
    compute_auc,
    compute_calibration_error,
    compute_log_loss,
    compute_within_viewer_auc,
)

# How far a challenger's within-viewer AUC may be below, and its log loss (nats) above, the ranker it is compared with.
AUC_TOLERANCE = 0.005
LOSS_TOLERANCE = 0.002
# Largest accepted mean gap between predicted and observed like rates, over tenths of the predictions.
MAX_CALIBRATION_ERROR = 0.05
# From two profiles alone, likes and matches cannot be predicted this well. An AUC above this by more than one standard
# error indicates leakage of later information.
LIKE_LEAK, MATCH_LEAK = 0.70, 0.68
RANDOM_AUC = 0.5
SIMPLE_BASELINES = ("random", "popularity", "interest_cosine")
# Metrics of the ranker on the samples that the champion has not seen.
CHAMPION_COMPARISON = "ranker_on_champion_holdout"

GateReport = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class GateCheck:
    """One check of the gate: whether it passed, and a sentence with the figures."""

    name: str
    passed: bool
    sentence: str


def build_report(holdout: HoldoutSet, pairs: Pairs, p_like: Mapping[str, Float64Array], seed: int) -> GateReport:
    """Compute the metrics of rankers and simple baselines on the same samples: method → metric → value.

    Scores that are no probabilities have no log loss and no calibration error.

    Args:
        holdout: The holdout set of q samples.
        pairs: The pairs of the samples, with their history.
        p_like: Predictions of each ranker, float64 (q,).
        seed: Seed of the random baseline.
    """
    popularity = simple_scores.score_popularity(pairs, float(holdout.liked.mean()))
    return {
        **compute_ranker_metrics(holdout, p_like),
        "random": _measure_ranking(holdout, simple_scores.score_at_random(pairs, seed)),
        "popularity": _measure_ranking(holdout, popularity) | _measure_probabilities(holdout, popularity),
        "interest_cosine": _measure_ranking(holdout, simple_scores.score_interest_cosine(pairs)),
    }


def compute_ranker_metrics(holdout: HoldoutSet, p_like: Mapping[str, Float64Array]) -> GateReport:
    """Compute the metrics of rankers, from their predictions float64 (q,).

    Metrics that begin with `cold_` are on samples without history; they are NaN if no viewer has both kinds of
    candidates.
    """
    return {
        name: _measure_ranking(holdout, chances)
        | _measure_probabilities(holdout, chances)
        | _measure_cold(holdout, chances)
        for name, chances in p_like.items()
    }


def _measure_probabilities(holdout: HoldoutSet, p_like: FloatArray) -> dict[str, float]:
    return {
        "log_loss": compute_log_loss(holdout.liked, p_like),
        "calibration_error": compute_calibration_error(holdout.liked, p_like),
    }


def _measure_ranking(holdout: HoldoutSet, score: FloatArray) -> dict[str, float]:
    within, error = _measure_within_viewers(holdout, slice(None), holdout.liked, score)
    return {"auc": compute_auc(holdout.liked, score), "within_viewer_auc": within, "within_viewer_auc_error": error}


def _measure_cold(holdout: HoldoutSet, p_like: Float64Array) -> dict[str, float]:
    cold, other = holdout.cold, holdout.reverse_index()
    both = cold & (other >= 0)
    match: BoolArray = holdout.liked[both] & holdout.liked[other[both]]
    like_auc, like_error = _measure_within_viewers(holdout, cold, holdout.liked[cold], p_like[cold])
    match_auc, match_error = _measure_within_viewers(holdout, both, match, p_like[both] * p_like[other[both]])
    return {
        "cold_like_auc": like_auc,
        "cold_like_auc_error": like_error,
        "cold_match_auc": match_auc,
        "cold_match_auc_error": match_error,
    }


def _measure_within_viewers(
    holdout: HoldoutSet, rows: BoolArray | slice, label: BoolArray, score: FloatArray
) -> tuple[float, float]:
    """Compute the mean AUC over lists of some samples, and its standard error."""
    lists, decision = holdout.lists[rows], holdout.samples[rows]
    viewer, candidate = holdout.events.actor[decision], holdout.events.target[decision]
    return compute_within_viewer_auc(lists, label, score), estimate_within_viewer_auc_error(
        lists, viewer, candidate, label, score
    )


def check_report(report: GateReport) -> list[GateCheck]:
    """Run the gate's checks on a report.

    The ranker must beat the simple baselines, be no worse than its linear start and the champion, be calibrated, and
    not show a leak.
    """
    ours = report["ranker"]
    error = ours["calibration_error"]
    return [
        _check_beats_baselines(report),
        _check_no_worse(report, "ranker", "ridge", "is_no_worse_than_linear", "its own linear start"),
        _check_no_worse(report, CHAMPION_COMPARISON, "champion", "is_no_worse_than_the_champion", "the champion"),
        GateCheck(
            "is_calibrated",
            error <= MAX_CALIBRATION_ERROR,
            f"expected calibration error {error:.3f}; at most {MAX_CALIBRATION_ERROR} is accepted",
        ),
        _check_leakage(ours),
    ]


def _check_beats_baselines(report: GateReport) -> GateCheck:
    reached = report["ranker"]["within_viewer_auc"]
    best = max(SIMPLE_BASELINES, key=lambda name: report[name]["within_viewer_auc"])
    rival = report[best]["within_viewer_auc"]
    sentence = f"within-viewer AUC {reached:.3f}; the best baseline, {best.replace('_', ' ')}, has {rival:.3f}"
    return GateCheck("beats_the_baselines", reached > rival, sentence)


def _check_no_worse(report: GateReport, who: str, rival: str, name: str, called: str) -> GateCheck:
    """Check that a method is no worse than its rival within the tolerances; passes if there is no rival."""
    if rival not in report:
        return GateCheck(name, True, f"there is nothing yet to compare with {called}")
    ours, theirs = report[who], report[rival]
    auc_short = theirs["within_viewer_auc"] - ours["within_viewer_auc"]
    loss_over = ours["log_loss"] - theirs["log_loss"]
    return GateCheck(
        name,
        auc_short <= AUC_TOLERANCE and loss_over <= LOSS_TOLERANCE,
        f"within-viewer AUC {ours['within_viewer_auc']:.3f}, {called} {theirs['within_viewer_auc']:.3f} "
        f"(at most {AUC_TOLERANCE} below is accepted); log loss {ours['log_loss']:.3f} and {theirs['log_loss']:.3f} "
        f"(at most {LOSS_TOLERANCE} above)",
    )


def _check_leakage(ours: Mapping[str, float]) -> GateCheck:
    like, match = ours["cold_like_auc"], ours["cold_match_auc"]
    alarm = like - ours["cold_like_auc_error"] > LIKE_LEAK or match - ours["cold_match_auc_error"] > MATCH_LEAK
    return GateCheck(
        "does_not_leak",
        not alarm,
        f"from profiles alone, within-viewer AUC of likes {like:.3f} (over {LIKE_LEAK} would be a leak), "
        f"of matches {match:.3f} (over {MATCH_LEAK})",
    )


def exceeds_random(report: GateReport) -> bool:
    """Return whether the ranker's AUC within viewers is above random by two standard errors."""
    ours = report["ranker"]
    return ours["within_viewer_auc"] - 2 * ours["within_viewer_auc_error"] > RANDOM_AUC
