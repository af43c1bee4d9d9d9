"""Evidence for a new ranker from logs: the live lists in its order, against the order of the champion."""

import numpy as np
import pandas as pd

from models.db.errors import InputError
from models.experiments.off_policy.orders import LoggedOrder, check_orders, compare_orders
from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.decision_history import build_decision_history
from models.ml.features.pair_features import Pairs, build_features
from models.ml.features.training_pairs import read_decisions
from models.ml.market.attention.attention_model import LIST_LENGTH
from models.ml.market.attention.examination_curve import evaluate_curve
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.id_lookup import find_positions
from models.ml.profiles.profile_matrix import build_profile_matrix
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.ranker.residuals import compute_residuals
from models.ml.validation.fold_assignments import IN_TRAINING
from models.ml.validation.gate_rules import GateCheck, leave_unjudged
from pipelines.assets.market.attention_estimates import estimate_attention
from pipelines.assets.market.policies.logged_lists import IDS, LoggedLists, read_logged_lists
from pipelines.resources import DatabaseResource

EVIDENCE_CHECK = "has_evidence"


def check_order_evidence(
    database: DatabaseResource,
    rankers: CrossFittedRanker,
    profiles: pd.DataFrame,
    answers: AnswerEmbeddings,
    training_pairs: pd.DataFrame,
) -> GateCheck:
    """Check the order of a new ranker by what users did with the live lists."""
    try:
        with database.open_engine() as engine, engine.connect() as connection:
            logged, estimate = read_logged_lists(connection), estimate_attention(connection)
    except InputError as error:
        return leave_unjudged(EVIDENCE_CHECK, f"the logs do not tell: {error}", passed=False)
    ids = pd.Index(profiles["profile_id"])
    person = np.column_stack([find_positions(logged.cards[name].to_numpy(object), ids) for name in IDS])
    # What a viewer decided on the card would be part of the history that the ranker sees.
    before = int(logged.publication.created_at.timestamp() * 1_000_000)
    known = training_pairs[training_pairs["decided_at"] < before]
    rows = logged.cards["opened"].to_numpy(bool) & (person >= 0).all(axis=1)
    ours = predict_out_of_fold_p_like(rankers, profiles, answers, known, person[rows], training_pairs)
    order = _build_order(logged, rows)
    compared = compare_orders(order, ours, order.p_like, evaluate_curve(estimate.lists, LIST_LENGTH).clip(max=1))
    return check_orders(EVIDENCE_CHECK, compared, f"publication {logged.publication.id}")


def predict_out_of_fold_p_like(
    rankers: CrossFittedRanker,
    profiles: pd.DataFrame,
    answers: AnswerEmbeddings,
    known: pd.DataFrame,
    person: Int64Array,
    training_pairs: pd.DataFrame,
) -> Float64Array:
    """Predict p_like of k pairs by the ranker that has not seen the viewer, float64 (k,).

    Args:
        rankers: The rankers.
        profiles: A profiles frame.
        answers: The embedded answers.
        known: The training pairs that count as history.
        person: Positions of viewer and candidate, int64 (k, 2).
        training_pairs: All decisions that the rankers were trained on.
    """
    ids, people = pd.Index(profiles["profile_id"]), build_profile_matrix(rankers.full.specification, profiles, answers)
    decisions, found = read_decisions(known, ids), np.empty(len(person))
    of_viewer = training_pairs.drop_duplicates("viewer_id").set_index("viewer_id")["fold"]
    fold = of_viewer.reindex(ids, fill_value=IN_TRAINING).to_numpy(np.int64)[person[:, 0]]
    for each in np.unique(fold).tolist():
        ranker, rows = rankers.get_out_of_fold(each), np.flatnonzero(fold == each)
        history = build_decision_history(decisions, compute_residuals(ranker, people, decisions), len(ids))
        viewer, candidate = person[rows].T
        pairs = Pairs(people, viewer, candidate, history.get_pair_history(viewer, candidate))
        found[rows] = ranker.predict_p_like(build_features(ranker.specification, pairs))
    return found


def _build_order(logged: LoggedLists, rows: BoolArray) -> LoggedOrder:
    cards = logged.cards[rows]
    return LoggedOrder(
        viewer=np.asarray(pd.factorize(cards["viewer_id"])[0], np.int64),
        position=cards["position"].to_numpy(np.int64),
        examined=cards["examined"].to_numpy(bool),
        liked=cards["liked"].to_numpy(bool),
        p_like=cards["p_like"].to_numpy(np.float64),
    )
