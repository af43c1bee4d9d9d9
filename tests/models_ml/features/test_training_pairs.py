"""Training pairs: the last decision of each about each, and who is held out together."""

from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.features.training_pairs import (
    FOLDS,
    assign_folds,
    build_training_pairs,
    extract_decisions,
    read_decisions,
    split_by_fold,
)
from tests.models_ml.conftest import interactions, positions

IDS = pd.Index(list("abcdefgh"))
DAY = 86_400_000_000
"""Microseconds. 1 January 2020 is day 18262."""


def by_pair(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index(frame["viewer_id"] + frame["candidate_id"])


def test_the_last_decision_about_somebody_counts() -> None:
    changed = interactions(("a", "b", "like", 1), ("b", "a", "like", 2), ("a", "b", "pass", 3))
    decided = extract_decisions(changed, IDS)
    assert (decided.actor.tolist(), decided.target.tolist()) == ([1, 0], [0, 1])
    assert decided.liked.tolist() == [True, False]
    assert decided.time.tolist() == [(18262 + day) * DAY for day in (1, 2)]
    assert build_training_pairs(changed, IDS)["liked"].tolist() == [True, False]


def test_of_decisions_at_one_moment_the_one_of_the_last_id_counts() -> None:
    frame = interactions(("a", "b", "like", 1), ("a", "b", "pass", 1))
    assert extract_decisions(frame, IDS).liked.tolist() == [False]
    assert extract_decisions(frame[::-1], IDS).liked.tolist() == [False]


def test_circles_are_held_out_together() -> None:
    """a, b and c met each other; d and e; f and g."""
    met = [("a", "b"), ("c", "b"), ("d", "e"), ("e", "d"), ("f", "g")]
    pairs = by_pair(build_training_pairs(interactions(*((one, two, "like", 1) for one, two in met)), IDS))
    group = pairs["group"]
    assert group["ab"] == group["cb"]
    assert group["de"] == group["ed"]
    assert group.nunique() == 3


def test_a_circle_that_is_half_of_a_town_can_be_held_out() -> None:
    met = [("a", "b"), ("b", "a"), ("c", "d"), ("e", "f")]
    pairs = by_pair(build_training_pairs(interactions(*((one, two, "like", 1) for one, two in met)), IDS))
    assert pairs["group"]["ab"] == pairs["group"]["ba"]
    assert pairs["group"].nunique() == 3


def test_where_one_circle_is_most_of_a_town_each_viewer_is_held_out() -> None:
    """Three of five decisions are one circle's."""
    met = [("a", "b"), ("c", "b"), ("c", "a"), ("d", "e"), ("f", "g")]
    group = by_pair(build_training_pairs(interactions(*((one, two, "like", 1) for one, two in met)), IDS))["group"]
    assert group["cb"] == group["ca"]
    assert group.nunique() == 4


def test_a_group_keeps_its_name_and_fold_if_who_joins_sorts_after_its_first_person() -> None:
    """There may be other groups before it; who sorts before the first person renames it (see test_held_out)."""
    couples = [(f"{who:03d}m", f"{who:03d}w") for who in range(40)]
    ids = pd.Index(sorted([person for couple in couples for person in couple] + ["zoe"]))
    met = [(one, two, "like", 1) for one, two in couples]
    few = by_pair(build_training_pairs(interactions(*met[20:]), ids))
    many = by_pair(build_training_pairs(interactions(*met, ("zoe", "030w", "pass", 2)), ids))
    assert few["fold"].nunique() == FOLDS
    columns = ["group", "fold"]
    pd.testing.assert_frame_equal(many.loc[few.index, columns], few[columns])
    assert many["group"]["zoe030w"] == many["group"]["030m030w"]


def test_events_of_a_frame_are_its_rows() -> None:
    acts = interactions(("a", "b", "like", 1), ("b", "c", "pass", 2), ("c", "a", "like", 3))
    frame = build_training_pairs(acts, IDS)
    decided, again = extract_decisions(acts, IDS), read_decisions(frame[::-1].reset_index(drop=True), IDS)
    for name, values in vars(decided).items():
        np.testing.assert_array_equal(getattr(again, name)[::-1], values)
        assert getattr(again, name).dtype == values.dtype


def test_a_town_without_decisions() -> None:
    pairs = build_training_pairs(interactions(), IDS)
    assert len(pairs) == 0
    assert split_by_fold(pairs["fold"].to_numpy(np.int64)) == []


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([10, 21, 32, 43, 54, 65, 65], [0, 1, 2, 3, 4, 0, 0]),  # by number, where every fold has some
        ([10, 20, 30, 30], [0, 1, 2, 2]),  # in turn, where folds would stay empty
        ([7, 7], [2, 2]),
    ],
)
def test_folds_by_hand(groups: list[int], expected: list[int]) -> None:
    assert assign_folds(positions(*groups)).tolist() == expected


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=60))
def test_folds_keep_groups_whole_and_hold_everybody_out_once(groups: list[int]) -> None:
    group = positions(*(number % 23 * 10**15 + number % 3 for number in groups))
    fold = assign_folds(group)
    found = split_by_fold(fold)
    names = len(set(group.tolist()))
    assert len(found) == (min(FOLDS, names) if names > 1 else 0)
    for train, held in found:
        assert not set(group[train]) & set(group[held])
        assert sorted([*train, *held]) == list(range(len(group)))
        assert len(set(fold[held])) == 1
    if found:
        assert sorted(np.concatenate([held for _, held in found])) == list(range(len(group)))


def test_decisions_come_in_order_of_time_whatever_the_order_of_rows() -> None:
    met = [("a", "b"), ("c", "d"), ("b", "a"), ("e", "f")]
    frame = interactions(*((one, two, "like", day) for day, (one, two) in enumerate(met, 1)))
    expected = build_training_pairs(frame, IDS)
    assert expected["decided_at"].tolist() == [(18262 + day) * DAY for day in range(4)]
    pd.testing.assert_frame_equal(build_training_pairs(frame.iloc[[2, 0, 3, 1]], IDS), expected)


@pytest.mark.parametrize("unit", ["us", "ns", "s"])
def test_moments_count_in_microseconds_whatever_their_unit(unit: Literal["us", "ns", "s"]) -> None:
    frame = interactions(("a", "b", "like", 1))
    frame["created_at"] = frame["created_at"].dt.as_unit(unit)
    assert extract_decisions(frame, IDS).time.tolist() == [18262 * DAY]
