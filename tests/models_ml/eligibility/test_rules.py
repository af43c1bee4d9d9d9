"""The hard two-way rules on arrays: each both ways by hand, and all of them beside the database's own."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from models.ml.eligibility.rules import build_rules, find_eligible
from models.ml.profiles.frame_contracts import compute_ages
from pipelines.assets.extract import read_profiles
from tests.models_db.conftest import AS_OF, person_id, settle
from tests.models_ml.conftest import positions, profiles
from tests.models_ml.profiles.test_geography import DEGREE

Person = dict[str, object]

HERE: Person = {"latitude": 52.0, "longitude": 5.0}
A_DEGREE_NORTH: Person = {"latitude": 53.0, "longitude": 5.0}


def fit(her: Person, him: Person) -> bool:
    """Whether a woman and a man of 30 who look for each other, but for what is given, are eligible either way."""
    woman: Person = {"gender": "woman", "seeks": ["man"]}
    man: Person = {"gender": "man", "seeks": ["woman"]}
    matrix = find_eligible(build_rules(profiles(woman | her, man | him)), positions(0, 1))
    assert matrix[0, 1] == matrix[1, 0]
    assert not matrix.diagonal().any()
    return bool(matrix[0, 1])


@pytest.mark.parametrize(
    ("her", "him", "answer"),
    [
        ({}, {}, True),
        ({"seeks": ["woman", "man"]}, {}, True),
        ({"seeks": ["woman"]}, {}, False),
        ({"seeks": []}, {}, False),
        ({}, {"seeks": []}, False),
        ({}, {"seeks": ["man"]}, False),
        ({"seeks": ["nonbinary"]}, {"gender": "nonbinary"}, True),
        ({"seeks": ["somebody unheard of"]}, {}, False),
        ({"paused": True}, {}, False),
        ({}, {"paused": True}, False),
        ({"age_min": 30, "age_max": 30}, {}, True),
        ({"age_min": 31}, {}, False),
        ({"age_max": 29}, {}, False),
        ({}, {"age_min": 31}, False),
        ({}, {"age_max": 29}, False),
        ({"age": 25, "age_max": 35}, {"age": 35, "age_min": 25}, True),
        ({"age": 25, "age_max": 34}, {"age": 35, "age_min": 25}, False),
        ({"age": 18}, {"age": 110}, True),
        ({"age": 17}, {}, False),
        ({}, {"age": 111}, False),
        ({"age_min": 0}, {"age": 17, "age_min": 0}, False),
        ({"age_max": 150}, {"age": 111, "age_max": 150}, False),
        (HERE, A_DEGREE_NORTH, True),
        (HERE | {"max_distance_km": DEGREE + 0.01}, A_DEGREE_NORTH | {"max_distance_km": DEGREE + 0.01}, True),
        (HERE | {"max_distance_km": DEGREE - 0.01}, A_DEGREE_NORTH, False),
        (HERE, A_DEGREE_NORTH | {"max_distance_km": DEGREE - 0.01}, False),
        (HERE | {"max_distance_km": 0}, HERE | {"max_distance_km": 0}, True),
        (HERE | {"max_distance_km": 1}, {"latitude": 53.0}, True),
        ({}, HERE | {"max_distance_km": 1}, True),
    ],
)
def test_each_rule(her: Person, him: Person, answer: bool) -> None:
    assert fit(her, him) is answer


def test_the_rows_are_the_viewers_asked_for() -> None:
    town = build_rules(
        profiles({"seeks": ["man"]}, {"gender": "man"}, {"gender": "man", "paused": True}, {"gender": "man"})
    )
    assert find_eligible(town, positions(3, 0)).tolist() == [[True, False, False, False], [False, True, False, True]]
    assert find_eligible(town, positions()).shape == (0, 4)


def test_there_may_be_any_number_of_genders() -> None:
    town: list[Person] = [{"gender": f"{number}", "seeks": [f"{99 - number}"]} for number in range(100)]
    np.testing.assert_array_equal(
        find_eligible(build_rules(profiles(*town)), np.arange(100)), np.eye(100, dtype=bool)[::-1]
    )


def test_everybody_of_one_age_and_nobody_with_a_place() -> None:
    town = build_rules(profiles(*[{"age": 40, "age_min": 40, "age_max": 40, "max_distance_km": 1}] * 5))
    np.testing.assert_array_equal(find_eligible(town, np.arange(5)), ~np.eye(5, dtype=bool))


maybe_age = st.sampled_from([np.nan, 18, 30, 40])
anybody = st.fixed_dictionaries(
    {
        "age": st.sampled_from([18, 30, 40]),
        "gender": st.sampled_from(["woman", "man"]),
        "seeks": st.lists(st.sampled_from(["woman", "man"]), max_size=2),
        "age_min": maybe_age,
        "age_max": maybe_age,
        "latitude": st.sampled_from([np.nan, 52.0, 53.0]),
        "longitude": st.just(5.0),
        "max_distance_km": st.sampled_from([np.nan, 0.0, 112.0]),
        "paused": st.booleans(),
    }
)


@given(st.lists(anybody, min_size=1, max_size=8), st.integers(1, 8))
def test_who_is_eligible_is_eligible_back_whatever_the_block(town: list[Person], size: int) -> None:
    made = build_rules(profiles(*town))
    everybody = np.arange(len(town))
    whole = find_eligible(made, everybody)
    np.testing.assert_array_equal(whole, whole.T)
    blocks = [find_eligible(made, everybody[start : start + size]) for start in range(0, len(town), size)]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


PEOPLE = 60


def drawn(random: np.random.Generator) -> Person:
    """Somebody of a small country, born about a birthday, whose limits decide about half of the others."""

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


def drawn_in_a_village(random: np.random.Generator) -> Person:
    """Somebody whose neighbours' cells, about 1 km wide, decide: no place is at the middle of one."""
    place = {"latitude": random.uniform(52, 52.04), "longitude": random.uniform(5, 5.06)}
    return drawn(random) | place | {"age_min": None, "age_max": None, "max_distance_km": random.uniform(0.5, 4)}


@pytest.mark.parametrize("draw", [drawn, drawn_in_a_village])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_database_has_the_same_rule(
    connection: Connection, seed: int, draw: Callable[[np.random.Generator], Person]
) -> None:
    random = np.random.default_rng(seed)
    town = [draw(random) for _ in range(PEOPLE)]
    for number, columns in enumerate(town):
        settle(connection, [number], **columns)
    frame = read_profiles(connection)
    assert frame["profile_id"].tolist() == [person_id(number) for number in range(PEOPLE)]
    frame["age"] = compute_ages(pd.to_datetime(pd.Series([columns["birth_date"] for columns in town])), AS_OF)
    query = """
        SELECT array_agg(matching.is_eligible(viewer, candidate, :as_of) ORDER BY candidate.id)
        FROM app.profiles AS viewer, app.profiles AS candidate GROUP BY viewer.id ORDER BY viewer.id
    """
    ruled = np.array(connection.scalars(text(query), {"as_of": AS_OF}).all())
    assert 200 < ruled.sum() < PEOPLE * PEOPLE / 2
    np.testing.assert_array_equal(find_eligible(build_rules(frame), np.arange(PEOPLE)), ruled)
