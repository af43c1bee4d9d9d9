"""The population stability index: known answers, and what moves it."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from models.ml.evaluation.monitoring.drift import P_LIKE, PSI_ALERT, DriftReference, build_reference, compute_drift
from models.ml.evaluation.monitoring.drift import compute_drift_features as measured
from models.ml.features.pair_features import list_feature_groups
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.feature_spec import fit_feature_spec
from models.ml.ranker.ranker_model import build_prior
from tests.models_ml import planted


def test_index_by_hand() -> None:
    """Half of ten equal bins are empty since, which counts as 0.001, and the others twice as full."""
    then = build_reference({"age": np.arange(100.0), "same": np.arange(50.0), "gone": np.ones(3)})
    found = compute_drift(then, {"same": np.arange(50.0), "age": np.arange(50.0), "new": np.ones(3)})
    expected = 5 * 0.1 * np.log(2) + 5 * -0.099 * np.log(0.01)
    assert found.to_dict() == pytest.approx({"age": expected, "same": 0})
    assert list(found.index) == ["age", "same"]


def test_codes_have_a_bin_each_and_unknown_values_one_more() -> None:
    codes = np.tile([0.0, 1.0, 2.0], 30)
    then = build_reference({"fact": codes})
    assert then.edges["fact"] == [0, 1]
    half = np.where(np.arange(90) // 3 % 2, np.nan, codes)
    expected = 3 * (1 / 6 - 1 / 3) * np.log(1 / 2) + 0.499 * np.log(500)
    assert compute_drift(then, {"fact": half})["fact"] == pytest.approx(expected)


def test_older_people_are_noticed_by_a_stored_reference() -> None:
    profiles = planted.one_circle().profiles
    spec = fit_feature_spec(profiles, NO_ANSWERS)
    ranker = build_prior(spec, [name for name, _ in list_feature_groups(spec)], np.zeros(0, bool))
    numbers = measured(ranker, profiles, NO_ANSWERS)
    assert {name: len(values) for name, values in numbers.items()} == dict.fromkeys(
        ("age", "gender", "answers", "trait warmth"), len(profiles)
    ) | {P_LIKE: 20_000}
    then = DriftReference(**json.loads(json.dumps(asdict(build_reference(numbers)))))
    assert (compute_drift(then, numbers) == 0).all()
    moved = compute_drift(then, measured(ranker, profiles.assign(age=profiles["age"] + 15), NO_ANSWERS))
    assert moved.index[0] == "age"
    assert moved["age"] > PSI_ALERT
    assert moved["gender"] == 0
