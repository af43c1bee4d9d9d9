from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from models.ml.eligibility.rule_violations import RULES, count_rule_violations
from models.ml.eligibility.rules import build_rules, find_eligible
from models.ml.eligibility.supply_and_demand import assign_age_band, compute_supply_and_demand
from models.ml.profiles.frame_contracts import compute_ages
from pipelines.assets.extract import read_profiles
from tests.models_db.conftest import AS_OF, person_id, settle
from tests.models_ml.conftest import draw_rules, positions, profiles
from tests.models_ml.profiles.test_geography import DEGREE

Person = dict[str, object]

HERE: Person = {"latitude": 52.0, "longitude": 5.0}
A_DEGREE_NORTH: Person = {"latitude": 53.0, "longitude": 5.0}


@pytest.mark.parametrize(
    ("one", "other", "broken"),
    [
        ({}, {}, None),
        ({"seeks": ["woman", "man", "nonbinary"]}, {}, None),
        ({"seeks": ["nonbinary"]}, {}, "genders"),
        ({"seeks": []}, {}, "genders"),
        ({"seeks": ["nonbinary"]}, {"gender": "nonbinary"}, None),
        ({"paused": True}, {}, "paused"),
        ({"age_min": 30, "age_max": 30}, {}, None),
        ({"age_min": 31}, {}, "ages"),
        ({"age_max": 29}, {}, "ages"),
        ({"age": 25, "age_max": 35}, {"age": 35, "age_min": 25}, None),
        ({"age": 25, "age_max": 34}, {"age": 35, "age_min": 25}, "ages"),
        ({"age": 18}, {"age": 110}, None),
        ({"age": 17}, {}, "ages"),
        ({"age_min": 0}, {"age": 17, "age_min": 0}, "ages"),
        ({"age_max": 150}, {"age": 111, "age_max": 150}, "ages"),
        (HERE, A_DEGREE_NORTH, None),
        (HERE | {"max_distance_km": DEGREE + 0.01}, A_DEGREE_NORTH | {"max_distance_km": DEGREE + 0.01}, None),
        (HERE | {"max_distance_km": DEGREE - 0.01}, A_DEGREE_NORTH, "distance"),
        (HERE | {"max_distance_km": 0}, HERE | {"max_distance_km": 0}, None),
        (HERE | {"max_distance_km": 1}, {"latitude": 53.0}, None),
    ],
)
def test_each_rule(one: Person, other: Person, broken: str | None) -> None:
    """A woman and a man of 30 who seek each other, but for what is given of either."""
    woman: Person = {"gender": "woman", "seeks": ["man"]}
    man: Person = {"gender": "man", "seeks": ["woman"]}
    for pair in ((woman | one, man | other), (woman | other, man | one)):
        rules = build_rules(profiles(*pair))
        assert find_eligible(rules, positions(0, 1)).tolist() == [[False, not broken], [not broken, False]]
        counts = count_rule_violations(rules, (positions(), positions()), positions(0, 1), positions(1, 0))
        assert counts[counts > 0].to_dict() == ({broken: 2} if broken else {})


def test_rows_are_the_viewers_asked_for() -> None:
    rules = build_rules(
        profiles({"seeks": ["man"]}, {"gender": "man"}, {"gender": "man", "paused": True}, {"gender": "man"})
    )
    assert find_eligible(rules, positions(3, 0)).tolist() == [[True, False, False, False], [False, True, False, True]]
    assert find_eligible(rules, positions()).shape == (0, 4)


def test_there_may_be_any_number_of_genders() -> None:
    people: list[Person] = [{"gender": f"{number}", "seeks": [f"{99 - number}"]} for number in range(100)]
    eligible = find_eligible(build_rules(profiles(*people)), np.arange(100))
    np.testing.assert_array_equal(eligible, np.eye(100, dtype=bool)[::-1])


PEOPLE = 60


def draw_in_a_country(random: np.random.Generator) -> Person:
    """Somebody born about a birthday, whose limits decide about half of the others."""

    def maybe(value: float) -> float | None:
        return value if random.random() < 0.6 else None

    return {
        "gender": str(random.choice(["woman", "man"])),
        "seeks": [str(gender) for gender in random.choice(["woman", "man"], random.integers(1, 3), replace=False)],
        "birth_date": date(int(random.integers(1985, 1990)), 2, 1) + timedelta(days=int(random.integers(-1, 2))),
        "age_min": maybe(int(random.integers(29, 33))),
        "age_max": maybe(int(random.integers(32, 36))),
        "latitude": maybe(random.uniform(50, 54)),
        "longitude": maybe(random.uniform(3, 8)),
        "max_distance_km": maybe(random.uniform(50, 500)),
        "paused": bool(random.random() < 0.05),
    }


def draw_in_a_village(random: np.random.Generator) -> Person:
    """Somebody whose cell, about 1 km wide, and its neighbours decide: nobody is at the middle of one."""
    place = {"latitude": random.uniform(52, 52.04), "longitude": random.uniform(5, 5.06)}
    limits = {"age_min": None, "age_max": None, "max_distance_km": random.uniform(0.5, 4)}
    return draw_in_a_country(random) | place | limits


@pytest.mark.parametrize("draw", [draw_in_a_country, draw_in_a_village])
def test_the_database_has_the_same_rule(connection: Connection, draw: Callable[[np.random.Generator], Person]) -> None:
    random = np.random.default_rng(1)
    people = [draw(random) for _ in range(PEOPLE)]
    for number, columns in enumerate(people):
        settle(connection, [number], **columns)
    frame = read_profiles(connection)
    assert frame["profile_id"].tolist() == [person_id(number) for number in range(PEOPLE)]
    frame["age"] = compute_ages(pd.to_datetime(pd.Series([columns["birth_date"] for columns in people])), AS_OF)
    query = """
        SELECT array_agg(matching.is_eligible(viewer, candidate, :as_of) ORDER BY candidate.id)
        FROM app.profiles AS viewer, app.profiles AS candidate GROUP BY viewer.id ORDER BY viewer.id
    """
    expected = np.array(connection.scalars(text(query), {"as_of": AS_OF}).all())
    assert 200 < expected.sum() < PEOPLE * PEOPLE / 2
    np.testing.assert_array_equal(find_eligible(build_rules(frame), np.arange(PEOPLE)), expected)


def test_a_decision_is_broken_by_its_own_direction_only() -> None:
    rules = build_rules(profiles({}, {}))
    for viewer, candidate, count in ((0, 1, 1), (1, 0, 0)):
        decided = (positions(0, -1), positions(1, 1))
        found = count_rule_violations(rules, decided, positions(viewer), positions(candidate))
        assert found["liked or passed before"] == found.sum() == count


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40))
def test_pairs_and_blocks_have_one_rule(seed: int, people: int, size: int) -> None:
    rules = draw_rules(seed, people)
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


WOMAN: dict[str, object] = {"gender": "woman", "seeks": ["man"]}
MAN: dict[str, object] = {"gender": "man", "seeks": ["woman"]}


def test_supply_and_demand_by_hand() -> None:
    """Two women for three men, of whom one is too young for the second woman; a third woman is paused."""
    rules = build_rules(profiles(WOMAN, WOMAN | {"age_min": 30}, MAN, MAN, MAN | {"age": 25}, WOMAN | {"paused": True}))
    found = compute_supply_and_demand(rules)
    assert found["asks_for"].tolist() == [3, 2, 2, 2, 2, 0]
    assert found["asked_for_by"].tolist() == [3, 3, 2, 2, 1, 0]
    assert found["demand"].tolist() == pytest.approx([3 / 2, 3 / 2, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2, 1 / 3, 0])
    pd.testing.assert_frame_equal(compute_supply_and_demand(rules, viewers_per_batch=2), found)


def test_age_bands() -> None:
    bands = assign_age_band(pd.Series([18, 24, 25, 59, 60, 99]))
    assert bands.tolist() == ["18-24", "18-24", "25-29", "50-59", "60 and up", "60 and up"]
    assert bands.cat.ordered
