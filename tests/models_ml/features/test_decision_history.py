from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.features.decision_history import build_decision_history
from tests.models_ml.conftest import events

PEOPLE = 5
PERSON = st.integers(0, PEOPLE - 1)
# Residuals in eighths, so that sums are exact in any order.
ROWS = st.lists(st.tuples(PERSON, PERSON, st.booleans(), st.just(0), st.integers(-8, 8)), max_size=30)


def count(rows: Sequence[tuple[int, ...]], side: int, who: int, most: int | None) -> tuple[int, int, float]:
    """Decisions, likes and residual of the first `most` of one user as actor (side 0) or target (side 1)."""
    own = [row for row in rows if row[side] == who][:most]
    return len(own), sum(row[2] for row in own), sum(row[4] for row in own) / 8


@given(ROWS, st.lists(st.tuples(PERSON, PERSON), max_size=10), st.none() | st.integers(0, 6))
def test_history_is_what_counting_one_by_one_gives(
    rows: list[tuple[int, int, bool, int, int]], asked: list[tuple[int, int]], most: int | None
) -> None:
    residual = np.array([eighths for *_, eighths in rows], float) / 8
    known = build_decision_history(events(*(row[:4] for row in rows)), residual, PEOPLE, most)
    viewer, candidate = np.array(asked, np.int64).reshape(-1, 2).T
    sides = [
        list(zip(each.decisions.tolist(), each.likes.tolist(), each.residual.tolist(), strict=True))
        for each in vars(known.get_pair_history(viewer, candidate)).values()
    ]
    expected = [[count(rows, side, who, most) for who in pair for side in (0, 1)] for pair in asked]
    assert [list(each) for each in zip(*sides, strict=True)] == expected
