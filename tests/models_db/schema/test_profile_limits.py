"""The limits in SQL and in Python are one list: what the pipeline's contract refuses, the API's rules refuse."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from models.db.schema import profile_limits as limits
from models.ml.profiles.frame_contracts import check_profiles
from tests.models_db.conftest import person_id, settle

SQL = """
SELECT matching.keeps_limits(%s, %s::text[], %s::int, %s::int, %s::float8, %s::float8, %s::float8)
   AND matching.has_valid_values(%s, %s, %s)
"""
FINE: dict[str, Any] = {
    "gender": "woman",
    "seeks": ["man"],
    **dict.fromkeys(("age_min", "age_max", "latitude", "longitude", "max_distance_km")),
    **{name: {} for name in ("traits", "facts", "wants")},
}


def around(bounds: tuple[float, float]) -> st.SearchStrategy[float | None]:
    """Numbers at the bounds, just beyond them, far beyond, and none."""
    edges = [edge + step for edge in bounds for step in (-1, 0, 1)]
    return st.sampled_from([None, *edges, float("nan"), float("inf"), float("-inf"), 1e30])


WORDS = st.sampled_from(["woman", "man", "", " ", "\t\n", " man ", "é", "x" * 500, "x" * 501])
ANY = st.one_of(WORDS, st.booleans(), st.none(), st.integers(-2, 2), st.lists(st.just(1), max_size=1))
AGES = around(limits.AGE_LIMITS).map(lambda n: None if n is None or abs(n) > 1e4 or n != n else int(n))
VALUES = {
    "gender": WORDS,
    "seeks": st.lists(WORDS, max_size=3) | st.sampled_from([["man"] * 20, ["man"] * 21]),
    "age_min": AGES,
    "age_max": AGES,
    "latitude": around(limits.LATITUDES),
    "longitude": around(limits.LONGITUDES),
    "max_distance_km": around(limits.DISTANCES_KM),
    "traits": st.dictionaries(WORDS, ANY | st.sampled_from([1e9, -1e9, 1.1e9, -1.1e9, 0.5]), max_size=2),
    "facts": st.dictionaries(WORDS, ANY, max_size=2),
    "wants": st.dictionaries(WORDS, ANY | st.sampled_from([0.0, 1.0, 1.01, -0.01]), max_size=2),
}


def is_accepted(profile: dict[str, Any]) -> bool:
    row = profile | {"profile_id": "a", "age": 30, "texts": {}, "interests": [], "paused": False}
    accepted, _ = check_profiles(pd.DataFrame({name: pd.Series([cell], dtype=object) for name, cell in row.items()}))
    return len(accepted) == 1


def is_shown(connection: Connection, profile: dict[str, Any]) -> bool:
    values = tuple(Jsonb(value) if isinstance(value, dict) else value for value in profile.values())
    return connection.exec_driver_sql(SQL, values).scalar() is True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.sampled_from(list(FINE)).flatmap(lambda name: st.tuples(st.just(name), VALUES[name])))
def test_sql_and_python_refuse_the_same(connection: Connection, change: tuple[str, object]) -> None:
    profile = FINE | dict([change])
    assert is_shown(connection, profile) == is_accepted(profile)


LARGE = {
    "seeks": ["x" * 1_000] * 5,
    "traits": {f"trait {number}": number for number in range(2_000)},
    "facts": {"job": "x" * 33_000},
    "wants": {f"want {number}": 0.5 for number in range(2_000)},
}


@pytest.mark.parametrize("column", LARGE)
def test_both_refuse_what_is_too_large(connection: Connection, column: str) -> None:
    profile = FINE | {column: LARGE[column]}
    assert (is_shown(connection, profile), is_accepted(profile)) == (False, False)


BEYOND: dict[str, object] = {
    "max_distance_km": -1,
    "age_min": -1,
    "age_max": 151,
    "latitude": 90.1,
    "longitude": float("-inf"),
    "seeks": ["man", "woman", None],
    "traits": {"humour": "much"},
    "facts": {"job": ""},
    "wants": {"humour": 2},
}


@pytest.mark.parametrize("column", BEYOND)
def test_who_breaks_a_limit_is_shown_to_nobody_and_sees_nobody(connection: Connection, column: str) -> None:
    settle(connection, [1, 2])
    query = "SELECT count(*) FROM matching.visible_candidates"
    assert connection.exec_driver_sql(query).scalar() == 2
    value = Jsonb(BEYOND[column]) if isinstance(BEYOND[column], dict) else BEYOND[column]
    for number in (1, 2):
        with connection.begin_nested() as savepoint:
            change = f"UPDATE app.profiles SET {column} = %s WHERE id = %s"
            connection.exec_driver_sql(change, (value, person_id(number)))
            assert connection.exec_driver_sql(query).scalar() == 0
            savepoint.rollback()
