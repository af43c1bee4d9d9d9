"""Contributions: by feature as the ranker has them, by subject their sums."""

import numpy as np
import pytest

from models.ml.features.decision_history import PairHistory
from models.ml.features.pair_features import Pairs, build_features, list_feature_groups
from models.ml.ranker.contributions import HISTORY_SUBJECT, compute_feature_contributions, compute_subject_contributions
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import Ranker
from tests.models_ml.conftest import crowd, positions, tally, unknown
from tests.models_ml.scoring.test_match_reasons import MADE

NAMES = [name for name, _ in list_feature_groups(MADE)]
RANKER = Ranker(
    MADE,
    LinearModel(np.zeros(len(NAMES) - 8), 0.0),
    LinearModel(np.linspace(-1, 2, len(NAMES)), 0.3),
    np.linspace(0, 1, len(NAMES)),
    slope=0.5,
    shift=0.1,
    booster=None,
)


def pairs() -> Pairs:
    """The first and the second of three about the third, who was liked in three of four decisions."""
    town = crowd(3, MADE, age=[20, 30, 50], traits=[[1, 0], [-1, 2], [0.5, 0.5]], wants=[[1, 0], [0, 0], [2, 1]])
    received = tally([4, 4], [3, 3])
    return Pairs(town, positions(0, 1), positions(2, 2), PairHistory(unknown(2), unknown(2), unknown(2), received))


def test_features_and_subjects_add_up_to_what_the_ranker_says() -> None:
    features = compute_feature_contributions(RANKER, pairs())
    assert list(features) == NAMES
    average = 0.5 * RANKER.linear.log_odds(RANKER.means[None]) + 0.1
    said = RANKER.predict_log_odds(build_features(MADE, pairs()))
    assert (features.sum(axis=1) + average).tolist() == pytest.approx(said.tolist(), rel=1e-5)
    assert compute_subject_contributions(RANKER, pairs()).sum(axis=1).tolist() == pytest.approx(
        features.sum(axis=1).tolist()
    )


def test_a_subject_is_made_of_its_features() -> None:
    features, subjects = compute_feature_contributions(RANKER, pairs()), compute_subject_contributions(RANKER, pairs())
    assert subjects["ages"].tolist() == pytest.approx(features.filter(like="age.gap").sum(axis=1).add(
        features["age.distance"]).tolist())  # fmt: skip
    assert subjects[HISTORY_SUBJECT].tolist() == pytest.approx(features.filter(like="history.").sum(axis=1).tolist())
    candidate = features[["want.warmth.candidate", "want.warmth.met_back", "want.wealth.candidate"]]
    assert subjects["what the candidate wants"].tolist() == pytest.approx(candidate.sum(axis=1).tolist())
    assert list(subjects)[-1] == HISTORY_SUBJECT
    assert set(subjects) >= {"who looks", "who is looked at", "distance", "interests", "answers"}
