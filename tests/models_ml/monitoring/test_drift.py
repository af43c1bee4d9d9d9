"""The population stability index: known answers, and what moves it."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from models.ml.monitoring.drift import (
    P_LIKE,
    PSI_ALERT,
    DriftReference,
    build_reference,
    compute_drift,
    compute_drift_features,
    compute_stability_index,
)
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.training.train import train_ranker
from tests.models_ml import planted

TOWN = planted.one_circle()
RANKER = train_ranker(TOWN.profiles, NO_ANSWERS, TOWN.decisions(), 0).rankers.full


def test_by_hand() -> None:
    """(0.4 - 0.5) ln(0.8) + (0.6 - 0.5) ln(1.2)."""
    index = compute_stability_index(np.array([0.5, 0.5]), np.array([0.4, 0.6]))
    assert index == pytest.approx(0.0405465, abs=1e-6)
    assert compute_stability_index(np.array([1.0, 0.0]), np.array([1.0, 0.0])) == 0


def test_the_same_are_as_before_and_a_sample_of_the_same_nearly() -> None:
    random = np.random.default_rng(1)
    then = build_reference({"age": random.normal(size=5000)})
    assert compute_drift(then, {"age": random.normal(size=5000)})["age"] == pytest.approx(9 * 2 / 5000, abs=0.004)
    same = {"age": random.normal(size=50)}
    assert compute_drift(build_reference(same), same).to_dict() == {"age": 0}


def test_codes_unknown_and_shifted_numbers_are_told_apart() -> None:
    random = np.random.default_rng(2)
    numbers = {"fact": random.integers(0, 3, 900).astype(float), "age": random.normal(size=900)}
    then = build_reference(numbers)
    assert then.edges["fact"] == [0, 1]
    now = compute_drift(
        then, {"fact": np.where(random.random(900) < 0.5, np.nan, numbers["fact"]), "age": numbers["age"] + 1}
    )
    assert (now > PSI_ALERT).all()
    assert list(compute_drift(then, {**numbers, "age": numbers["age"] + 1, "new": np.ones(3)}).index) == ["age", "fact"]


def test_a_town_is_described_the_same_in_any_json() -> None:
    numbers = compute_drift_features(RANKER, TOWN.profiles, NO_ANSWERS)
    assert len(numbers[P_LIKE]) == 20_000
    assert {len(values) for name, values in numbers.items() if name != P_LIKE} == {len(TOWN.profiles)}
    then = DriftReference(**json.loads(json.dumps(asdict(build_reference(numbers)))))
    assert (compute_drift(then, numbers) == 0).all()


def test_older_people_are_noticed() -> None:
    then = build_reference(compute_drift_features(RANKER, TOWN.profiles, NO_ANSWERS))
    older = TOWN.profiles.assign(age=TOWN.profiles["age"] + 15)
    moved = compute_drift(then, compute_drift_features(RANKER, older, NO_ANSWERS))
    assert moved.index[0] == "age"
    assert moved["age"] > PSI_ALERT
    assert moved["gender"] == 0
