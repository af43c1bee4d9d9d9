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


@pytest.mark.parametrize("unit", ["us", "ns", "s"])
def test_the_last_decision_counts_in_order_of_time(unit: Literal["us", "ns", "s"]) -> None:
    """Of two at one moment, that of the last id."""
    frame = interactions(
        ("a", "b", "like", 1),
        ("b", "a", "like", 2),
        ("a", "b", "pass", 3),
        ("c", "a", "like", 4),
        ("c", "a", "pass", 4),
    )
    frame["created_at"] = frame["created_at"].dt.as_unit(unit)
    for rows in ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1]):
        decisions = extract_decisions(frame.iloc[rows], IDS)
        assert (decisions.actor.tolist(), decisions.target.tolist()) == ([1, 0, 2], [0, 1, 0])
        assert decisions.liked.tolist() == [True, False, False]
        assert decisions.time.tolist() == [(18262 + day) * DAY for day in (1, 2, 3)]
        pairs = build_training_pairs(frame.iloc[rows], IDS)
        assert (pairs["viewer_id"] + pairs["candidate_id"]).tolist() == ["ba", "ab", "ca"]
        again = read_decisions(pairs[::-1].reset_index(drop=True), IDS)
        for name, values in vars(decisions).items():
            np.testing.assert_array_equal(getattr(again, name)[::-1], values, strict=True)


@pytest.mark.parametrize(
    ("met", "groups"),
    [
        (["ab", "cb", "de", "ed", "fg"], [["ab", "cb"], ["de", "ed"], ["fg"]]),
        (["ab", "ba", "cd", "ef"], [["ab", "ba"], ["cd"], ["ef"]]),  # half may be held out
        (["ab", "cb", "ca", "de", "fg"], [["ab"], ["cb", "ca"], ["de"], ["fg"]]),  # more than half may not
    ],
)
def test_who_is_held_out_together(met: list[str], groups: list[list[str]]) -> None:
    """Connected users, or each viewer where one component has more than half of the decisions."""
    pairs = build_training_pairs(interactions(*((pair[0], pair[1], "like", 1) for pair in met)), IDS)
    found = (pairs["viewer_id"] + pairs["candidate_id"]).groupby(pairs["group"]).agg(list)
    assert sorted(map(sorted, found)) == sorted(map(sorted, groups))


def test_a_group_keeps_its_name_and_fold_when_later_ids_join() -> None:
    couples = [(f"{who:03d}m", f"{who:03d}w") for who in range(40)]
    ids = pd.Index(sorted([person for couple in couples for person in couple] + ["zoe"]))
    met = [(one, two, "like", 1) for one, two in couples]
    few = build_training_pairs(interactions(*met[20:]), ids).set_index("viewer_id")[["group", "fold"]]
    frame = build_training_pairs(interactions(*met, ("zoe", "030w", "pass", 2)), ids)
    many = frame.set_index("viewer_id")[["group", "fold"]]
    assert few["fold"].nunique() == FOLDS
    pd.testing.assert_frame_equal(many.loc[few.index], few)
    assert many["group"]["zoe"] == many["group"]["030m"]


def test_without_decisions_there_are_no_folds() -> None:
    pairs = build_training_pairs(interactions(), IDS)
    assert len(pairs) == 0
    assert split_by_fold(pairs["fold"].to_numpy(np.int64)) == []


@pytest.mark.parametrize(
    ("groups", "folds"),
    [
        ([10, 21, 32, 43, 54, 65, 65], [0, 1, 2, 3, 4, 0, 0]),  # by number, where every fold has some
        ([10, 20, 30, 30], [0, 1, 2, 2]),  # in turn, where folds would stay empty
        ([7, 7], [2, 2]),
    ],
)
def test_folds_by_hand(groups: list[int], folds: list[int]) -> None:
    assert assign_folds(positions(*groups)).tolist() == folds


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=60))
def test_folds_keep_groups_whole_and_hold_each_out_once(numbers: list[int]) -> None:
    group = positions(*(number % 23 * 10**15 + number % 3 for number in numbers))
    fold = assign_folds(group)
    found = split_by_fold(fold)
    names = len(set(group.tolist()))
    assert len(found) == (min(FOLDS, names) if names > 1 else 0)
    for train, held in found:
        assert not set(group[train]) & set(group[held])
        assert sorted([*train, *held]) == list(range(len(group)))
        assert len(set(fold[held])) == 1
