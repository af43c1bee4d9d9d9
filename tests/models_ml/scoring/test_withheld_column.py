from pathlib import Path

import pandas as pd
import pytest

from models.db.match_lists import MatchList
from models.ml.scoring.list_frames import iterate_records, remove_profiles
from models.ml.scoring.withheld_column import add_withheld
from pipelines.store.frame_store import convert_from_table, convert_to_table
from tests.models_ml.scoring.test_list_frames import frame, on_disk

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
    lists = on_disk(add_withheld(frame(listed, listed[1:2]), VIEWERS, PASSERS), tmp_path)
    left = convert_from_table(remove_profiles(convert_to_table(lists), gone))
    assert read_withheld(on_disk(left, tmp_path)) == {
        viewer: [each for each in users if each not in gone] for viewer, users in WITHHELD.items() if viewer not in gone
    }
