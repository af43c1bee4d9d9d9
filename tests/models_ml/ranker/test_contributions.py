"""Contributions: by feature as the ranker has them, by subject their sums."""

import numpy as np
import pytest

from models.ml.features.decision_history import PairHistory
from models.ml.features.pair_features import Pairs, build_features, list_feature_groups
from models.ml.ranker.contributions import HISTORY_SUBJECT, compute_feature_contributions, compute_subject_contributions
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import Ranker
from tests.models_ml.conftest import crowd, number, positions, specification, tally, unknown

MADE = specification(
    traits=[number("warmth", 0, 1), number("wit", 0, 1)],
    wants=[number("warmth", 0, 1), number("wealth", 0, 1)],
    interests={"cats": 0.2},
)
NAMES = [name for name, _ in list_feature_groups(MADE)]


def test_features_and_subjects_add_up_to_the_log_odds() -> None:
    """The first and the second of three about the third, who was liked in three of four decisions."""
    cold, linear = LinearModel(np.zeros(len(NAMES) - 8), 0.0), LinearModel(np.linspace(-1, 2, len(NAMES)), 0.3)
    ranker = Ranker(MADE, cold, linear, np.linspace(0, 1, len(NAMES)), slope=0.5, shift=0.1, booster=None)
    town = crowd(3, MADE, age=[20, 30, 50], traits=[[1, 0], [-1, 2], [0.5, 0.5]], wants=[[1, 0], [0, 0], [2, 1]])
    received = tally([4, 4], [3, 3])
    pairs = Pairs(town, positions(0, 1), positions(2, 2), PairHistory(unknown(2), unknown(2), unknown(2), received))

    features, subjects = compute_feature_contributions(ranker, pairs), compute_subject_contributions(ranker, pairs)
    assert list(features) == NAMES
    average = 0.5 * linear.log_odds(ranker.means[None]) + 0.1
    log_odds = ranker.predict_log_odds(build_features(MADE, pairs))
    assert (features.sum(axis=1) + average).tolist() == pytest.approx(log_odds.tolist(), rel=1e-5)
    assert subjects.sum(axis=1).tolist() == pytest.approx(features.sum(axis=1).tolist())
    history = [name for name in NAMES if name.startswith("history.")]
    for subject, names in {
        "ages": [name for name in NAMES if name.startswith("age.gap")] + ["age.distance"],
        "what the candidate wants": ["want.warmth.candidate", "want.warmth.met_back", "want.wealth.candidate"],
        HISTORY_SUBJECT: history,
    }.items():
        assert subjects[subject].tolist() == pytest.approx(features[names].sum(axis=1).tolist())
    assert list(subjects)[-1] == HISTORY_SUBJECT
    assert set(subjects) >= {"who looks", "who is looked at", "distance", "interests", "answers"}
