"""Listed pairs against the rules: what is found eligible breaks none, and each rule is told when it is broken."""

import numpy as np
import pandas as pd
import pytest

from models.ml.eligibility.rule_violations import count_rule_violations
from models.ml.eligibility.rules import build_rules, find_eligible
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


def test_what_candidates_are_found_by_breaks_nothing() -> None:
    """The two ways to ask, of 120 people of all kinds."""
    random = np.random.default_rng(7)
    kinds = ["woman", "man", "nonbinary"]
    rows = [
        somebody(
            str(number),
            gender=kinds[random.integers(3)],
            seeks=[kind for kind in kinds if random.random() < 0.5],
            age=int(random.integers(18, 60)),
            age_min=float(random.integers(18, 30)),
            age_max=float(random.integers(30, 70)),
            latitude=47 + random.random(),
            longitude=8 + random.random(),
            max_distance_km=float(random.integers(5, 100)),
            paused=bool(random.random() < 0.1),
        )
        for number in range(120)
    ]
    town = build_rules(pd.DataFrame(rows))
    matrix = find_eligible(town, np.arange(120))
    assert not count_rule_violations(town, NONE, *np.nonzero(matrix)).any()
    unfit = np.nonzero(~matrix)
    counts = count_rule_violations(town, NONE, *unfit)
    some = list(zip(*unfit, strict=True))[:500]
    each = [count_rule_violations(town, NONE, viewer[None], candidate[None]).any() for viewer, candidate in some]
    assert all(each)
    assert counts["themselves"] == 120
