from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.ml.profiles.frame_contracts import (
    MAX_ANSWER_LENGTH,
    SURFACES,
    check_interactions,
    check_profiles,
    compute_ages,
)
from tests.models_ml.conftest import profiles, somebody

TOO_LONG = "x" * (MAX_ANSWER_LENGTH + 1)
BROKEN_PROFILES: dict[str, list[object]] = {
    "profile_id": [None, "", 7],
    "age": [17, 111, -1, None, "30"],
    "gender": [None, " ", 3],
    "seeks": ["man", None, ["man", None], [""]],
    "age_min": [-1, [18]],
    "age_max": [151],
    "latitude": [90.01, -90.01, -np.inf],
    "longitude": [180.01, -180.01],
    "max_distance_km": [-1, np.inf],
    "texts": [None, "I like cats", ["I like cats"], {"about": None}, {"about": 1, "work": TOO_LONG}],
    "interests": ["cats", {"cats": 1}, ["cats", 1], None],
    "traits": [
        *({"warmth": value} for value in (np.nan, np.inf, -np.inf, 10**400, 1.1e9, -1.1e9, "high", None, True)),
        *([1.0], None),
    ],
    "facts": [{"smokes": True}, {"smokes": " "}, ["smokes"], None],
    "wants": [{"warmth": 1.01}, {"warmth": -0.01}, {"warmth": np.nan}, "warmth", None],
    "paused": [None, "no"],
}
BORDERLINE: list[dict[str, object]] = [
    {"age": 18, "age_min": 0, "latitude": -90.0, "longitude": -180.0, "max_distance_km": 0.0, "seeks": []},
    {"age": 110, "age_max": 150, "latitude": 90.0, "longitude": 180.0, "paused": np.True_},
    {"texts": {"about": "x" * MAX_ANSWER_LENGTH, "work": ""}, "wants": {"warmth": 0, "height": 1.0}},
    {"traits": {"warmth": -1e9, "height": 1_000_000_000}},
]


@pytest.mark.parametrize("column", BROKEN_PROFILES)
def test_broken_profiles_are_rejected_and_others_unchanged(column: str) -> None:
    good = profiles(*BORDERLINE).astype(object)
    bad = pd.DataFrame([somebody(f"bad {number}") for number in range(len(BROKEN_PROFILES[column]))], dtype=object)
    bad[column] = pd.Series(BROKEN_PROFILES[column], dtype=object)
    frame = pd.concat([good[:2], bad, good[2:]], ignore_index=True).assign(source_key="other columns stay")
    accepted, rejected = check_profiles(frame)
    pd.testing.assert_frame_equal(accepted, good.assign(source_key="other columns stay"))
    assert rejected["profile_id"].tolist() == bad["profile_id"].tolist()
    assert all(column in reason for reason in rejected["reason"])


def test_answers_that_are_too_long_are_a_reason_of_their_own() -> None:
    _, rejected = check_profiles(profiles({"texts": {"about": TOO_LONG}}, {"texts": {"about": 1, "work": TOO_LONG}}))
    (long,), (wrong, too) = (reason.split("; ") for reason in rejected["reason"])
    assert long == too != wrong


def test_a_profile_is_rejected_once_with_all_reasons() -> None:
    broken = {"age": 12, "latitude": 91.0, "traits": [], "wants": {"wealth": 2}}
    accepted, rejected = check_profiles(profiles(broken))
    assert len(accepted) == 0
    (reasons,) = rejected["reason"]
    assert [reason.split()[0] for reason in reasons.split("; ")] == list(broken)


def test_of_duplicates_the_first_is_kept() -> None:
    frame = pd.DataFrame([somebody("a", age=30), somebody("b"), somebody("a", age=31), somebody("a", age=17)])
    accepted, rejected = check_profiles(frame)
    assert accepted[["profile_id", "age"]].to_numpy().tolist() == [["a", 30], ["b", 30]]
    assert rejected["profile_id"].tolist() == ["a", "a"]
    assert all("profile_id occurs twice" in reason for reason in rejected["reason"])


def test_frames_without_rows_or_columns() -> None:
    for accepted, rejected in (
        check_profiles(profiles({}).head(0)),
        check_interactions(interactions({}).head(0), frozenset()),
    ):
        assert (len(accepted), len(rejected)) == (0, 0)
    with pytest.raises(ValueError, match="seeks, paused"):
        check_profiles(profiles({}).drop(columns=["seeks", "paused"]))


def interactions(*rows: Mapping[str, object]) -> pd.DataFrame:
    """Likes 0, 1, 2 … of b by a, but for what is given."""
    like: dict[str, object] = {"actor_id": "a", "target_id": "b", "kind": "like", "position": None, "propensity": None}
    like["created_at"] = pd.Timestamp("2020-01-01", tz="UTC")
    return pd.DataFrame([{"interaction_id": str(number), **like, **row} for number, row in enumerate(rows)])


BROKEN_INTERACTIONS: list[tuple[list[str], list[dict[str, object]]]] = [
    (["interaction_id"], [{"interaction_id": None}]),
    (["actor_id"], [{"actor_id": "stranger"}, {"actor_id": None}, {"actor_id": ["a"]}]),
    (["target_id"], [{"target_id": "stranger"}]),
    (["actor"], [{"target_id": "a"}]),
    (["actor", "actor_id", "target_id"], [{"actor_id": "x", "target_id": "x"}]),
    (["kind"], [{"kind": "superlike"}, {"kind": None}, {"kind": ["like"]}]),
    (["created_at"], [{"created_at": pd.NaT}, {"created_at": "yesterday"}]),
    (["position"], [{"position": 0}]),
    (["surface"], [{"surface": "lists"}, {"surface": ["list"]}]),
    (["propensity"], [{"propensity": 1.5}]),
    (["kind", "position"], [{"kind": "wink", "position": -1}]),
]


@pytest.mark.parametrize(("named", "broken"), BROKEN_INTERACTIONS)
def test_broken_interactions_are_rejected_and_others_are_not(named: list[str], broken: list[dict[str, object]]) -> None:
    good: list[dict[str, object]] = [{"position": 1, "propensity": 0.0}, {"position": 900, "propensity": 1.0}]
    good += [{"surface": surface} for surface in (*SURFACES, None, np.nan)]
    frame = interactions(*good, *broken, {"interaction_id": "0"})
    accepted, rejected = check_interactions(frame, frozenset("ab"))
    assert accepted["interaction_id"].tolist() == [str(number) for number in range(len(good))]
    assert rejected["interaction_id"].tolist() == frame["interaction_id"].tolist()[len(good) :]
    for reasons in rejected["reason"][:-1]:
        assert sorted(reason.split()[0] for reason in reasons.split("; ")) == named
    assert "interaction_id" in rejected["reason"].iloc[-1]


@example(born=date(2004, 2, 29), day=date(2022, 2, 28))
@example(born=date(2004, 2, 29), day=date(2024, 2, 29))
@example(born=date(2020, 1, 1), day=date(2019, 1, 1))
@given(born=st.dates(date(1900, 1, 1), date(2030, 1, 1)), day=st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_ages_are_completed_years(born: date, day: date) -> None:
    """A birth date that is not known gives -1."""
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    ages = compute_ages(pd.Series([pd.Timestamp(born), pd.NaT]), day)
    assert ages.dtype == np.int64
    assert ages.tolist() == [years, -1]
