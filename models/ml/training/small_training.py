"""A second, small training on some of the decisions, from which the learning curve is measured.

It predicts the same held-out samples as the rankers do, and its folds are merged, so that it is cheap.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array, Int64Array
from models.ml.features.training_pairs import read_decisions
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.profile_matrix import ProfileMatrix, build_profile_matrix
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.training.fit import has_enough_data
from models.ml.training.imputation import impute_missing
from models.ml.training.learning_curve import LearningCurve, fit_learning_curve
from models.ml.training.train import MAX_DECISIONS, fit_on_decisions
from models.ml.validation.history_masking import draw_splits, sample_decisions
from models.ml.validation.holdout import HoldoutSet, predict_out_of_fold
from models.ml.validation.score_metrics import compute_log_losses

# One of so many decisions, at most so many, in so many folds.
ONE_OF, MAX_SMALL, MERGED_FOLDS = 4, 5_000, 3
MAX_SAMPLES = 20_000


def measure_learning_curve(
    rankers: CrossFittedRanker, profiles: pd.DataFrame, answers: AnswerEmbeddings, decisions: pd.DataFrame, seed: int
) -> LearningCurve:
    """Measure the learning curve of rankers that `train_ranker` has fitted on the same frames.

    Both trainings predict the same samples out of fold, by the same function. The curve is the usual one if the rankers
    are the prior, or if there are too few decisions for a small training.

    Args:
        rankers: The rankers.
        profiles: A profiles frame.
        answers: The embedded answers.
        decisions: A training-pairs frame.
        seed: Seed of samples, splits and trees.
    """
    profiles = profiles.sort_values("profile_id", ignore_index=True)
    decisions = decisions.sort_values(["viewer_id", "candidate_id"], ignore_index=True)
    decided, fold = read_decisions(decisions, pd.Index(profiles["profile_id"])), decisions["fold"].to_numpy(np.int64)
    most, merged = min(len(decided) // ONE_OF, MAX_SMALL), fold % MERGED_FOLDS
    few, many = (sample_decisions(decided, limit, seed) for limit in (most, MAX_DECISIONS))
    if not rankers.by_fold or not has_enough_data(decided.liked[few], merged[few]):
        return LearningCurve(len(decided))
    spec = rankers.full.specification
    arrays = build_profile_matrix(spec, profiles, answers)
    imputed = build_profile_matrix(spec, *impute_missing(spec, profiles, answers, seed))
    small = fit_on_decisions(spec, arrays, imputed, decided, merged, seed, max_decisions=most)[0].rankers
    holdout = HoldoutSet(decided, fold, draw_splits(decided, many, MAX_SAMPLES, seed))
    excess = _compute_losses(small, replace(holdout, fold=merged), arrays) - _compute_losses(rankers, holdout, arrays)
    asked = holdout.samples
    reach = _average_inverse_root(merged[few], merged[asked]) - _average_inverse_root(fold[many], fold[asked])
    return fit_learning_curve(len(decided), excess, decided.actor[asked], decided.target[asked], reach)


def _compute_losses(rankers: CrossFittedRanker, holdout: HoldoutSet, arrays: ProfileMatrix) -> Float64Array:
    return compute_log_losses(holdout.liked, predict_out_of_fold(rankers, holdout, arrays))


def _average_inverse_root(fold: Int64Array, of_sample: Int64Array) -> float:
    """Average 1 / sqrt(training decisions) over samples: decisions count for the samples of all other folds."""
    largest = int(max(fold.max(), of_sample.max()))
    return float(((len(fold) - np.bincount(fold, minlength=largest + 1)[of_sample]) ** -0.5).mean())
