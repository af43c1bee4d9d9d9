"""Who is withheld from each viewer, by hand, on disk, and without an erased person."""

from pathlib import Path

import pandas as pd
import pytest
from upath import UPath

from models.db.match_lists import MatchList
from models.ml.scoring.list_frames import iterate_records, remove_profiles
from models.ml.scoring.withheld_column import add_withheld
from pipelines.store.frame_store import convert_from_table, convert_to_table, read_table, write_table
from tests.models_ml.scoring.test_list_frames import frame

# Ann and cat have lists, dan and eve have none.
VIEWERS = ["dan", "ann", "dan", "cat", "ann", "eve"]
PASSERS = ["ann", "eve", "eve", "dan", "dan", "dan"]
WITHHELD = {"ann": ["eve", "dan"], "cat": ["dan"], "dan": ["ann", "eve"], "eve": ["dan"]}


def withheld(made: pd.DataFrame) -> dict[str, list[str]]:
    return {each.viewer_id: [*each.withheld_ids] for each in iterate_records(made)}


def on_disk(made: pd.DataFrame, folder: Path) -> pd.DataFrame:
    path = UPath(folder / "match_lists.parquet")
    write_table(convert_to_table(made), path)
    return convert_from_table(read_table(path))


@pytest.mark.parametrize("couples", [[], [0]])
def test_everybody_on_whom_somebody_passed_has_a_row(couples: list[int], tmp_path: Path) -> None:
    lists = frame([2, 0, 1], couples)
    made = add_withheld(lists, VIEWERS, PASSERS)
    assert withheld(made) == WITHHELD
    assert made["viewer_id"].tolist()[:2] == ["ann", "cat"]
    pd.testing.assert_frame_equal(made.head(2)[lists.columns], lists, check_dtype=False)
    for each in (made, on_disk(made, tmp_path)):
        (dan,) = [record for record in iterate_records(each) if record.viewer_id == "dan"]
        assert (len(dan.candidate_ids), len(dan.p_like), dan.reasons, dan.most_compatible) == (0, 0, "[]", None)
        assert withheld(each) == WITHHELD


def test_without_a_pass_nobody_is_withheld_and_no_row_is_added(tmp_path: Path) -> None:
    made = add_withheld(frame([2, 0, 1], []), [], [])
    assert withheld(on_disk(made, tmp_path)) == {"ann": [], "cat": []}


def test_where_nobody_has_a_list_people_are_withheld_all_the_same(tmp_path: Path) -> None:
    made = add_withheld(frame([], []), VIEWERS, PASSERS)
    assert withheld(on_disk(made, tmp_path)) == WITHHELD
    assert withheld(convert_from_table(remove_profiles(convert_to_table(made), {"dan"}))) == {
        "ann": ["eve"],
        "cat": [],
        "eve": [],
    }


@pytest.mark.parametrize("gone", [{"eve"}, {"dan"}, {"ann", "dan"}])
def test_an_erased_person_is_withheld_from_nobody(gone: set[str], tmp_path: Path) -> None:
    on_disk(add_withheld(frame([2, 0, 1], [0]), VIEWERS, PASSERS), tmp_path)
    left = convert_from_table(remove_profiles(read_table(UPath(tmp_path / "match_lists.parquet")), gone))
    assert withheld(on_disk(left, tmp_path)) == {
        viewer: [each for each in them if each not in gone] for viewer, them in WITHHELD.items() if viewer not in gone
    }


def test_a_record_withholds_nobody_unless_it_says_so() -> None:
    assert not MatchList("ann", [], [], [], [], "[]").withheld_ids
