"""The evaluation: the ranker and its baselines on the same held-out decisions."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from models.ml.arrays import Float64Array, Int64Array
from models.ml.evaluation import protocols
from models.ml.evaluation.baselines.baseline_input import BaselineScores
from models.ml.evaluation.evaluation_data import EvaluationData, assign_components
from models.ml.evaluation.method_registry import (
    RANKER,
    FittedSplit,
    fit_split,
    predict_cold_start,
    predict_learning_curve,
    predict_warm_start,
)
from models.ml.evaluation.metric_summary import summarise_scores
from models.ml.evaluation.variance_split import (
    ExplainedVariance,
    VarianceSplit,
    estimate_explained_variance,
    split_variance,
)
from models.ml.features.decision_history import Decisions
from models.ml.validation.sample_frame import ALL_KNOWN

ALL_FOLDS = -1


@dataclass(frozen=True)
class Evaluation:
    """Metrics of all methods, and the variance split with the share that the ranker's cold predictions explain."""

    figures: pd.DataFrame
    """Columns protocol, amount, method, target (like or match), fold, and the metrics of `summarise_scores`.

    The amount is a number of decisions: those visible of each user (cold and warm protocols), -1 for all, or about how
    many were trained on (growing protocol). Fold -1 is all folds together.
    """
    split: VarianceSplit
    explained: ExplainedVariance


@dataclass(frozen=True)
class _Prediction:
    """Scores of a method for the test decisions of a fold."""

    fold: int
    test_index: Int64Array
    scores: BaselineScores


def evaluate_methods(data: EvaluationData, say: Callable[[str], None] = lambda _: None) -> Evaluation:
    """Evaluate the ranker and the baselines with all three protocols; `say` receives progress messages."""
    answered: dict[tuple[str, int, str], list[_Prediction]] = defaultdict(list)
    fitted: dict[int, FittedSplit] = {}
    mean_learned = len(data.decisions) * (protocols.FOLDS - 1) / protocols.FOLDS
    for ask in protocols.split_cold_start(data.group):
        say(f"fold {ask.fold + 1} of {protocols.FOLDS}: from profiles alone")
        fitted[ask.fold] = fit_split(data, ask)
        for method, scores in predict_cold_start(data, fitted[ask.fold], ask):
            answered["cold", 0, method].append(_Prediction(ask.fold, ask.test_index, scores))
    for ask in protocols.split_warm_start(data.decisions, data.group):
        amount = ALL_KNOWN if ask.history_size is None else ask.history_size
        say(f"fold {ask.fold + 1} of {protocols.FOLDS}: decisions known: {'all' if amount == ALL_KNOWN else amount}")
        for method, scores in predict_warm_start(data, fitted[ask.fold], ask):
            answered["warm", amount, method].append(_Prediction(ask.fold, ask.test_index, scores))
    for share, ask in zip(
        cycle(protocols.TRAINING_SHARES), protocols.split_learning_curve(data.decisions, data.group), strict=False
    ):
        say(f"fold {ask.fold + 1} of {protocols.FOLDS}: training on {len(ask.train_index):,} decisions")
        for method, scores in predict_learning_curve(data, ask):
            answered["growing", round(share * mean_learned), method].append(
                _Prediction(ask.fold, ask.test_index, scores)
            )
    p_cold = np.full(len(data.decisions), np.nan)
    for answer in answered["cold", 0, RANKER]:
        p_cold[answer.test_index] = answer.scores.like
    known = (
        data.decisions.actor,
        data.decisions.target,
        assign_components(data.decisions.actor, data.group),
        data.decisions.liked,
    )
    return Evaluation(
        compute_figures(data, answered), split_variance(*known), estimate_explained_variance(*known, p_cold)
    )


def compute_figures(
    data: EvaluationData, answered: Mapping[tuple[str, int, str], Sequence[_Prediction]]
) -> pd.DataFrame:
    """Compute the metrics of each protocol, amount and method, by fold and for all folds together."""
    rows: list[Mapping[str, object]] = []
    for (protocol, amount, method), answers in answered.items():
        for answer in [*answers, _concatenate(answers)]:
            where = {"protocol": protocol, "amount": amount, "method": method, "fold": answer.fold}
            rows += [{**where, **found} for found in _measure_prediction(data, answer)]
    return pd.DataFrame(rows)


def _concatenate(answers: Sequence[_Prediction]) -> _Prediction:
    scores = [answer.scores for answer in answers]
    like, match = (np.concatenate([getattr(each, name) for each in scores]) for name in ("like", "match"))
    asked = np.concatenate([answer.test_index for answer in answers])
    return _Prediction(ALL_FOLDS, asked, BaselineScores(like, match, scores[0].probabilities))


def _measure_prediction(data: EvaluationData, answer: _Prediction) -> Iterator[Mapping[str, object]]:
    asked, scores = data.take(answer.test_index), answer.scores
    both, match = _find_mutual_rows(asked)
    like = summarise_scores(asked.actor, asked.liked, scores.like, scores.probabilities)
    if data.truth is not None:
        like["truth_rank_correlation"] = _correlate_ranks(scores.like, data.truth[answer.test_index])
    yield {"target": "like", **like}
    yield {"target": "match", **summarise_scores(asked.actor[both], match, scores.match[both], scores.probabilities)}


def _correlate_ranks(score: Float64Array, truth: Float64Array) -> float:
    """Compute Spearman's correlation; NaN if one of the two is constant."""
    if min(len(np.unique(score)), len(np.unique(truth))) < 2:
        return float("nan")
    return float(spearmanr(score, truth).statistic)


def _find_mutual_rows(asked: Decisions) -> tuple[Int64Array, np.ndarray]:
    """Return the rows whose reverse is a test decision too, and whether both users like each other."""
    people = int(max(asked.actor.max(initial=0), asked.target.max(initial=0))) + 1
    forth, back = asked.actor * people + asked.target, asked.target * people + asked.actor
    at = pd.Index(forth).get_indexer(pd.Index(back))
    both = np.flatnonzero(at >= 0)
    return both, asked.liked[both] & asked.liked[at[both]]
