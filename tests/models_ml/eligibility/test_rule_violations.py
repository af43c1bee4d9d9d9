import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.eligibility.rule_violations import RULES, count_rule_violations
from models.ml.eligibility.rules import EligibilityRules, build_rules, find_eligible
from models.ml.profiles.geography import compute_distance_km
from tests.models_ml.conftest import positions, profiles


def test_a_decision_is_broken_by_its_own_direction_only() -> None:
    rules = build_rules(profiles({}, {}))
    for viewer, candidate, count in ((0, 1, 1), (1, 0, 0)):
        decided = (positions(0, -1), positions(1, 1))
        found = count_rule_violations(rules, decided, positions(viewer), positions(candidate))
        assert found["liked or passed before"] == found.sum() == count


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_pairs_and_blocks_have_one_rule(seed: int, people: int, size: int) -> None:
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
    np.testing.assert_array_equal(matrix[:size], find_eligible(rules, everybody[:size]))
    one_way = rules.match_preferences(everybody)
    np.testing.assert_array_equal(matrix, one_way & one_way.T)
    counts = count_rule_violations(rules, (positions(), positions()), viewer, candidate)
    expected = {name: ((broken & bit) > 0).sum() for name, bit in RULES.items()} | {"liked or passed before": 0}
    assert counts.to_dict() == expected
    assert counts["themselves"] == people
