"""What likes and passes tell of people: counts by hand, and against counting one by one."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.features.decision_history import DecisionCounts, PairHistory, build_decision_history
from tests.models_ml.conftest import events, positions

Event = tuple[int, int, bool, int]
"""Actor, target, liked, time."""

ANN, BEN, CAT = range(3)
# In order: Ann likes Ben and passes Cat; Ben likes Ann; Cat likes Ann; Ben likes Cat.
FIVE: list[Event] = [
    (ANN, BEN, True, 10),
    (ANN, CAT, False, 20),
    (BEN, ANN, True, 20),
    (CAT, ANN, True, 20),
    (BEN, CAT, True, 30),
]
SURPRISE = np.array([0.5, -0.25, 0.125, 0.75, 0.0625])


def tallied(counts: DecisionCounts) -> list[tuple[int, int, float]]:
    return list(zip(counts.decisions.tolist(), counts.likes.tolist(), counts.residual.tolist(), strict=True))


def test_the_ledger_by_hand() -> None:
    known = build_decision_history(events(*FIVE), SURPRISE, people=4)
    assert tallied(known.given) == [(2, 1, 0.25), (2, 2, 0.1875), (1, 1, 0.75), (0, 0, 0)]
    assert tallied(known.received) == [(2, 2, 0.875), (1, 1, 0.5), (2, 1, -0.1875), (0, 0, 0)]


def test_of_each_person_the_first_so_many_given_and_received_count() -> None:
    known = build_decision_history(events(*FIVE), SURPRISE, people=3, most=1)
    assert tallied(known.given) == [(1, 1, 0.5), (1, 1, 0.125), (1, 1, 0.75)]
    # Ben's like of Ann is the first that she received; Ann's pass the first of Cat.
    assert tallied(known.received) == [(1, 1, 0.125), (1, 1, 0.5), (1, 0, -0.25)]
    assert tallied(build_decision_history(events(*FIVE), SURPRISE, people=1 + CAT, most=0).given) == [(0, 0, 0)] * 3


def test_what_is_known_of_two_people() -> None:
    known = build_decision_history(events(*FIVE), SURPRISE, people=4).get_pair_history(
        positions(CAT, ANN), positions(ANN, 3)
    )
    assert tallied(known.viewer_given) == [(1, 1, 0.75), (2, 1, 0.25)]
    assert tallied(known.viewer_received) == [(2, 1, -0.1875), (2, 2, 0.875)]
    assert tallied(known.candidate_given) == [(2, 1, 0.25), (0, 0, 0)]
    assert tallied(known.candidate_received) == [(2, 2, 0.875), (0, 0, 0)]


def test_some_of_the_events_in_another_order() -> None:
    part = events(*FIVE).take(positions(4, 0))
    assert len(part) == 2
    assert (part.actor.tolist(), part.target.tolist()) == ([BEN, ANN], [CAT, BEN])
    assert (part.liked.tolist(), part.time.tolist()) == ([True, True], [30, 10])


PEOPLE = 5
person = st.integers(0, PEOPLE - 1)
# Eighths, so that sums are exact in any order.
happened = st.lists(st.tuples(person, person, st.booleans(), st.just(0), st.integers(-8, 8)), max_size=30)


def counted(rows: Sequence[tuple[int, ...]], side: int, who: int, most: int | None) -> tuple[int, int, float]:
    """One by one: decisions, likes and surprise of one person as actor (side 0) or target (side 1)."""
    theirs = [row for row in rows if row[side] == who][:most]
    return len(theirs), sum(row[2] for row in theirs), sum(row[4] for row in theirs) / 8


def histories(known: PairHistory) -> list[list[tuple[int, int, float]]]:
    """Of each pair: given and received by the viewer, then by the candidate."""
    return [list(each) for each in zip(*(tallied(tally) for tally in vars(known).values()), strict=True)]


@given(happened, st.lists(st.tuples(person, person), max_size=10), st.none() | st.integers(0, 6))
def test_history_is_what_counting_one_by_one_gives(
    rows: list[tuple[int, int, bool, int, int]], asked: list[tuple[int, int]], most: int | None
) -> None:
    surprise = np.array([eighths for *_, eighths in rows], float) / 8
    known = build_decision_history(events(*(row[:4] for row in rows)), surprise, PEOPLE, most)
    viewer, candidate = np.array(asked, np.int64).reshape(-1, 2).T
    expected = [[counted(rows, side, who, most) for who in pair for side in (0, 1)] for pair in asked]
    assert histories(known.get_pair_history(viewer, candidate)) == expected
