"""Small markets for the tests."""

from collections.abc import Sequence

import numpy as np

from models.ml.market.attention.examination_curve import Curve
from models.ml.market.outcomes.list_likes import ListLikes, compute_list_likes
from tests.models_ml.market.enumeration import Row


def of_rows(rows: Sequence[Row], lists: Curve = "inv") -> ListLikes:
    table = np.array(rows, float).reshape(-1, 5)
    viewer, candidate, place = table[:, [0, 1, 4]].T.astype(np.int64)
    return compute_list_likes(viewer, candidate, table[:, 2], table[:, 3], place, lists)


def mutual(people: int, length: int, seed: int) -> list[Row]:
    """Everybody may see everybody; lists are random, so that many pairs stand in both lists."""
    rng = np.random.default_rng(seed)
    p_like = rng.random((people, people)).round(6)
    rows: list[Row] = []
    for viewer in range(people):
        others = rng.permutation([each for each in range(people) if each != viewer])
        for place, other in enumerate(others.tolist(), 1):
            listed = place if place <= length else 0
            rows.append((viewer, other, p_like[viewer, other], p_like[other, viewer], listed))
    return rows
