"""Evaluation of registered rankers on held-out samples, without fitting anything.

Each sample is predicted by the ranker that was fitted without its fold, as in the gate (models.ml.validation.holdout).
So no ranker has seen the users and decisions that it predicts. Folds are those of the rankers' own training, which may
be older than the decisions.
"""

from dataclasses import replace
from math import nan

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array
from models.ml.features.training_pairs import read_decisions
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.profile_matrix import build_profile_matrix
from models.ml.ranker.ranker_model import CrossFittedRanker, Ranker
from models.ml.validation.clustered_errors import estimate_within_viewer_auc_error
from models.ml.validation.fold_assignments import IN_TRAINING, find_folds_at_training
from models.ml.validation.history_masking import MaskedSplit, draw_splits, sample_decisions
from models.ml.validation.holdout import HoldoutSet, predict_out_of_fold
from models.ml.validation.sample_frame import ALL_KNOWN, tabulate_samples
from models.ml.validation.score_metrics import compute_calibration_error, compute_log_loss, compute_within_viewer_auc

MAX_SAMPLES = 30_000
TRUTH_METHOD = "truth but for chemistry"
PROBABILITIES = ("ranker", "linear start", "popularity", TRUTH_METHOD)
METHODS = (*PROBABILITIES, "interest cosine", "random")
"""What predicts the samples; the linear start is the ranker without its trees."""


def predict_samples(
    rankers: CrossFittedRanker,
    profiles: pd.DataFrame,
    answers: AnswerEmbeddings,
    decisions: pd.DataFrame,
    truth: Float64Array | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Predict held-out samples of the decisions in a training-pairs frame, with more or less history visible.

    Args:
        rankers: The rankers, one for each fold.
        profiles: A profiles frame.
        answers: The embedded answers.
        decisions: A training-pairs frame of n rows.
        truth: True probability of each row of `decisions`, float64 (n,), for the method TRUTH_METHOD.
        seed: Seed of the samples.

    Returns:
        The frame of `sample_frame.tabulate_samples`, with the score of each of METHODS; those in PROBABILITIES are
        probabilities.
    """
    events = read_decisions(decisions, pd.Index(profiles["profile_id"]))
    sampled = sample_decisions(events, MAX_SAMPLES, seed)
    then = find_folds_at_training(rankers.held_out_viewers, decisions)
    holdout = HoldoutSet(events, then, draw_splits(events, sampled, MAX_SAMPLES, seed)).filter(then != IN_TRAINING)
    arrays = build_profile_matrix(rankers.full.specification, profiles, answers)
    p_like = {
        "ranker": predict_out_of_fold(rankers, holdout, arrays),
        "linear start": predict_out_of_fold(_remove_trees(rankers), holdout, arrays),
    }
    samples = tabulate_samples(holdout, holdout.build_pairs(arrays), p_like, float(events.liked.mean()), seed)
    return samples if truth is None else samples.assign(**{TRUTH_METHOD: truth[holdout.samples]})


def predict_cold(
    rankers: CrossFittedRanker, profiles: pd.DataFrame, answers: AnswerEmbeddings, decisions: pd.DataFrame
) -> Float64Array:
    """Predict p_like of each row of a training-pairs frame from profiles alone, float64 (n,).

    Groups that have merged since, and were in several folds, have been seen in part by each ranker. The full one
    predicts them.
    """
    events = read_decisions(decisions, pd.Index(profiles["profile_id"]))
    everything = MaskedSplit(0, np.empty(0, np.int64), np.arange(len(events)))
    holdout = HoldoutSet(events, find_folds_at_training(rankers.held_out_viewers, decisions), [everything])
    return predict_out_of_fold(rankers, holdout, build_profile_matrix(rankers.full.specification, profiles, answers))


def summarise_by_method(questions: pd.DataFrame) -> pd.DataFrame:
    """Summarise each method in a row, best first: AUC within viewers, standard error, log loss, calibration error.

    The last two are NaN for methods without probabilities. The AUC is the mean over lists, as in the gate.
    """
    rows = {method: _measure_method(questions, method) for method in METHODS if method in questions}
    names = ["AUC within viewers", "standard error", "log loss (nats)", "calibration error"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=names)
    return table.sort_values(names[0], ascending=False)


def summarise_by_history(questions: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """Apply `summarise_by_method` to each history size, smallest first, all (-1) last."""
    amounts = sorted(questions["known"].unique(), key=lambda amount: (amount == ALL_KNOWN, amount))
    return {int(amount): summarise_by_method(questions[questions["known"] == amount]) for amount in amounts}


def _measure_method(questions: pd.DataFrame, method: str) -> list[float]:
    liked, score = questions["liked"], questions[method]
    people = questions["viewer"], questions["candidate"]
    ranking = [
        compute_within_viewer_auc(questions["list"], liked, score),
        estimate_within_viewer_auc_error(questions["list"], *people, liked, score),
    ]
    probable = method in PROBABILITIES
    return [
        *ranking,
        *((compute_log_loss(liked, score), compute_calibration_error(liked, score)) if probable else (nan, nan)),
    ]


def _remove_trees(rankers: CrossFittedRanker) -> CrossFittedRanker:
    def remove_booster(ranker: Ranker) -> Ranker:
        return replace(ranker, booster=None)

    by_fold = {fold: remove_booster(each) for fold, each in rankers.by_fold.items()}
    return replace(rankers, full=remove_booster(rankers.full), by_fold=by_fold)
