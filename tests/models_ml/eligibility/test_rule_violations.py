"""Listed pairs against the rules: what is found eligible breaks none, and each rule is told when it is broken."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.eligibility.rule_violations import RULES, count_rule_violations
from models.ml.eligibility.rules import EligibilityRules, build_rules, find_eligible
from models.ml.profiles.geography import compute_distance_km
from tests.models_ml.conftest import somebody

NONE = (np.empty(0, np.int64), np.empty(0, np.int64))
ANN = {"gender": "woman", "seeks": ["man"], "latitude": 47.0, "longitude": 8.5, "max_distance_km": 50.0}
BOB = {"gender": "man", "seeks": ["woman"], "latitude": 47.1, "longitude": 8.5}


def broken(*changes: dict[str, object], decided: tuple[np.ndarray, np.ndarray] = NONE) -> dict[str, int]:
    """What Ann's being shown Bob breaks, each of them with a change."""
    ann, bob = (base | change for base, change in zip((ANN, BOB), (*changes, {}, {}), strict=False))
    town = build_rules(pd.DataFrame([somebody("a", **ann), somebody("b", **bob)]))
    counts = count_rule_violations(town, decided, np.array([0]), np.array([1]))
    return {str(rule): int(count) for rule, count in counts.items() if count}


def test_a_pair_that_fits_breaks_nothing() -> None:
    assert broken() == {}


@pytest.mark.parametrize(
    ("ann", "bob", "rule"),
    [
        ({"seeks": ["woman"]}, {}, "genders"),
        ({}, {"seeks": []}, "genders"),
        ({"age_max": 20.0}, {"age": 21}, "ages"),
        ({"age": 40}, {"age_max": 39.0}, "ages"),
        ({"max_distance_km": 11.0}, {}, "distance"),
        ({}, {"max_distance_km": 11.0}, "distance"),
        ({"paused": True}, {}, "paused"),
        ({}, {"paused": True}, "paused"),
    ],
)
def test_each_rule_is_told(ann: dict[str, object], bob: dict[str, object], rule: str) -> None:
    assert broken(ann, bob) == {rule: 1}


def test_whom_the_viewer_decided_on_is_not_shown_again_but_the_other_way_is_fine() -> None:
    one, other = np.array([0]), np.array([1])
    assert broken(decided=(one, other)) == {"liked or passed before": 1}
    assert broken(decided=(other, one)) == {}


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_pairs_and_blocks_have_one_rule_to_the_limit_of_distance(seed: int, people: int) -> None:
    """Many users reach exactly as far as another user is."""
    random = np.random.default_rng(seed)
    place = np.where(random.random((people, 1)) < 0.1, np.nan, random.uniform([47, 8], [48, 9], (people, 2)))
    to_another = compute_distance_km(place, random.permutation(place))
    rules = EligibilityRules(
        gender=random.integers(0, 3, people),
        seeks=random.random((people, 3)) < 0.6,
        age=random.integers(18, 60, people).astype(float),
        age_min=random.integers(18, 30, people).astype(float),
        age_max=random.integers(30, 70, people).astype(float),
        place=place,
        max_distance_km=np.where(np.isnan(to_another), np.inf, to_another),
        paused=random.random(people) < 0.1,
    )
    everybody = np.arange(people)
    viewer, candidate = (each.ravel() for each in np.indices((people, people)))
    broken = rules.find_broken(viewer, candidate).reshape(people, people)
    matrix = find_eligible(rules, everybody)
    np.testing.assert_array_equal(matrix, broken == 0)
    one_way = rules.match_preferences(everybody)
    np.testing.assert_array_equal(matrix, one_way & one_way.T)
    counts = count_rule_violations(rules, NONE, viewer, candidate)
    expected = {name: ((broken & bit) > 0).sum() for name, bit in RULES.items()} | {"liked or passed before": 0}
    assert counts.to_dict() == expected
    assert counts["themselves"] == people
