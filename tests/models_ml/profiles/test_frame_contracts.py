"""The frame contracts: each rule, its reason, and that nobody is lost between accepted and rejected."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.profiles.frame_contracts import (
    MAX_ANSWER_LENGTH,
    SURFACE_REASON,
    SURFACES,
    check_interactions,
    check_profiles,
    compute_ages,
)
from tests.models_ml.conftest import profiles, somebody

TOO_LONG = "an answer is longer than 10,000 characters"
TEXTS, TRAITS, FACTS = "texts must be strings", "traits must be finite numbers", "facts must be words"
SEEKS, INTERESTS = "seeks must be a list of genders", "interests must be a list of words"
WANTS, AGE = "wants must be importances from 0 to 1", "age must be 18 to 110"

BROKEN_PROFILES: list[tuple[str, object, str]] = [
    ("profile_id", None, "profile_id is missing"),
    ("profile_id", "", "profile_id is missing"),
    ("profile_id", 7, "profile_id is missing"),
    ("age", 17, AGE),
    ("age", 111, AGE),
    ("age", -1, AGE),
    ("age", None, AGE),
    ("age", "30", AGE),
    ("gender", None, "gender is missing"),
    ("gender", " ", "gender is missing"),
    ("gender", 3, "gender is missing"),
    ("seeks", "man", SEEKS),
    ("seeks", None, SEEKS),
    ("seeks", ["man", None], SEEKS),
    ("seeks", [""], SEEKS),
    ("age_min", -1, "age_min must be 0 to 150"),
    ("age_min", [18], "age_min must be 0 to 150"),
    ("age_max", 151, "age_max must be 0 to 150"),
    ("latitude", 90.01, "latitude must be -90 to 90"),
    ("latitude", -90.01, "latitude must be -90 to 90"),
    ("latitude", -np.inf, "latitude must be -90 to 90"),
    ("longitude", 180.01, "longitude must be -180 to 180"),
    ("longitude", -180.01, "longitude must be -180 to 180"),
    ("max_distance_km", -1, "max_distance_km must be 0 to 40,100"),
    ("max_distance_km", np.inf, "max_distance_km must be 0 to 40,100"),
    ("texts", None, TEXTS),
    ("texts", "I like cats", TEXTS),
    ("texts", ["I like cats"], TEXTS),
    ("texts", {"about": None}, TEXTS),
    ("texts", {"about": "x" * (MAX_ANSWER_LENGTH + 1)}, TOO_LONG),
    ("texts", {"about": "x" * 1_000_000}, TOO_LONG),
    ("texts", {"about": 1, "work": "x" * 1_000_000}, f"{TEXTS}; {TOO_LONG}"),
    ("interests", "cats", INTERESTS),
    ("interests", {"cats": 1}, INTERESTS),
    ("interests", ["cats", 1], INTERESTS),
    ("interests", None, INTERESTS),
    ("traits", {"warmth": np.nan}, TRAITS),
    ("traits", {"warmth": np.inf}, TRAITS),
    ("traits", {"warmth": -np.inf}, TRAITS),
    ("traits", {"warmth": 10**400}, TRAITS),
    ("traits", {"warmth": 1.1e9}, TRAITS),
    ("traits", {"warmth": -1.1e9}, TRAITS),
    ("traits", {"warmth": "high"}, TRAITS),
    ("traits", {"warmth": None}, TRAITS),
    ("traits", {"warmth": True}, TRAITS),
    ("traits", [1.0], TRAITS),
    ("traits", None, TRAITS),
    ("facts", {"smokes": True}, FACTS),
    ("facts", {"smokes": " "}, FACTS),
    ("facts", ["smokes"], FACTS),
    ("facts", None, FACTS),
    ("wants", {"warmth": 1.01}, WANTS),
    ("wants", {"warmth": -0.01}, WANTS),
    ("wants", {"warmth": np.nan}, WANTS),
    ("wants", "warmth", WANTS),
    ("wants", None, WANTS),
    ("paused", None, "paused must be true or false"),
    ("paused", "no", "paused must be true or false"),
]
BORDERLINE: list[tuple[str, object]] = [
    ("age", 18),
    ("age", 110),
    ("seeks", []),
    ("age_min", 0),
    ("age_max", 150),
    ("latitude", -90.0),
    ("latitude", 90.0),
    ("longitude", -180.0),
    ("longitude", 180.0),
    ("max_distance_km", 0.0),
    ("texts", {"about": "x" * MAX_ANSWER_LENGTH, "work": ""}),
    ("traits", {"warmth": -1e9, "height": 1_000_000_000}),
    ("wants", {"warmth": 0, "height": 1.0}),
    ("paused", np.True_),
]


@pytest.mark.parametrize(("column", "cell", "reason"), BROKEN_PROFILES)
def test_a_broken_profile_is_rejected_and_its_neighbours_are_not(column: str, cell: object, reason: str) -> None:
    rows = [somebody("a"), somebody("b") | {column: cell}, somebody("c")]
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in rows[0]})
    accepted, rejected = check_profiles(frame)
    assert rejected["reason"].tolist() == [reason]
    pd.testing.assert_series_equal(rejected["profile_id"], frame["profile_id"][1:2], check_index=False)
    pd.testing.assert_frame_equal(accepted, frame.drop(index=1).reset_index(drop=True))


@pytest.mark.parametrize(("column", "cell"), BORDERLINE)
def test_what_is_just_allowed_is_accepted(column: str, cell: object) -> None:
    accepted, rejected = check_profiles(profiles({column: cell}))
    assert (len(accepted), len(rejected)) == (1, 0)


def test_a_profile_that_breaks_several_rules_is_rejected_once_with_all_its_reasons() -> None:
    accepted, rejected = check_profiles(profiles({"age": 12, "latitude": 91.0, "wants": {"wealth": 2}, "traits": []}))
    assert len(accepted) == 0
    assert rejected["reason"].tolist() == [f"{AGE}; latitude must be -90 to 90; {TRAITS}; {WANTS}"]


def test_of_duplicates_the_first_is_kept() -> None:
    frame = pd.DataFrame([somebody("a", age=30), somebody("b"), somebody("a", age=31), somebody("a", age=32)])
    accepted, rejected = check_profiles(frame)
    assert accepted[["profile_id", "age"]].to_numpy().tolist() == [["a", 30], ["b", 30]]
    assert rejected.to_numpy().tolist() == [["a", "profile_id occurs twice"]] * 2


def test_good_profiles_come_out_as_they_went_in() -> None:
    rich = {"texts": {"about": "cats"}, "interests": ["cats"], "traits": {"warmth": 1.5}, "facts": {"smokes": "no"}}
    frame = pd.DataFrame([somebody("z", **rich), somebody("a"), somebody("m", latitude=52.0)])
    frame["source_key"] = "other columns stay"
    accepted, rejected = check_profiles(frame)
    pd.testing.assert_frame_equal(accepted, frame)
    assert rejected.columns.tolist() == ["profile_id", "reason"]
    assert len(rejected) == 0


def test_an_empty_frame_has_nobody_to_reject() -> None:
    accepted, rejected = check_profiles(profiles({}).head(0))
    assert (len(accepted), len(rejected)) == (0, 0)
    accepted, rejected = check_interactions(acts({}).head(0), frozenset())
    assert (len(accepted), len(rejected)) == (0, 0)


def test_a_frame_without_a_column_is_an_error() -> None:
    with pytest.raises(ValueError, match="the frame lacks what its contract names: seeks, paused"):
        check_profiles(profiles({}).drop(columns=["seeks", "paused"]))


CELLS = {
    "profile_id": st.sampled_from(["a", "b", "c", "d", None, ""]),
    "age": st.sampled_from([17, 18, 30, None, "x"]),
    "seeks": st.sampled_from([["man"], "man", None, [1]]),
    "traits": st.sampled_from([{}, {"x": 1.0}, {"x": np.nan}, [], None]),
    "texts": st.sampled_from([{}, {"p": "x"}, {"p": 1}, "x"]),
}


@settings(max_examples=30)
@given(st.lists(st.fixed_dictionaries(CELLS), max_size=6))
def test_everybody_is_either_accepted_or_rejected(rows: list[dict[str, object]]) -> None:
    frame = pd.DataFrame([somebody("") | row for row in rows], columns=list(somebody("")), dtype=object)
    frame["row"] = np.arange(len(frame))
    accepted, rejected = check_profiles(frame)
    refused = frame[~frame["row"].isin(accepted["row"])]
    assert accepted["row"].is_monotonic_increasing
    assert rejected["profile_id"].tolist() == refused["profile_id"].tolist()
    assert accepted["profile_id"].is_unique
    assert all(rejected["reason"])
    assert check_profiles(accepted)[1].empty


def acts(*rows: Mapping[str, object]) -> pd.DataFrame:
    """Likes 0, 1, 2 … of b by a, but for what is given."""
    like: dict[str, object] = {"actor_id": "a", "target_id": "b", "kind": "like", "position": None, "propensity": None}
    like["created_at"] = pd.Timestamp("2020-01-01", tz="UTC")
    return pd.DataFrame([{"interaction_id": str(number), **like, **row} for number, row in enumerate(rows)])


SAME, NO_ACTOR, NO_TARGET = (
    "actor and target are the same person",
    "actor_id is not among the accepted profiles",
    "target_id is not among the accepted profiles",
)
BROKEN_INTERACTIONS: list[tuple[Mapping[str, object], str]] = [
    ({"interaction_id": None}, "interaction_id is missing"),
    ({"actor_id": "stranger"}, NO_ACTOR),
    ({"target_id": "stranger"}, NO_TARGET),
    ({"actor_id": None}, NO_ACTOR),
    ({"actor_id": ["a"]}, NO_ACTOR),
    ({"target_id": "a"}, SAME),
    ({"actor_id": "x", "target_id": "x"}, f"{SAME}; {NO_ACTOR}; {NO_TARGET}"),
    ({"kind": "superlike"}, "kind must be like or pass"),
    ({"kind": None}, "kind must be like or pass"),
    ({"kind": ["like"]}, "kind must be like or pass"),
    ({"created_at": pd.NaT}, "created_at is missing"),
    ({"created_at": "yesterday"}, "created_at is missing"),
    ({"position": 0}, "position must be 1 or more"),
    ({"surface": "lists"}, SURFACE_REASON),
    ({"surface": ["list"]}, SURFACE_REASON),
    ({"propensity": 1.5}, "propensity must be 0 to 1"),
    ({"kind": "wink", "position": -1}, "kind must be like or pass; position must be 1 or more"),
]


@pytest.mark.parametrize(("cells", "reason"), BROKEN_INTERACTIONS)
def test_a_broken_interaction_is_rejected_and_its_neighbours_are_not(cells: dict[str, object], reason: str) -> None:
    frame = acts({}, {}, cells, {})
    accepted, rejected = check_interactions(frame, frozenset("ab"))
    assert accepted["interaction_id"].tolist() == ["0", "1", "3"]
    assert rejected["reason"].tolist() == [reason]


def test_of_interactions_that_occur_twice_the_first_is_kept() -> None:
    frame = acts({"interaction_id": "x", "position": 3}, {"interaction_id": "x"}, {})
    accepted, rejected = check_interactions(frame, frozenset("ab"))
    pd.testing.assert_frame_equal(accepted, frame.drop(index=1).reset_index(drop=True))
    assert rejected.to_numpy().tolist() == [["x", "interaction_id occurs twice"]]


@pytest.mark.parametrize(
    "cells",
    [
        {"position": 1, "propensity": 0.0},
        {"position": 900, "propensity": 1.0},
        *({"surface": surface} for surface in (*SURFACES, None, np.nan)),
    ],
)
def test_a_shown_place_and_its_propensity_are_accepted(cells: dict[str, object]) -> None:
    assert len(check_interactions(acts(cells), frozenset("ab"))[0]) == 1


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        ("1990-06-15", date(2020, 6, 14), 29),
        ("1990-06-15", date(2020, 6, 15), 30),
        ("1990-01-01", date(2019, 12, 31), 29),
        ("2004-02-29", date(2022, 2, 28), 17),
        ("2004-02-29", date(2022, 3, 1), 18),
        ("2004-02-29", date(2024, 2, 28), 19),
        ("2004-02-29", date(2024, 2, 29), 20),
        ("2020-01-01", date(2019, 1, 1), -1),
    ],
)
def test_ages_at_birthdays(born: str, day: date, age: int) -> None:
    assert compute_ages(pd.to_datetime(pd.Series([born])), day).tolist() == [age]


def test_an_unknown_birth_date_is_no_age() -> None:
    counted = compute_ages(pd.Series([pd.NaT, datetime(1990, 1, 1, tzinfo=UTC).replace(tzinfo=None)]), date(2020, 1, 1))
    assert counted.tolist() == [-1, 30]
    assert counted.dtype == np.int64
    assert compute_ages(pd.Series([], dtype="datetime64[us]"), date(2020, 1, 1)).tolist() == []


@given(st.dates(date(1900, 1, 1), date(2030, 1, 1)), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_ages_are_what_people_count(born: date, day: date) -> None:
    counted = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    assert compute_ages(pd.Series([pd.Timestamp(born)]), day).tolist() == [counted]
