"""The gate: the checks on held-out decisions that a challenger must pass before publications use it."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from models.ml.arrays import Float64Array, FloatArray
from models.ml.features.pair_features import Pairs
from models.ml.ranker.calibration import MIN_ROWS
from models.ml.validation import simple_scores
from models.ml.validation.gate_rules import (
    GateCheck,
    Relation,
    Rule,
    format_figure,
    join_sentences,
    judge,
    leave_unjudged,
)
from models.ml.validation.holdout import HoldoutSet
from models.ml.validation.holdout_metrics import (
    measure_cold,
    measure_difference,
    measure_probabilities,
    measure_ranking,
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

# What the champion has not seen, if that is too little to compare with it.
UNSEEN = "unseen_by_champion"
# Paired differences of the ranker to a rival.
DIFFERENCE = "ranker_minus_{}"
METRICS = {"within_viewer_auc": "AUC within viewers", "log_loss": "log loss"}
BOTH_WAYS = "two viewers who both liked and passed"
TWO_OUTCOMES = "two viewers whose mutual decisions are both matches and not"
NEEDS = {"within_viewer_auc": BOTH_WAYS, "log_loss": "held-out decisions"}

GateReport = Mapping[str, Mapping[str, float]]


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
        "random": measure_ranking(holdout, simple_scores.score_at_random(pairs, seed)),
        "popularity": measure_ranking(holdout, popularity) | measure_probabilities(holdout, popularity),
        "interest_cosine": measure_ranking(holdout, simple_scores.score_interest_cosine(pairs)),
    }


def compute_ranker_metrics(holdout: HoldoutSet, p_like: Mapping[str, Float64Array]) -> GateReport:
    """Compute the metrics of rankers, from their predictions float64 (q,).

    Metrics that begin with `cold_` are on samples without history; they are NaN if no viewer has both kinds of
    candidates.
    """
    return {
        name: measure_ranking(holdout, chances)
        | measure_probabilities(holdout, chances)
        | measure_cold(holdout, chances)
        for name, chances in p_like.items()
    }


def compare_with_rivals(
    holdout: HoldoutSet, ours: Float64Array, rivals: Mapping[str, FloatArray], probable: Collection[str]
) -> GateReport:
    """Compute the paired difference of a ranker to each rival on the same samples: `ranker_minus_...` → metric → value.

    Args:
        holdout: The holdout set of q samples.
        ours: Predictions of the ranker, float64 (q,).
        rivals: Scores of each rival (q,), by its name in the report.
        probable: The rivals whose scores are probabilities.
    """
    return {
        DIFFERENCE.format(name): measure_difference(holdout, ours, score, probable=name in probable)
        for name, score in rivals.items()
    }


def check_report(report: GateReport) -> list[GateCheck]:
    """Run the gate's checks on a report.

    The ranker must beat the simple baselines, be no worse than its linear start and the champion, be calibrated, and
    not show a leak.
    """
    ours = report["ranker"]
    return [
        _check_beats_baselines(report),
        _check_no_worse(report, "ranker", "ridge", "is_no_worse_than_linear", "its own linear start"),
        _check_no_worse(report, CHAMPION_COMPARISON, "champion", "is_no_worse_than_the_champion", "the champion"),
        judge("is_calibrated", [_bound_calibration(ours)]),
        judge(
            "does_not_leak",
            [
                _bound_leak(ours, "likes", "cold_like_auc", LIKE_LEAK, BOTH_WAYS),
                _bound_leak(ours, "matches", "cold_match_auc", MATCH_LEAK, TWO_OUTCOMES),
            ],
            passes_unknown=True,
        ),
    ]


def check_nothing(names: Iterable[str], unlearned: Sequence[Rule]) -> list[GateCheck]:
    """Return the checks of a ranker that is the prior; none is judged, and none lets it replace a champion.

    Args:
        names: Names of the checks.
        unlearned: The rules that the training has not met.
    """
    reason = f"this version predicts the prior; {join_sentences(unlearned)}"
    return [leave_unjudged(name, reason, unlearned, passed=False) for name in names]


def _check_beats_baselines(report: GateReport) -> GateCheck:
    best = max(SIMPLE_BASELINES, key=lambda name: report[name]["within_viewer_auc"])
    called = f"the best baseline, {best.replace('_', ' ')},"
    return judge(
        "beats_the_baselines", [_bound_difference(report, "ranker", best, "within_viewer_auc", called, "above", 0)]
    )


def _check_no_worse(report: GateReport, who: str, rival: str, name: str, called: str) -> GateCheck:
    """Check that a method is no worse than its rival within the tolerances; passes if there is no rival."""
    if rival not in report:
        return leave_unjudged(name, *_explain_no_rival(report, called), passed=True)
    return judge(
        name,
        [
            _bound_difference(report, who, rival, "within_viewer_auc", called, "at least", -AUC_TOLERANCE),
            _bound_difference(report, who, rival, "log_loss", called, "at most", LOSS_TOLERANCE),
        ],
    )


def _explain_no_rival(report: GateReport, called: str) -> tuple[str, Sequence[Rule]]:
    """Return why there is nothing to compare with, with the rules that are not met."""
    if UNSEEN not in report:
        return f"there is nothing yet to compare with {called}", ()
    counts = report[UNSEEN].items()
    rules = [Rule(f"unseen_{kind}", f"unseen {kind}", count, "at least", MIN_ROWS) for kind, count in counts]
    return f"{called} has seen too many of the held-out decisions: {join_sentences(rules)}", rules


def _bound_difference(
    report: GateReport, who: str, rival: str, metric: str, called: str, relation: Relation, bound: float
) -> Rule:
    """Return the rule for the paired difference of a metric, ours less the rival's."""
    ours, theirs = report[who], report[rival][metric]
    value, error = ours[metric], ours.get(f"{metric}_error", math.nan)
    of_difference = report.get(DIFFERENCE.format(rival), {}).get(f"{metric}_error", math.nan)
    said = f"{METRICS[metric]} {format_figure(value, error)}, {called} {format_figure(theirs)}, difference"
    operands = {metric: value, f"{metric}_error": error, f"{metric}_of_rival": theirs}
    return Rule(f"{metric}_difference", said, value - theirs, relation, bound, of_difference, operands, NEEDS[metric])


def _bound_calibration(ours: Mapping[str, float]) -> Rule:
    name = "calibration_error"
    error = ours.get(f"{name}_error", math.nan)
    return Rule(name, "expected calibration error", ours[name], "at most", MAX_CALIBRATION_ERROR, error)


def _bound_leak(ours: Mapping[str, float], of: str, name: str, bound: float, needs: str) -> Rule:
    """Return the rule for an AUC from profiles alone, which may be above its bound by one standard error."""
    auc, error = ours[name], ours[f"{name}_error"]
    said = f"AUC within viewers of {of}, from profiles alone, {format_figure(auc, error)}, less one standard error"
    operands = {name: auc, f"{name}_error": error}
    return Rule(f"{name}_less_error", said, auc - error, "at most", bound, operands=operands, needs=needs)


def bound_learning(report: GateReport, slope: float) -> list[Rule]:
    """Return the rules by which a training has learned something.

    Args:
        report: A report.
        slope: Slope of the calibration; it is negative if a higher score means fewer likes.
    """
    name = "within_viewer_auc"
    auc, error = report["ranker"][name], report["ranker"][f"{name}_error"]
    said = f"AUC within viewers on held-out decisions {format_figure(auc, error)}, less two standard errors"
    operands = {name: auc, f"{name}_error": error}
    return [
        Rule(f"{name}_less_two_errors", said, auc - 2 * error, "above", RANDOM_AUC, operands=operands, needs=BOTH_WAYS),
        Rule("slope", "slope of likes over scores", slope, "above", 0),
    ]
