"""Small markets as rows, and all that can happen in one with its probability: the other way to count matches."""

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

import numpy as np

from models.ml.market.attention.examination_curve import Curve
from models.ml.market.outcomes.list_likes import ListLikes, compute_list_likes

# Viewer, candidate, p_like, p_liked_back, position (0 if not listed).
Row = tuple[int, int, float, float, int]
INV = [1 / k for k in range(1, 9)]


def of_rows(rows: Sequence[Row], lists: Curve = "inv") -> ListLikes:
    table = np.array(rows, float).reshape(-1, 5)
    viewer, candidate, position = table[:, [0, 1, 4]].T.astype(np.int64)
    return compute_list_likes(viewer, candidate, table[:, 2], table[:, 3], position, lists)


def mutual(people: int, length: int, seed: int) -> list[Row]:
    """Everybody may see everybody; lists are random, so that many pairs stand in both lists."""
    rng = np.random.default_rng(seed)
    p_like, order = rng.random((people, people)).round(6), rng.random((people, people))
    np.fill_diagonal(order, 1)
    position = np.argsort(np.argsort(order)) + 1
    position[position > length] = 0
    couples = [(one, other) for one, other in product(range(people), repeat=2) if one != other]
    return [(one, other, p_like[one, other], p_like[other, one], position[one, other]) for one, other in couples]


def outcomes(
    rows: Sequence[Row], lists: Sequence[float], inbox: Sequence[float]
) -> Iterator[tuple[float, set[frozenset[int]]]]:
    """The probability of each course of events, and the matches that it brings."""
    listed = [row for row in rows if row[4] > 0]
    sending = [min(1.0, p_like * lists[position - 1]) for _, _, p_like, _, position in listed]
    for sent in product([False, True], repeat=len(listed)):
        arrived = [row for row, is_sent in zip(listed, sent, strict=True) if is_sent]
        answering = [min(1.0, row[3] * inbox[_rank(arrived, row)]) for row in arrived]
        for answered in product([False, True], repeat=len(arrived)):
            matched = {frozenset(row[:2]) for row, is_answered in zip(arrived, answered, strict=True) if is_answered}
            yield _chance(sending, sent) * _chance(answering, answered), matched


def _rank(arrived: Sequence[Row], like: Row) -> int:
    return sum(row[1] == like[1] and row[3] > like[3] for row in arrived)


def _chance(probabilities: Sequence[float], happened: Sequence[bool]) -> float:
    return prod(each if did else 1 - each for each, did in zip(probabilities, happened, strict=True))
