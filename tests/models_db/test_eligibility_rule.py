"""`matching.is_eligible`, rule by rule, and the functions it rests on, by known answers."""

import math
from datetime import date
from random import Random

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

HER, HIM = 1, 2
GENDERS = ["woman", "man", "nonbinary"]
DEGREE_KM = 6371.0088 * math.pi / 180
"""One degree of a meridian on the sphere of the Earth's mean radius."""
PARIS_TO_AMSTERDAM_KM = 429.700339122
"""From 48.86, 2.35 to 52.37, 4.90, by the law of cosines."""


def eligible(connection: Connection, viewer: int, candidate: int, as_of: date = AS_OF) -> bool:
    query = """
        SELECT matching.is_eligible(viewer, candidate, :as_of) FROM app.profiles AS viewer, app.profiles AS candidate
        WHERE viewer.id = :viewer AND candidate.id = :candidate
    """
    values = {"viewer": person_id(viewer), "candidate": person_id(candidate), "as_of": as_of}
    answer = connection.execute(text(query), values).scalar_one()
    assert answer is True or answer is False
    return answer


def both_ways(connection: Connection, her: dict[str, object], him: dict[str, object], as_of: date = AS_OF) -> bool:
    """Whether a woman born on 1 January 1990 and such a man, but for what is given, are eligible: a symmetric rule."""
    settle(connection, [HER], **her)
    settle(connection, [HIM], **him)
    answer = eligible(connection, HER, HIM, as_of)
    assert eligible(connection, HIM, HER, as_of) is answer
    return answer


def test_two_people_who_look_for_each_other_are_eligible(connection: Connection) -> None:
    assert both_ways(connection, {}, {})


def test_nobody_is_eligible_for_themselves(connection: Connection) -> None:
    settle(connection, [HER], seeks=["woman"])
    assert not eligible(connection, HER, HER)


@pytest.mark.parametrize(
    ("her_seeks", "his_gender", "his_seeks", "answer"),
    [
        (["man"], "man", ["woman"], True),
        (["woman", "nonbinary", "man"], "man", ["man", "woman"], True),
        (["nonbinary"], "nonbinary", ["woman"], True),
        (["woman"], "man", ["woman"], False),
        (["man"], "man", ["man"], False),
        (["man"], "nonbinary", ["woman"], False),
        ([], "man", ["woman"], False),
        (["man"], "man", [], False),
    ],
)
def test_each_must_look_for_the_other_s_gender(
    connection: Connection, her_seeks: list[str], his_gender: str, his_seeks: list[str], answer: bool
) -> None:
    assert both_ways(connection, {"seeks": her_seeks}, {"gender": his_gender, "seeks": his_seeks}) is answer


@pytest.mark.parametrize(("her", "him"), [(True, False), (False, True), (True, True)])
def test_paused_people_are_out(connection: Connection, her: bool, him: bool) -> None:
    assert not both_ways(connection, {"paused": her}, {"paused": him})


@pytest.mark.parametrize(
    ("limits", "answer"),
    [
        ({"age_min": None, "age_max": None}, True),
        ({"age_min": 30, "age_max": 30}, True),
        ({"age_min": 30, "age_max": None}, True),
        ({"age_min": None, "age_max": 30}, True),
        ({"age_min": 31, "age_max": None}, False),
        ({"age_min": None, "age_max": 29}, False),
        ({"age_min": 31, "age_max": 29}, False),
    ],
)
@pytest.mark.parametrize("whose", ["hers", "his"])
def test_each_must_be_within_the_other_s_ages(
    connection: Connection, limits: dict[str, object], answer: bool, whose: str
) -> None:
    her, him = (limits, {}) if whose == "hers" else ({}, limits)
    assert both_ways(connection, her, him) is answer


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(1990, 6, 15), date(2020, 6, 14), 29),
        (date(1990, 6, 15), date(2020, 6, 15), 30),
        (date(1990, 12, 31), date(2020, 12, 30), 29),
        (date(1990, 1, 1), date(2019, 12, 31), 29),
        (date(2004, 2, 29), date(2022, 2, 28), 17),
        (date(2004, 2, 29), date(2022, 3, 1), 18),
        (date(2004, 2, 29), date(2024, 2, 28), 19),
        (date(2004, 2, 29), date(2024, 2, 29), 20),
        (date(2003, 3, 1), date(2024, 2, 29), 20),
        (date(2000, 3, 31), date(2023, 3, 30), 22),
        (date(2020, 2, 1), date(2020, 2, 1), 0),
        (date(1, 1, 2), date(2020, 2, 1), 2019),
    ],
)
def test_age_in_years(connection: Connection, born: date, day: date, age: int) -> None:
    """Someone born on 29 February turns a year older on 1 March of a common year."""
    assert connection.scalar(text("SELECT matching.age_in_years(:born, :day)"), {"born": born, "day": day}) == age


def test_age_in_years_is_what_people_count(connection: Connection) -> None:
    @given(st.dates(date(1900, 1, 1), date(2020, 1, 1)), st.dates(date(2020, 1, 1), date(2100, 1, 1)))
    def agrees(born: date, day: date) -> None:
        counted = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        query = text("SELECT matching.age_in_years(:born, :day)")
        assert connection.scalar(query, {"born": born, "day": day}) == counted

    agrees()


@pytest.mark.parametrize("born", ["infinity", "-infinity", "0044-03-15 BC", "9999-12-31", "5874897-12-31"])
def test_the_age_of_whom_no_calendar_knows_is_that_of_nobody(connection: Connection, born: str) -> None:
    """As in the pipeline; and the one row is no error for everybody who would meet it."""
    query = text(f"SELECT matching.age_in_years('{born}', :day)")
    assert connection.scalar(query, {"day": AS_OF}) == -1


@pytest.mark.parametrize(
    ("born", "answer"),
    [
        (date(2002, 2, 1), True),
        (date(2002, 2, 2), False),
        (date(2019, 1, 1), False),
        (date(2030, 1, 1), False),
        (date(1909, 2, 2), True),
        (date(1909, 2, 1), False),
    ],
)
@pytest.mark.parametrize("whose", ["hers", "his"])
@pytest.mark.parametrize("limits", [{}, {"age_min": 0, "age_max": 150}])
def test_nobody_under_18_or_over_110_is_eligible_whatever_is_looked_for(
    connection: Connection, born: date, answer: bool, whose: str, limits: dict[str, object]
) -> None:
    her, him = ({"birth_date": born}, {}) if whose == "hers" else ({}, {"birth_date": born})
    assert both_ways(connection, her | limits, him | limits) is answer


@pytest.mark.parametrize("whose", ["hers", "his"])
def test_a_birthday_makes_a_pair_eligible(connection: Connection, whose: str) -> None:
    born: dict[str, object] = {"birth_date": date(2002, 2, 28)}
    limit: dict[str, object] = {"age_min": 18}
    her, him = (born, limit) if whose == "hers" else (limit, born)
    assert not both_ways(connection, her, him, as_of=date(2020, 2, 27))
    assert eligible(connection, HER, HIM, as_of=date(2020, 2, 28))


HERE: dict[str, object] = {"latitude": 52.0, "longitude": 5.0}
A_DEGREE_NORTH: dict[str, object] = {"latitude": 53.0, "longitude": 5.0}


@pytest.mark.parametrize(
    ("her_limit", "his_limit", "answer"),
    [
        (None, None, True),
        (DEGREE_KM + 0.01, None, True),
        (None, DEGREE_KM + 0.01, True),
        (DEGREE_KM - 0.01, None, False),
        (None, DEGREE_KM - 0.01, False),
        (DEGREE_KM + 0.01, DEGREE_KM - 0.01, False),
        (DEGREE_KM - 0.01, DEGREE_KM + 0.01, False),
        (1000, 1000, True),
        (0, None, False),
    ],
)
def test_each_must_be_near_enough_for_the_other(
    connection: Connection, her_limit: float | None, his_limit: float | None, answer: bool
) -> None:
    her, him = HERE | {"max_distance_km": her_limit}, A_DEGREE_NORTH | {"max_distance_km": his_limit}
    assert both_ways(connection, her, him) is answer


def test_a_limit_is_near_enough_itself(connection: Connection) -> None:
    assert both_ways(connection, HERE | {"max_distance_km": 0}, HERE | {"max_distance_km": 0})


@pytest.mark.parametrize("missing", ["latitude", "longitude"])
@pytest.mark.parametrize("whose", ["hers", "his"])
def test_an_unknown_place_is_near_enough(connection: Connection, missing: str, whose: str) -> None:
    near, nowhere = HERE | {"max_distance_km": 1}, A_DEGREE_NORTH | {"max_distance_km": 1, missing: None}
    her, him = (nowhere, near) if whose == "hers" else (near, nowhere)
    assert both_ways(connection, her, him)


@pytest.mark.parametrize("unknown", "abcd")
def test_the_distance_to_an_unknown_place_is_unknown(connection: Connection, unknown: str) -> None:
    query = text("SELECT matching.distance_km(:a, :b, :c, :d)")
    assert connection.scalar(query, {"a": 52, "b": 5, "c": 53, "d": 5} | {unknown: None}) is None


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((0, 0), (0, 0), 0),
        ((52, 5), (53, 5), DEGREE_KM),
        ((0, 179.5), (0, -179.5), DEGREE_KM),
        ((90, 0), (90, 137), 0),
        ((60, 0), (60, 180), 60 * DEGREE_KM),
        ((0, 0), (0, 180), 180 * DEGREE_KM),
        ((90, 0), (-90, 0), 180 * DEGREE_KM),
        ((48.8566, 2.3522), (52.3676, 4.9041), PARIS_TO_AMSTERDAM_KM),
    ],
    ids=["same", "a degree", "date line", "pole", "over the pole", "antipodes", "poles", "Paris to Amsterdam"],
)
def test_distance_km(connection: Connection, a: tuple[float, float], b: tuple[float, float], km: float) -> None:
    """Great circles on a sphere of the Earth's mean radius; Paris to Amsterdam is between hundredths of a degree."""
    query = text("SELECT matching.distance_km(:a, :b, :c, :d), matching.distance_km(:c, :d, :a, :b)")
    there, back = connection.execute(query, dict(zip("abcd", (*a, *b), strict=True))).one()
    assert there == pytest.approx(km, abs=1e-6)
    assert back == there


def somebody(random: Random) -> dict[str, object]:
    """Values few enough that every rule decides some pairs, and that limits are often just met."""
    return {
        "gender": random.choice(GENDERS),
        "seeks": random.sample(GENDERS, random.randint(1, 3)),
        "birth_date": random.choice([date(2000, 2, 29), date(2000, 2, 1), date(2000, 2, 2), date(1999, 2, 1)]),
        "age_min": random.choice([None, 18, 19, 20]),
        "age_max": random.choice([None, 20, 21]),
        "latitude": random.choice([None, 52.0, 52.5, 53.0]),
        "longitude": random.choice([5.0, 179.9, -179.9]),
        "max_distance_km": random.choice([None, 0, 100, 20_000]),
        "paused": random.random() < 0.1,
    }


def test_the_pipeline_has_the_same_rule(connection: Connection) -> None:
    """Everybody with everybody, by `models.ml.eligibility.rules` on the frame of `pipelines.assets.extract`, and by
    the database.
    """
    random = Random(7)  # noqa: S311 - a town, not a secret
    people = range(150)
    town = [somebody(random) for _ in people]
    for number, columns in zip(people, town, strict=True):
        settle(connection, [number], **columns)
    frame = read_profiles(connection)
    frame["age"] = compute_ages(pd.to_datetime(pd.Series([columns["birth_date"] for columns in town])), AS_OF)
    learned = find_eligible(build_rules(frame), np.arange(len(people)))
    query = """
        SELECT viewer.id, candidate.id FROM app.profiles AS viewer, app.profiles AS candidate
        WHERE matching.is_eligible(viewer, candidate, :as_of)
    """
    ruled = np.zeros_like(learned)
    for viewer_id, candidate_id in connection.execute(text(query), {"as_of": AS_OF}):
        ruled[viewer_id.int, candidate_id.int] = True
    assert 1000 < ruled.sum() < 10_000
    np.testing.assert_array_equal(learned, ruled)
