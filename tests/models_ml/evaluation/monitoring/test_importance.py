"""What moves a ranker whose weights are known."""

from dataclasses import replace

import numpy as np
import pytest

from models.ml.evaluation.monitoring.importance import compute_importance
from models.ml.features.pair_features import list_feature_groups
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.feature_spec import fit_feature_spec
from models.ml.ranker.contributions import HISTORY_SUBJECT
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import build_prior
from tests.models_ml import planted


def test_importance_is_the_mean_size_of_contributions() -> None:
    """A year between ages counts 0.5, history 9; nobody wrote anything, and traits count nothing."""
    town = planted.circles()
    spec = fit_feature_spec(town.profiles, NO_ANSWERS)
    names = [name for name, _ in list_feature_groups(spec)]
    weights = np.array([9.0 * name.startswith("history.") + 0.5 * (name == "age.distance") for name in names])
    prior = build_prior(spec, names, np.zeros(0, bool))
    ranker = replace(prior, linear=LinearModel(weights, 0.0), means=np.zeros(len(names)))
    found = compute_importance(ranker, town.profiles, NO_ANSWERS, town.decisions())
    assert found.idxmax() == HISTORY_SUBJECT
    assert found.drop([HISTORY_SUBJECT, "ages"]).to_numpy() == pytest.approx(0)
    age = town.profiles["age"].to_numpy()
    assert found["ages"] == pytest.approx(0.5 * np.abs(age[town.viewer] - age[town.candidate]).mean(), rel=0.1)
