"""Training pairs: the last decision, what was known when its period began, and who is held out together."""

from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.pairs import FOLDS, PERIODS, events, folds, history_of, training_pairs
from tests.models_ml.conftest import interactions, positions

IDS = pd.Index(list("abcdefgh"))
DAY = 86_400_000_000
"""Microseconds. 1 January 2020 is day 18262."""
TALLIES = [
    f"{who}_{what}_{count}"
    for who in ("viewer", "candidate")
    for what in ("given", "received")
    for count in ("decisions", "likes")
]


def by_pair(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index(frame["viewer_id"] + frame["candidate_id"])


def test_the_last_decision_about_somebody_counts() -> None:
    changed = interactions(("a", "b", "like", 1), ("b", "a", "like", 2), ("a", "b", "pass", 3))
    decided = events(changed, IDS)
    assert (decided.actor.tolist(), decided.target.tolist()) == ([1, 0], [0, 1])
    assert decided.liked.tolist() == [True, False]
    assert decided.time.tolist() == [(18262 + day) * DAY for day in (1, 2)]
    assert training_pairs(changed, IDS)["liked"].tolist() == [True, False]


def test_of_decisions_at_one_moment_the_one_of_the_last_id_counts() -> None:
    frame = interactions(("a", "b", "like", 1), ("a", "b", "pass", 1))
    assert events(frame, IDS).liked.tolist() == [False]
    assert events(frame[::-1], IDS).liked.tolist() == [False]


def test_known_is_what_was_known_when_the_period_began() -> None:
    """Eight decisions of one circle are four periods of two."""
    days = [("a", "b", "like"), ("c", "b", "pass"), ("a", "d", "like"), ("b", "a", "like")]
    days += [("b", "c", "pass"), ("d", "a", "like"), ("c", "d", "like"), ("d", "c", "like")]
    pairs = by_pair(training_pairs(interactions(*((*row, day) for day, row in enumerate(days, 1))), IDS))
    assert pairs["period"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    # ba is the fourth, but its period began with the third: two decisions were known, both about b, one of them a's.
    assert pairs.loc["ba", "viewer_received_decisions"] == 2
    assert pairs.loc["ba", "viewer_received_likes"] == 1
    assert pairs.loc["ba", "viewer_given_decisions"] == 0
    assert pairs.loc["ba", "candidate_given_decisions"] == 1
    assert pairs.loc["ba", "candidate_received_decisions"] == 0
    # dc is the eighth: d had liked a and been liked by a; c had passed b and been passed by b.
    assert pairs.loc[["dc"], TALLIES].to_numpy().tolist() == [[1, 1, 1, 1, 1, 0, 1, 0]]


def test_everything_at_once_is_one_period_in_which_nothing_was_known() -> None:
    pairs = training_pairs(interactions(*((each, "h", "like", 5) for each in "abcdefg")), IDS)
    assert pairs["period"].tolist() == [0] * 7
    assert not pairs[TALLIES].to_numpy().any()


def test_each_circle_has_periods_of_its_own() -> None:
    early = [("a", "b", "like", day) for day in (1,)] + [
        ("b", "a", "like", 2),
        ("a", "c", "like", 3),
        ("c", "a", "pass", 4),
    ]
    late = [("e", "f", "like", 11), ("f", "e", "like", 12), ("e", "g", "like", 13), ("g", "e", "pass", 14)]
    assert training_pairs(interactions(*early, *late), IDS)["period"].tolist() == [0, 1, 2, 3] * 2


def test_circles_are_held_out_together() -> None:
    """a, b and c met each other; d and e; f and g."""
    met = [("a", "b"), ("c", "b"), ("d", "e"), ("e", "d"), ("f", "g")]
    pairs = by_pair(training_pairs(interactions(*((one, two, "like", 1) for one, two in met)), IDS))
    group = pairs["group"]
    assert group["ab"] == group["cb"]
    assert group["de"] == group["ed"]
    assert group.nunique() == 3


def test_a_circle_that_is_half_of_a_town_can_be_held_out() -> None:
    met = [("a", "b"), ("b", "a"), ("c", "d"), ("e", "f")]
    pairs = by_pair(training_pairs(interactions(*((one, two, "like", 1) for one, two in met)), IDS))
    assert pairs["group"]["ab"] == pairs["group"]["ba"]
    assert pairs["group"].nunique() == 3


def test_where_one_circle_is_most_of_a_town_each_viewer_is_held_out() -> None:
    """Three of five decisions are one circle's."""
    met = [("a", "b"), ("c", "b"), ("c", "a"), ("d", "e"), ("f", "g")]
    pairs = by_pair(training_pairs(interactions(*((one, two, "like", 1) for one, two in met)), IDS))
    assert pairs["group"].to_dict() == {"ab": 0, "cb": 2, "ca": 2, "de": 3, "fg": 5}


def test_history_of_a_frame_is_its_tallies() -> None:
    frame = training_pairs(interactions(("a", "b", "like", 1), ("b", "c", "pass", 2), ("c", "a", "like", 3)), IDS)
    for place, column in enumerate(TALLIES):
        frame[column] = np.arange(len(frame)) + place
        who, what, count = column.split("_")
        assert getattr(getattr(history_of(frame), f"{who}_{what}"), count).tolist() == frame[column].tolist()


def test_a_town_without_decisions() -> None:
    pairs = training_pairs(interactions(), IDS)
    assert len(pairs) == 0
    assert folds(pairs["group"].to_numpy(np.int64)) == []


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_folds_keep_groups_whole_and_hold_everybody_out_once(groups: list[int]) -> None:
    group = positions(*groups)
    splits = folds(group)
    assert len(splits) == (min(FOLDS, len(set(groups))) if len(set(groups)) > 1 else 0)
    for train, held in splits:
        assert not set(group[train]) & set(group[held])
        assert sorted([*train, *held]) == list(range(len(group)))
    if splits:
        assert sorted(np.concatenate([held for _, held in splits])) == list(range(len(group)))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans(), st.integers(1, 9)), max_size=25),
    st.integers(0, PERIODS - 1),
)
def test_nothing_is_known_of_the_period_itself(rows: list[tuple[int, int, bool, int]], period: int) -> None:
    """Were all decisions from some period on the opposite, what is known up to that period would be the same."""
    frame = interactions(
        *((IDS[one], IDS[two], "like" if liked else "pass", day) for one, two, liked, day in rows if one != two)
    )
    pairs = training_pairs(frame, IDS)
    assert len(pairs) == len(frame[["actor_id", "target_id"]].drop_duplicates())
    late = pairs[pairs["period"] >= period]
    changed = (frame["actor_id"] + frame["target_id"]).isin(late["viewer_id"] + late["candidate_id"])
    frame.loc[changed, "kind"] = frame["kind"].map({"like": "pass", "pass": "like"})
    other = training_pairs(frame, IDS)
    assert (other["liked"] != pairs["liked"]).tolist() == (pairs["period"] >= period).tolist()
    known = pairs["period"] <= period
    pd.testing.assert_frame_equal(other[known].drop(columns="liked"), pairs[known].drop(columns="liked"))


@pytest.mark.parametrize("unit", ["us", "ns", "s"])
def test_moments_count_in_microseconds_whatever_their_unit(unit: Literal["us", "ns", "s"]) -> None:
    frame = interactions(("a", "b", "like", 1))
    frame["created_at"] = frame["created_at"].dt.as_unit(unit)
    assert events(frame, IDS).time.tolist() == [18262 * DAY]
