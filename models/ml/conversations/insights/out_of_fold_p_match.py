"""How probable each match was by the two profiles, as said by rankers that have not seen its likes."""

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array, Int64Array
from models.ml.features.pair_features import Pairs, build_features, make_empty_history
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.id_lookup import find_positions
from models.ml.profiles.profile_matrix import ProfileMatrix, build_profile_matrix
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.validation.fold_assignments import IN_TRAINING, find_folds_at_training


def find_like_folds(pairs: pd.DataFrame, training_pairs: pd.DataFrame, fold: Int64Array) -> Int64Array:
    """Find the fold of the like of person_a and of that of person_b, int64 (n, 2); IN_TRAINING if there is none.

    Args:
        pairs: n conversations with the columns person_a and person_b.
        training_pairs: The frame of training pairs, m decisions.
        fold: Fold of each decision at the training of the rankers, int64 (m,).
    """
    decided = pd.MultiIndex.from_frame(training_pairs[["viewer_id", "candidate_id"]])
    by_decision = pd.Series(fold, decided)
    ways = (["person_a", "person_b"], ["person_b", "person_a"])
    found = [by_decision.reindex(pd.MultiIndex.from_frame(pairs[way]), fill_value=IN_TRAINING) for way in ways]
    return np.column_stack([each.to_numpy(np.int64) for each in found])


def compute_out_of_fold_p_match(
    rankers: CrossFittedRanker, people: ProfileMatrix, person: Int64Array, fold: Int64Array
) -> Float64Array:
    """Compute the product of both likes' probabilities, from the profiles alone, float64 (n,).

    NaN for a stranger, and for a like that every ranker was trained on: its probability would have learned the like.

    Args:
        rankers: The rankers.
        people: Users by the rankers' own feature spec.
        person: Positions of both people of each match, int64 (n, 2), -1 for a stranger.
        fold: Fold of the like of either, int64 (n, 2); see `find_like_folds`.
    """
    p_match = np.where((person >= 0).all(axis=1) & (fold != IN_TRAINING).all(axis=1), 1.0, np.nan)
    for side in range(2):
        for each in np.unique(fold[~np.isnan(p_match), side]).tolist():
            rows = np.flatnonzero(~np.isnan(p_match) & (fold[:, side] == each))
            pairs = Pairs(people, person[rows, side], person[rows, 1 - side], make_empty_history(len(rows)))
            ranker = rankers.get_out_of_fold(int(each))
            p_match[rows] *= ranker.predict_p_like(build_features(ranker.specification, pairs))
    return p_match


def predict_out_of_fold_p_match(
    rankers: CrossFittedRanker,
    facts: pd.DataFrame,
    profiles: pd.DataFrame,
    answers: AnswerEmbeddings,
    training_pairs: pd.DataFrame,
) -> Float64Array:
    """Predict p_match of n conversations by `compute_out_of_fold_p_match`, from frames, float64 (n,)."""
    ids = pd.Index(profiles["profile_id"])
    person = np.column_stack([find_positions(facts[name], ids) for name in ("person_a", "person_b")])
    folds = find_like_folds(facts, training_pairs, find_folds_at_training(rankers.held_out_viewers, training_pairs))
    people = build_profile_matrix(rankers.full.specification, profiles, answers)
    return compute_out_of_fold_p_match(rankers, people, person, folds)
