"""The gate: what a challenger must show on held-out people before publications use it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml import baselines
from models.ml.clustered import within_viewer_auc_error
from models.ml.exam import Exam
from models.ml.features import Pairs
from models.ml.history import Bools, Doubles
from models.ml.metrics import auc, calibration_error, log_loss, within_viewer_auc

# By how much within-viewer AUC may be below, and log loss (nats) above, what a challenger is compared with.
AUC_TOLERANCE = 0.005
LOSS_TOLERANCE = 0.002
# Mean gap between predicted and observed like rates, by tenth of the predictions, that still counts as calibrated.
WORST_CALIBRATION = 0.05
# From two profiles alone nobody predicts likes and matches this well, chance aside (one standard error): what was only
# known afterwards has got in.
LIKE_LEAK, MATCH_LEAK = 0.70, 0.68
CHANCE = 0.5
SIMPLE = ("random", "popularity", "interest_cosine")
# What the ranker reaches on the questions that the champion can be asked.
BESIDE = "ranker_beside_champion"

Report = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Check:
    """One check of the gate: whether it passed, and the sentence with the figures."""

    name: str
    passed: bool
    sentence: str


def report(exam: Exam, pairs: Pairs, p_like: Mapping[str, Doubles], seed: int) -> Report:
    """Metrics of rankers beside simple baselines on the same q questions of an exam: method → metric → value.

    `pairs` are those asked about, with their history; `p_like` has each ranker's answers, float64 (q,). Scores that are
    no probabilities have no log loss and no calibration error.
    """
    popularity = baselines.popularity(pairs, float(exam.liked.mean()))
    return {
        **of_rankers(exam, p_like),
        "random": _ranking(exam, baselines.random(pairs, seed)),
        "popularity": _ranking(exam, popularity) | _as_chances(exam, popularity),
        "interest_cosine": _ranking(exam, baselines.interest_cosine(pairs)),
    }


def of_rankers(exam: Exam, p_like: Mapping[str, Doubles]) -> Report:
    """Metrics of rankers alone, whose answers are float64 (q,).

    What they reach where nothing is known of anybody is under metrics that begin with `cold_`, NaN where no viewer has
    both kinds of candidates.
    """
    return {
        name: _ranking(exam, chances) | _as_chances(exam, chances) | _cold(exam, chances)
        for name, chances in p_like.items()
    }


def _as_chances(exam: Exam, p_like: NDArray[np.floating]) -> dict[str, float]:
    return {
        "log_loss": log_loss(exam.liked, p_like),
        "calibration_error": calibration_error(exam.liked, p_like),
    }


def _ranking(exam: Exam, score: NDArray[np.floating]) -> dict[str, float]:
    within, error = _within(exam, slice(None), exam.liked, score)
    return {"auc": auc(exam.liked, score), "within_viewer_auc": within, "within_viewer_auc_error": error}


def _cold(exam: Exam, p_like: Doubles) -> dict[str, float]:
    cold, other = exam.cold, exam.reciprocals()
    both = cold & (other >= 0)
    match: Bools = exam.liked[both] & exam.liked[other[both]]
    like_auc, like_error = _within(exam, cold, exam.liked[cold], p_like[cold])
    match_auc, match_error = _within(exam, both, match, p_like[both] * p_like[other[both]])
    return {
        "cold_like_auc": like_auc,
        "cold_like_auc_error": like_error,
        "cold_match_auc": match_auc,
        "cold_match_auc_error": match_error,
    }


def _within(exam: Exam, rows: Bools | slice, label: Bools, score: NDArray[np.floating]) -> tuple[float, float]:
    """The mean AUC over lists of some questions, and its standard error."""
    lists, decision = exam.lists[rows], exam.questions[rows]
    viewer, candidate = exam.events.actor[decision], exam.events.target[decision]
    return within_viewer_auc(lists, label, score), within_viewer_auc_error(lists, viewer, candidate, label, score)


def check(report: Report) -> list[Check]:
    """The gate's checks of a report: no worse than what it starts from and replaces, better than simple, honest."""
    ours = report["ranker"]
    error = ours["calibration_error"]
    return [
        _beats_the_baselines(report),
        _no_worse(report, "ranker", "ridge", "is_no_worse_than_linear", "its own linear start"),
        _no_worse(report, BESIDE, "champion", "is_no_worse_than_the_champion", "the champion"),
        Check(
            "is_calibrated",
            error <= WORST_CALIBRATION,
            f"expected calibration error {error:.3f}; at most {WORST_CALIBRATION} is accepted",
        ),
        _does_not_leak(ours),
    ]


def _beats_the_baselines(report: Report) -> Check:
    reached = report["ranker"]["within_viewer_auc"]
    best = max(SIMPLE, key=lambda name: report[name]["within_viewer_auc"])
    rival = report[best]["within_viewer_auc"]
    sentence = f"within-viewer AUC {reached:.3f}; the best baseline, {best.replace('_', ' ')}, has {rival:.3f}"
    return Check("beats_the_baselines", reached > rival, sentence)


def _no_worse(report: Report, who: str, rival: str, name: str, called: str) -> Check:
    """No worse than a rival within the tolerances; passed where there is no rival."""
    if rival not in report:
        return Check(name, True, f"there is nothing yet to compare with {called}")
    ours, theirs = report[who], report[rival]
    auc_short = theirs["within_viewer_auc"] - ours["within_viewer_auc"]
    loss_over = ours["log_loss"] - theirs["log_loss"]
    return Check(
        name,
        auc_short <= AUC_TOLERANCE and loss_over <= LOSS_TOLERANCE,
        f"within-viewer AUC {ours['within_viewer_auc']:.3f}, {called} {theirs['within_viewer_auc']:.3f} "
        f"(at most {AUC_TOLERANCE} below is accepted); log loss {ours['log_loss']:.3f} and {theirs['log_loss']:.3f} "
        f"(at most {LOSS_TOLERANCE} above)",
    )


def _does_not_leak(ours: Mapping[str, float]) -> Check:
    like, match = ours["cold_like_auc"], ours["cold_match_auc"]
    alarm = like - ours["cold_like_auc_error"] > LIKE_LEAK or match - ours["cold_match_auc_error"] > MATCH_LEAK
    return Check(
        "does_not_leak",
        not alarm,
        f"from profiles alone, within-viewer AUC of likes {like:.3f} (over {LIKE_LEAK} would be a leak), "
        f"of matches {match:.3f} (over {MATCH_LEAK})",
    )


def beats_random(report: Report) -> bool:
    """Whether the ranker is better within viewers than chance explains: by two standard errors."""
    ours = report["ranker"]
    return ours["within_viewer_auc"] - 2 * ours["within_viewer_auc_error"] > CHANCE
