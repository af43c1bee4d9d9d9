"""Train a ranker on the frames of a population, and report on held-out samples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.decision_history import Decisions
from models.ml.features.pair_features import (
    build_cold_pairs,
    build_history_features,
    build_profile_features,
    list_feature_groups,
)
from models.ml.features.training_pairs import read_decisions
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.feature_spec import FeatureSpec, fit_feature_spec
from models.ml.profiles.profile_matrix import ProfileMatrix, build_profile_matrix
from models.ml.ranker.calibration import MIN_ROWS
from models.ml.ranker.cold_start import CrossFittedRidge, Folds, fit_cold_start
from models.ml.ranker.ranker_model import CrossFittedRanker, build_prior
from models.ml.training.fit import (
    SEARCH_SPACE,
    FittedRanker,
    ObservedHistory,
    Say,
    SearchSpace,
    TrainingSet,
    TreeTrainer,
    bound_data,
    fit_ranker,
    say_nothing,
    train_trees,
)
from models.ml.training.imputation import impute_missing
from models.ml.validation.fold_assignments import IN_TRAINING, find_folds_at_training, group_viewers_by_fold
from models.ml.validation.gate import (
    CHAMPION_COMPARISON,
    SIMPLE_BASELINES,
    UNSEEN,
    GateReport,
    bound_learning,
    build_report,
    compare_with_rivals,
    compute_ranker_metrics,
)
from models.ml.validation.gate_rules import Rule
from models.ml.validation.history_masking import draw_splits, sample_decisions
from models.ml.validation.holdout import HoldoutSet, iterate_fold_batches, predict_out_of_fold
from models.ml.validation.sample_frame import tabulate_samples

# Limits for the cold-start ridge (decisions) and for ridge and trees with history (samples).
MAX_DECISIONS = 300_000
MAX_SAMPLES = 60_000
SAMPLES_PER_DECISION = 4


@dataclass(frozen=True)
class TrainingResult:
    """Rankers, and what held-out folds say of them.

    Attributes:
        rankers: The rankers; the prior if nothing was learned.
        report: The metrics of the gate; None for the prior.
        samples: The held-out samples that the report measures (see `sample_frame.tabulate_samples`), predicted by the
            fitted rankers, even if the result is the prior; None if there was too little data to fit any.
        unlearned: The rules that a training must meet to learn something, if the result is the prior.
    """

    rankers: CrossFittedRanker
    report: GateReport | None
    samples: pd.DataFrame | None = None
    unlearned: Sequence[Rule] = ()


def train_ranker(
    profiles: pd.DataFrame,
    answers: AnswerEmbeddings,
    decisions: pd.DataFrame,
    seed: int,
    *,
    champion: CrossFittedRanker | None = None,
    sensitive: bool = False,
    trainer: TreeTrainer = train_trees,
    say: Say = say_nothing,
) -> TrainingResult:
    """Train a ranker on a training-pairs frame.

    The result is the prior if there is too little data or nothing was learned. Nothing was learned if held-out samples
    are ranked no better than at random, or a higher score means fewer likes. The same rows and seed give the same
    rankers, whatever the order of the rows.

    Args:
        profiles: A profiles frame.
        answers: The embedded answers.
        decisions: A training-pairs frame.
        seed: Seed of splits, imputation and trees.
        champion: The champion, which is reported on the samples that it has not seen.
        sensitive: Use traits, facts and wants about race or ethnicity.
        trainer: Trains the trees of the full ranker.
        say: Receives each step.
    """
    # Splits and trees depend on the order of rows.
    profiles = profiles.sort_values("profile_id", ignore_index=True)
    decisions = decisions.sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    spec = fit_feature_spec(profiles, answers, sensitive=sensitive)
    decided = read_decisions(decisions, pd.Index(profiles["profile_id"]))
    fold = decisions["fold"].to_numpy(np.int64)
    unlearned, samples = [bound_data(decided.liked, fold)], None
    if unlearned[0].is_met:
        arrays = build_profile_matrix(spec, profiles, answers)
        answered = build_profile_matrix(spec, *impute_missing(spec, profiles, answers, seed))
        fitted, holdout = fit_on_decisions(spec, arrays, answered, decided, fold, seed, trainer, say=say)
        say("figures on held-out samples")
        found, samples = _report_held_out(fitted, holdout, arrays, seed)
        unlearned = bound_learning(found, fitted.rankers.full.slope)
        if all(rule.is_met for rule in unlearned):
            if champion is not None:
                say("comparison with the champion")
                as_it_sees = build_profile_matrix(champion.full.specification, profiles, answers)
                then = find_folds_at_training(champion.held_out_viewers, decisions)
                ours = predict_out_of_fold(fitted.rankers, holdout, arrays)
                found = {**found, **_compare_on_common_holdout(champion, as_it_sees, holdout, then, ours)}
            rankers = replace(fitted.rankers, held_out_viewers=group_viewers_by_fold(decisions))
            return TrainingResult(rankers, found, samples)
    names = [name for name, _ in list_feature_groups(spec)]
    return TrainingResult(CrossFittedRanker(build_prior(spec, names, decided.liked), {}), None, samples, unlearned)


def _report_held_out(
    fitted: FittedRanker, holdout: HoldoutSet, arrays: ProfileMatrix, seed: int
) -> tuple[GateReport, pd.DataFrame]:
    """Return the metrics of a fitted ranker and of its simple rivals, and the samples that they are measured on."""
    ours, linear = expit(fitted.held_out), expit(fitted.held_out_linear)
    pairs = holdout.build_pairs(arrays)
    p_like = {"ranker": ours, "linear start": linear}
    samples = tabulate_samples(holdout, pairs, p_like, float(holdout.liked.mean()), seed)
    rivals = {"ridge": linear} | {name: samples[name.replace("_", " ")].to_numpy() for name in SIMPLE_BASELINES}
    report = build_report(holdout, pairs, {"ranker": ours, "ridge": linear}, seed)
    return {**report, **compare_with_rivals(holdout, ours, rivals, probable=["ridge"])}, samples


def _compare_on_common_holdout(
    champion: CrossFittedRanker, arrays: ProfileMatrix, holdout: HoldoutSet, then: Int64Array, p_like: Float64Array
) -> GateReport:
    """Compute the metrics of the champion and of the new ranker on the samples that the champion has not seen.

    Both are predicted by `predict_out_of_fold`. The training's own held-out predictions have residuals without each
    pair of folds, which a champion does not keep: with these, a ranker differs from its identical twin.

    Args:
        champion: The champion.
        arrays: Users by the champion's own feature spec.
        holdout: The holdout set.
        then: The fold in which the champion's training held out each decision, int64 (n,), or IN_TRAINING.
        p_like: The new ranker's predictions by `predict_out_of_fold`, float64 (q,).

    Returns:
        The metrics and their paired differences; if the champion has seen too many samples for a comparison, how many
        likes and passes it has not seen.
    """
    unseen: BoolArray = then != IN_TRAINING
    its_exam = replace(holdout, fold=then).filter(unseen)
    likes, passes = int(its_exam.liked.sum()), int((~its_exam.liked).sum())
    if min(likes, passes) < MIN_ROWS:
        return {UNSEEN: {"likes": likes, "passes": passes}}
    ours, theirs = p_like[unseen[holdout.samples]], predict_out_of_fold(champion, its_exam, arrays)
    return {
        **compute_ranker_metrics(its_exam, {"champion": theirs, CHAMPION_COMPARISON: ours}),
        **compare_with_rivals(its_exam, ours, {"champion": theirs}, probable=["champion"]),
    }


def fit_on_decisions(
    spec: FeatureSpec,
    arrays: ProfileMatrix,
    answered: ProfileMatrix,
    decisions: Decisions,
    fold: Int64Array,
    seed: int,
    trainer: TreeTrainer = train_trees,
    *,
    search: SearchSpace = SEARCH_SPACE,
    max_decisions: int = MAX_DECISIONS,
    say: Say = say_nothing,
) -> tuple[FittedRanker, HoldoutSet]:
    """Fit a ranker on n decisions.

    Args:
        spec: The feature spec.
        arrays: The users.
        answered: The same users with imputed values (see models.ml.training.imputation).
        decisions: The decisions.
        fold: Fold of each decision, int64 (n,).
        seed: Seed of samples, splits and trees.
        trainer: Trains the trees of the full ranker.
        search: What to choose from.
        max_decisions: About how many decisions to train on; all count as history.
        say: Receives each step.

    Returns:
        The rankers, and the holdout set that the cross-fitted ones predicted.
    """
    sampled = sample_decisions(decisions, max_decisions, seed)
    say(f"cold start on {len(sampled):,} decisions")
    features = build_profile_features(spec, build_cold_pairs(arrays, decisions.take(sampled)))
    cold = fit_cold_start(features, decisions.liked[sampled], fold[sampled], search.cold)
    rows = min(SAMPLES_PER_DECISION * len(sampled), MAX_SAMPLES)
    holdout = HoldoutSet(decisions, fold, draw_splits(decisions, sampled, rows, seed))
    others = _predict_unsampled(spec, arrays, decisions, fold, sampled, cold)

    def observe_history(left_out: Folds) -> ObservedHistory:
        log_odds = others.copy()
        log_odds[sampled] = cold.log_odds(features, fold[sampled], left_out)
        history = holdout.build_history(decisions.liked - expit(log_odds), len(arrays))
        return ObservedHistory(log_odds[holdout.samples], build_history_features(history))

    at = np.searchsorted(sampled, holdout.samples)
    grown_on = build_profile_features(spec, build_cold_pairs(answered, decisions.take(holdout.samples)))
    questions = TrainingSet(features[at], grown_on, holdout.liked, fold[holdout.samples], observe_history)
    return fit_ranker(spec, cold, questions, seed, trainer, search, say), holdout


def _predict_unsampled(
    spec: FeatureSpec,
    arrays: ProfileMatrix,
    decisions: Decisions,
    fold: Int64Array,
    sampled: Int64Array,
    cold: CrossFittedRidge,
) -> Float64Array:
    """Compute the cold log-odds of the decisions that were not sampled, float64 (n,); NaN for sampled ones.

    Each uses the ridge without its own fold only, whatever is held out, so they are computed once instead of once per
    fold. A population with so many decisions has too many for one fold to reveal another.
    """
    log_odds = np.full(len(decisions), np.nan)
    rest = np.setdiff1d(np.arange(len(decisions)), sampled)
    for block in iterate_fold_batches(fold[rest]):
        rows = rest[block]
        features = build_profile_features(spec, build_cold_pairs(arrays, decisions.take(rows)))
        log_odds[rows] = cold.log_odds(features, fold[rows])
    return log_odds
