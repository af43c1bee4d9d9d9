"""Match lists as a frame, on disk, and as the database's records."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from models.db.match_lists import MatchList, MostCompatibleEntry
from models.ml.scoring.candidates import ScoredPairs
from models.ml.scoring.list_frames import (
    MOST_COMPATIBLE_COLUMNS,
    PROBABILITIES,
    build_list_frame,
    iterate_records,
    remove_profiles,
)
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
    """The partner of the day has no reason of their own here but "d"."""
    why = [WHY[row] for row in listed] + [WHY[3] for _ in couples]
    return build_list_frame(SCORED, positions(*listed), positions(*couples), why, IDS)


def plain(made: pd.DataFrame) -> list[MatchList]:
    """The records of a frame, their arrays as lists, which can be compared."""
    return [
        replace(each, p_like=[*each.p_like], p_liked_back=[*each.p_liked_back], p_match=[*each.p_match])
        for each in iterate_records(made)
    ]


def records(listed: list[int], couples: list[int]) -> list[MatchList]:
    return plain(frame(listed, couples))


def on_disk(made: pd.DataFrame, folder: Path) -> pd.DataFrame:
    path = UPath(folder / "match_lists.parquet")
    write_table(convert_to_table(made), path)
    return convert_from_table(read_table(path))


def test_a_frame_has_a_row_a_viewer_in_the_order_given() -> None:
    made = frame([2, 0, 1], [0])
    for name in PROBABILITIES:
        made[name] = [cell.tolist() for cell in made[name]]
    assert made.to_dict("list") == {
        "viewer_id": ["ann", "cat"],
        "candidate_ids": [["cat", "ben"], ["ann"]],
        "p_like": [[0.75, 0.5], [0.25]],
        "p_liked_back": [[0.25, 0.5], [1.0]],
        "p_match": [[0.1875, 0.25], [0.25]],
        "reasons": [
            '[[{"code": "c", "detail": ["C"]}], [{"code": "a", "detail": ["A"]}]]',
            '[[{"code": "b", "detail": ["B"]}]]',
        ],
        "most_compatible_id": ["ben", pytest.approx(np.nan, nan_ok=True)],
        "most_compatible_p_match": [0.25, pytest.approx(np.nan, nan_ok=True)],
        "most_compatible_reasons": ['[{"code": "d", "detail": ["D"]}]', pytest.approx(np.nan, nan_ok=True)],
    }


def test_the_records_are_what_the_database_takes() -> None:
    assert records([3, 0, 2], [3, 0]) == [
        MatchList("ben", ["ann"], [0.125], [0.5], [0.0625], f"[{WHY[3]}]", MostCompatibleEntry("ann", 0.0625, WHY[3])),
        MatchList(
            "ann",
            ["ben", "cat"],
            [0.5, 0.75],
            [0.5, 0.25],
            [0.25, 0.1875],
            f"[{WHY[0]}, {WHY[2]}]",
            MostCompatibleEntry("ben", 0.25, WHY[3]),
        ),
    ]
    assert {np.asarray(each.p_like).dtype for each in iterate_records(frame([3, 0, 2], []))} == {np.dtype(np.float32)}


def test_the_partner_of_the_day_need_not_be_on_the_list() -> None:
    (ann,) = records([0], [2])
    assert ann.candidate_ids == ["ben"]
    assert ann.most_compatible == MostCompatibleEntry("cat", 0.1875, WHY[3])


@pytest.mark.parametrize("row", range(4))
def test_one_place_is_one_list(row: int) -> None:
    (only,) = records([row], [])
    assert (only.viewer_id, list(only.candidate_ids)) == (IDS[SCORED.viewer[row]], [IDS[SCORED.candidate[row]]])
    assert only.reasons == f"[{WHY[row]}]"
    assert only.most_compatible is None


def test_nobody_has_a_list() -> None:
    assert records([], []) == []
    assert frame([], []).columns.tolist() == [*frame([0], []).columns]


@pytest.mark.parametrize("couples", [[], [0], [0, 3, 1]])
def test_the_records_survive_the_disk(couples: list[int], tmp_path: Path) -> None:
    """With a partner for nobody, for some, and for all."""
    made = frame([3, 0, 2, 1], couples)
    assert plain(on_disk(made, tmp_path)) == plain(made)
    assert sum(each.most_compatible is not None for each in iterate_records(made)) == len(couples)


def test_nobody_s_lists_survive_the_disk(tmp_path: Path) -> None:
    back = on_disk(frame([], []), tmp_path)
    assert list(iterate_records(back)) == []
    assert set(MOST_COMPATIBLE_COLUMNS) < set(back.columns)


@given(st.permutations(range(4)), st.sets(st.sampled_from([0, 1, 3])))
def test_everybody_has_their_own_partner(order: list[int], couples: set[int]) -> None:
    """One row a viewer is a couple at most: rows 0, 1 and 3 are of three viewers."""
    listed = sorted(order, key=lambda row: int(SCORED.viewer[row]))
    partner_of = {each.viewer_id: each.most_compatible for each in records(listed, list(couples))}
    expected = {str(IDS[SCORED.viewer[row]]): str(IDS[SCORED.candidate[row]]) for row in couples}
    assert {who: each.candidate_id for who, each in partner_of.items() if each is not None} == expected
    assert set(partner_of) == set(IDS.tolist())


def less(each: MatchList, gone: set[str]) -> MatchList:
    """A list without these people, place by place."""
    kept = [place for place, who in enumerate(each.candidate_ids) if who not in gone]
    reasons, partner = json.loads(each.reasons), each.most_compatible
    return MatchList(
        each.viewer_id,
        [each.candidate_ids[place] for place in kept],
        [each.p_like[place] for place in kept],
        [each.p_liked_back[place] for place in kept],
        [each.p_match[place] for place in kept],
        json.dumps([reasons[place] for place in kept]),
        None if partner is None or partner.candidate_id in gone else partner,
    )


@pytest.mark.parametrize("couples", [[], [0, 3, 1]])
@pytest.mark.parametrize("gone", [{"cat"}, {"ann"}, {"ben", "cat"}, {"ann", "ben", "cat"}])
def test_without_somebody_their_lists_places_and_days_are_gone_and_nothing_else(
    gone: set[str], couples: list[int], tmp_path: Path
) -> None:
    made = frame([3, 0, 2, 1], couples)
    expected = [less(each, gone) for each in plain(made) if each.viewer_id not in gone]
    on_disk(made, tmp_path)
    left = convert_from_table(remove_profiles(read_table(UPath(tmp_path / "match_lists.parquet")), gone))
    assert plain(left) == expected
    assert plain(on_disk(left, tmp_path)) == expected


def test_without_a_stranger_the_table_is_the_same() -> None:
    for made in (frame([3, 0, 2, 1], [0]), frame([], [])):
        table = convert_to_table(made)
        assert remove_profiles(table, {"dan"}) is table
