import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from upath import UPath

from models.db.match_lists import MatchList, MostCompatibleEntry
from models.ml.scoring.candidates import ScoredPairs
from models.ml.scoring.list_frames import (
    MOST_COMPATIBLE_COLUMNS,
    build_list_frame,
    iterate_records,
    remove_profiles,
)
from models.ml.scoring.propensity_column import add_propensities
from models.ml.scoring.withheld_column import add_withheld
from pipelines.store.frame_store import convert_from_table, convert_to_table, read_table, write_table
from tests.models_ml.conftest import positions

IDS = np.array(["ann", "ben", "cat"])
# Row by row: ann with ben, cat with ann, ann with cat, ben with ann.
SCORED = ScoredPairs(
    viewer=positions(0, 2, 0, 1),
    candidate=positions(1, 0, 2, 0),
    p_like=np.array([0.5, 0.25, 0.75, 0.125], np.float32),
    p_liked_back=np.array([0.5, 1.0, 0.25, 0.5], np.float32),
    p_match=np.array([0.25, 0.25, 0.1875, 0.0625], np.float32),
)
WHY = [json.dumps([{"code": code, "detail": [code.upper()]}]) for code in "abcd"]


def frame(listed: list[int], couples: list[int]) -> pd.DataFrame:
    """The reason of each most compatible candidate is "d"."""
    why = [WHY[row] for row in listed] + [WHY[3] for _ in couples]
    return build_list_frame(SCORED, positions(*listed), positions(*couples), why, IDS)


def plain(made: pd.DataFrame) -> list[MatchList]:
    """The records of a frame, their arrays as lists, which can be compared."""
    return [
        replace(each, p_like=[*each.p_like], p_liked_back=[*each.p_liked_back], p_match=[*each.p_match])
        for each in iterate_records(made)
    ]


def store(made: pd.DataFrame, folder: Path) -> pa.Table:
    path = UPath(folder / "match_lists.parquet")
    write_table(convert_to_table(made), path)
    return read_table(path)


def on_disk(made: pd.DataFrame, folder: Path) -> pd.DataFrame:
    return convert_from_table(store(made, folder))


def test_the_records_are_what_the_database_takes() -> None:
    """Lists and candidates stand in the order given; cat, ann's most compatible candidate, is not on ann's list."""
    lists = frame([3, 0, 1], [3, 2])
    assert lists.columns.tolist() == frame([], []).columns.tolist()
    assert plain(lists) == [
        MatchList("ben", ["ann"], [0.125], [0.5], [0.0625], f"[{WHY[3]}]", MostCompatibleEntry("ann", 0.0625, WHY[3])),
        MatchList("ann", ["ben"], [0.5], [0.5], [0.25], f"[{WHY[0]}]", MostCompatibleEntry("cat", 0.1875, WHY[3])),
        MatchList("cat", ["ann"], [0.25], [1.0], [0.25], f"[{WHY[1]}]"),
    ]
    (ann,) = plain(frame([2, 0], []))
    assert (ann.candidate_ids, ann.p_like, ann.reasons) == (["cat", "ben"], [0.75, 0.5], f"[{WHY[2]}, {WHY[0]}]")
    assert {np.asarray(each.p_like).dtype for each in iterate_records(lists)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("listed", "couples"), [([3, 0, 2, 1], []), ([3, 0, 2, 1], [0]), ([3, 0, 2, 1], [0, 3, 1]), ([], [])]
)
def test_the_records_survive_the_disk(listed: list[int], couples: list[int], tmp_path: Path) -> None:
    """With a most compatible candidate for nobody, for some, and for all."""
    lists = frame(listed, couples)
    back = on_disk(lists, tmp_path)
    assert plain(back) == plain(lists)
    assert sum(each.most_compatible is not None for each in plain(back)) == len(couples)
    assert set(MOST_COMPATIBLE_COLUMNS) < set(back.columns)
    table = convert_to_table(lists)
    assert remove_profiles(table, {"dan"}) is table


def remove_plainly(each: MatchList, gone: set[str]) -> MatchList:
    kept = [index for index, who in enumerate(each.candidate_ids) if who not in gone]
    reasons, partner = json.loads(each.reasons), each.most_compatible
    return MatchList(
        each.viewer_id,
        [each.candidate_ids[index] for index in kept],
        [each.p_like[index] for index in kept],
        [each.p_liked_back[index] for index in kept],
        [each.p_match[index] for index in kept],
        json.dumps([reasons[index] for index in kept]),
        None if partner is None or partner.candidate_id in gone else partner,
    )


@pytest.mark.parametrize("couples", [[], [0, 3, 1]])
@pytest.mark.parametrize("gone", [{"cat"}, {"ann"}, {"ben", "cat"}, {"ann", "ben", "cat"}])
def test_an_erased_user_s_entries_are_gone_and_nothing_else(gone: set[str], couples: list[int], tmp_path: Path) -> None:
    lists = frame([3, 0, 2, 1], couples)
    expected = [remove_plainly(each, gone) for each in plain(lists) if each.viewer_id not in gone]
    left = convert_from_table(remove_profiles(store(lists, tmp_path), gone))
    assert plain(left) == expected
    assert plain(on_disk(left, tmp_path)) == expected


# Ann and cat have lists, dan and eve have none.
VIEWERS = ["dan", "ann", "dan", "cat", "ann", "eve"]
PASSERS = ["ann", "eve", "eve", "dan", "dan", "dan"]
WITHHELD = {"ann": ["eve", "dan"], "cat": ["dan"], "dan": ["ann", "eve"], "eve": ["dan"]}


def read_withheld(lists: pd.DataFrame) -> dict[str, list[str]]:
    return {each.viewer_id: [*each.withheld_ids] for each in iterate_records(lists)}


@pytest.mark.parametrize("couples", [[], [0]])
def test_everybody_with_withheld_users_has_a_row(couples: list[int], tmp_path: Path) -> None:
    lists = frame([2, 0, 1], couples)
    made = add_withheld(lists, VIEWERS, PASSERS)
    assert made["viewer_id"].tolist()[:2] == ["ann", "cat"]
    pd.testing.assert_frame_equal(made.head(2)[lists.columns], lists, check_dtype=False)
    for each in (made, on_disk(made, tmp_path)):
        (dan,) = [record for record in iterate_records(each) if record.viewer_id == "dan"]
        assert (len(dan.candidate_ids), len(dan.p_like), dan.reasons, dan.most_compatible) == (0, 0, "[]", None)
        assert read_withheld(each) == WITHHELD


def test_without_passes_or_without_lists(tmp_path: Path) -> None:
    assert read_withheld(on_disk(add_withheld(frame([2, 0, 1], []), [], []), tmp_path)) == {"ann": [], "cat": []}
    assert read_withheld(on_disk(add_withheld(frame([], []), VIEWERS, PASSERS), tmp_path)) == WITHHELD
    assert not MatchList("ann", [], [], [], [], "[]").withheld_ids


@pytest.mark.parametrize("listed", [[2, 0, 1], []])
@pytest.mark.parametrize("gone", [{"eve"}, {"dan"}, {"ann", "dan"}])
def test_an_erased_user_is_withheld_from_nobody(gone: set[str], listed: list[int], tmp_path: Path) -> None:
    lists = add_withheld(frame(listed, listed[1:2]), VIEWERS, PASSERS)
    left = convert_from_table(remove_profiles(store(lists, tmp_path), gone))
    assert read_withheld(on_disk(left, tmp_path)) == {
        viewer: [each for each in users if each not in gone] for viewer, users in WITHHELD.items() if viewer not in gone
    }


CHANCES = np.array([1.0, 0.7, 0.15, 0.85], np.float32)
"""Of ben's ann, ann's ben and cat, cat's ann."""


def read_propensities(lists: pd.DataFrame) -> dict[str, list[float]]:
    return {
        each.viewer_id: np.round(np.asarray(each.propensities, float), 6).tolist() for each in iterate_records(lists)
    }


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        (set(), {"ben": [1.0], "ann": [0.7, 0.15], "cat": [0.85]}),
        ({"cat"}, {"ben": [1.0], "ann": [0.7]}),
        ({"ben"}, {"ann": [0.15], "cat": [0.85]}),
    ],
)
def test_propensities_stay_with_their_candidates(gone: set[str], left: dict[str, list[float]], tmp_path: Path) -> None:
    """A viewer without a list has none."""
    lists = add_withheld(add_propensities(frame([3, 0, 2, 1], []), CHANCES), VIEWERS, PASSERS)
    kept = convert_from_table(remove_profiles(store(lists, tmp_path), gone))
    assert read_propensities(on_disk(kept, tmp_path)) == left | {"dan": [], "eve": []}
    assert read_propensities(add_propensities(frame([], []), CHANCES[:0])) == {}
