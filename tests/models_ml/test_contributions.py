"""Contributions: by feature as the ranker has them, by subject their sums."""

import numpy as np
import pytest

from models.ml.contributions import LIKES_SO_FAR, by_feature, by_subject
from models.ml.features import Pairs, build, names_and_groups
from models.ml.history import History
from models.ml.linear import Linear
from models.ml.ranker import Ranker
from tests.models_ml.conftest import crowd, positions, tally, unknown
from tests.models_ml.test_reasons import MADE

NAMES = [name for name, _ in names_and_groups(MADE)]
RANKER = Ranker(
    MADE,
    Linear(np.zeros(len(NAMES) - 8), 0.0),
    Linear(np.linspace(-1, 2, len(NAMES)), 0.3),
    np.linspace(0, 1, len(NAMES)),
    slope=0.5,
    shift=0.1,
    booster=None,
)


def pairs() -> Pairs:
    """The first and the second of three about the third, who was liked in three of four decisions."""
    town = crowd(3, MADE, age=[20, 30, 50], traits=[[1, 0], [-1, 2], [0.5, 0.5]], wants=[[1, 0], [0, 0], [2, 1]])
    received = tally([4, 4], [3, 3])
    return Pairs(town, positions(0, 1), positions(2, 2), History(unknown(2), unknown(2), unknown(2), received))


def test_features_and_subjects_add_up_to_what_the_ranker_says() -> None:
    features = by_feature(RANKER, pairs())
    assert list(features) == NAMES
    average = 0.5 * RANKER.linear.log_odds(RANKER.means[None]) + 0.1
    said = RANKER.log_odds(build(MADE, pairs()))
    assert (features.sum(axis=1) + average).tolist() == pytest.approx(said.tolist(), rel=1e-5)
    assert by_subject(RANKER, pairs()).sum(axis=1).tolist() == pytest.approx(features.sum(axis=1).tolist())


def test_a_subject_is_made_of_its_features() -> None:
    features, subjects = by_feature(RANKER, pairs()), by_subject(RANKER, pairs())
    assert subjects["ages"].tolist() == pytest.approx(features.filter(like="age.gap").sum(axis=1).add(
        features["age.distance"]).tolist())  # fmt: skip
    assert subjects[LIKES_SO_FAR].tolist() == pytest.approx(features.filter(like="history.").sum(axis=1).tolist())
    candidate = features[["want.warmth.candidate", "want.warmth.met_back", "want.wealth.candidate"]]
    assert subjects["what the candidate wants"].tolist() == pytest.approx(candidate.sum(axis=1).tolist())
    assert list(subjects)[-1] == LIKES_SO_FAR
    assert set(subjects) >= {"who looks", "who is looked at", "distance", "interests", "answers"}
