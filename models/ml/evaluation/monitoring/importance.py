"""Importance of feature groups: their contributions, averaged over decisions."""

import numpy as np
import pandas as pd

from models.ml.features.decision_history import build_decision_history
from models.ml.features.pair_features import Pairs
from models.ml.features.training_pairs import read_decisions
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.profile_matrix import build_profile_matrix
from models.ml.ranker.contributions import compute_subject_contributions
from models.ml.ranker.ranker_model import Ranker
from models.ml.ranker.residuals import compute_residuals
from models.ml.validation.history_masking import sample_decisions

MAX_DECISIONS = 20_000
MAX_EXPLAINED = 5_000


def compute_importance(
    ranker: Ranker, profiles: pd.DataFrame, answers: AnswerEmbeddings, decisions: pd.DataFrame, seed: int = 0
) -> "pd.Series[float]":
    """Compute the mean absolute contribution of each subject to the log-odds of a like, float64.

    Half of the decisions, at random, are history, and the others are explained (see models.ml.ranker.contributions).

    Args:
        ranker: The ranker.
        profiles: A profiles frame.
        answers: The embedded answers.
        decisions: A training-pairs frame.
        seed: Seed of the sample and of the split.
    """
    decided = read_decisions(decisions, pd.Index(profiles["profile_id"]))
    decided = decided.take(sample_decisions(decided, MAX_DECISIONS, seed))
    arrays = build_profile_matrix(ranker.specification, profiles, answers)
    known = np.random.default_rng(seed).random(len(decided)) < 1 / 2
    past, asked = decided.take(np.flatnonzero(known)), decided.take(np.flatnonzero(~known)[:MAX_EXPLAINED])
    residual = compute_residuals(ranker, arrays, past)
    history = build_decision_history(past, residual, len(arrays)).get_pair_history(asked.actor, asked.target)
    return compute_subject_contributions(ranker, Pairs(arrays, asked.actor, asked.target, history)).abs().mean()
