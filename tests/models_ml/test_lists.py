"""Match lists as a frame and as the database's records."""

import numpy as np
import pytest

from models.db.match_lists import MatchList
from models.ml.candidates import Scored
from models.ml.lists import to_frame, to_records
from models.ml.reasons import Reason
from tests.models_ml.conftest import positions

IDS = np.array(["ann", "ben", "cat"])
# Row by row: ann with ben, cat with ann, ann with cat, ben with ann.
SCORED = Scored(
    viewer=positions(0, 2, 0, 1),
    candidate=positions(1, 0, 2, 0),
    p_like=np.array([0.5, 0.25, 0.75, 0.125], np.float32),
    p_liked_back=np.array([0.5, 1.0, 0.25, 0.5], np.float32),
    p_match=np.array([0.25, 0.25, 0.1875, 0.0625], np.float32),
)
WHY = [[Reason(code=code, detail=[code.upper()])] for code in "abcd"]


def records(*listed: int) -> list[MatchList]:
    rows = positions(*listed)
    return list(to_records(to_frame(SCORED, rows, [WHY[row] for row in rows], IDS)))


def test_a_frame_has_a_row_a_viewer_in_the_order_given() -> None:
    frame = to_frame(SCORED, positions(2, 0, 1), WHY[:3], IDS)
    assert frame.columns.tolist() == ["viewer_id", "candidate_ids", "p_like", "p_liked_back", "p_match", "reasons"]
    assert frame.to_dict("list") == {
        "viewer_id": ["ann", "cat"],
        "candidate_ids": [["cat", "ben"], ["ann"]],
        "p_like": [[0.75, 0.5], [0.25]],
        "p_liked_back": [[0.25, 0.5], [1.0]],
        "p_match": [[0.1875, 0.25], [0.25]],
        "reasons": [
            [[{"code": "a", "detail": ["A"]}], [{"code": "b", "detail": ["B"]}]],
            [[{"code": "c", "detail": ["C"]}]],
        ],
    }


def test_the_records_are_what_the_database_takes() -> None:
    assert records(3, 0, 2) == [
        MatchList("ben", ["ann"], [0.125], [0.5], [0.0625], [WHY[3]]),
        MatchList("ann", ["ben", "cat"], [0.5, 0.75], [0.5, 0.25], [0.25, 0.1875], [WHY[0], WHY[2]]),
    ]
    values = [value for each in records(3, 0, 2) for value in each.p_like]
    assert {type(value) for value in values} == {float}


@pytest.mark.parametrize("row", range(4))
def test_one_place_is_one_list(row: int) -> None:
    (only,) = records(row)
    assert (only.viewer_id, list(only.candidate_ids)) == (IDS[SCORED.viewer[row]], [IDS[SCORED.candidate[row]]])
    assert list(only.reasons) == [WHY[row]]


def test_nobody_has_a_list() -> None:
    assert records() == []
    assert to_frame(SCORED, positions(), [], IDS).columns.tolist()[0] == "viewer_id"
