"""What was known at a moment: counts by hand, and against counting one by one."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.ml.history import Events, History, Tally, history_before, ledger, tally_before
from tests.models_ml.conftest import positions

Event = tuple[int, int, bool, int]
"""Actor, target, liked, time."""

ANN, BEN, CAT = range(3)
# Ann likes Ben at 10 and passes Cat at 20; Ben likes Ann at 20 and Cat at 30; Cat likes Ann at 20.
FIVE: list[Event] = [
    (BEN, CAT, True, 30),
    (ANN, BEN, True, 10),
    (ANN, CAT, False, 20),
    (BEN, ANN, True, 20),
    (CAT, ANN, True, 20),
]


def events(rows: Sequence[Event]) -> Events:
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Events(table[:, 0], table[:, 1], table[:, 2].astype(bool), table[:, 3])


def counts(tally: Tally) -> list[tuple[int, int]]:
    return list(zip(tally.decisions.tolist(), tally.likes.tolist(), strict=True))


def test_only_what_happened_strictly_before_counts() -> None:
    known = events(FIVE)
    before = positions(10, 11, 20, 21, 30, 31, 0, 99)
    given_by_ann = tally_before(known.actor, known.time, known.liked, np.full(8, ANN), before)
    assert counts(given_by_ann) == [(0, 0), (1, 1), (1, 1), (2, 1), (2, 1), (2, 1), (0, 0), (2, 1)]
    received_by_ann = tally_before(known.target, known.time, known.liked, np.full(8, ANN), before)
    assert counts(received_by_ann) == [(0, 0), (0, 0), (0, 0), (2, 2), (2, 2), (2, 2), (0, 0), (2, 2)]


def test_what_was_known_of_two_people() -> None:
    known = history_before(events(FIVE), positions(ANN, BEN), positions(CAT, CAT), positions(20, 31))
    assert counts(known.viewer_given) == [(1, 1), (2, 2)]
    assert counts(known.viewer_received) == [(0, 0), (1, 1)]
    assert counts(known.candidate_given) == [(0, 0), (1, 1)]
    assert counts(known.candidate_received) == [(0, 0), (2, 1)]


def test_the_ledger_after_everything() -> None:
    today = ledger(events(FIVE), people=4)
    assert counts(today.given) == [(2, 1), (2, 2), (1, 1), (0, 0)]
    assert counts(today.received) == [(2, 2), (1, 1), (2, 1), (0, 0)]
    known = today.of(positions(CAT, ANN), positions(ANN, 3))
    assert counts(known.viewer_given) == [(1, 1), (2, 1)]
    assert counts(known.viewer_received) == [(2, 1), (2, 2)]
    assert counts(known.candidate_given) == [(2, 1), (0, 0)]
    assert counts(known.candidate_received) == [(2, 2), (0, 0)]


PEOPLE = 5
person = st.integers(0, PEOPLE - 1)
moment = st.integers(-3, 3)
happened = st.lists(st.tuples(person, person, st.booleans(), moment), max_size=30)
asked = st.lists(st.tuples(person, person, moment), max_size=10)


def counted(rows: Sequence[Event], side: int, who: int, before: float) -> tuple[int, int]:
    """One by one: decisions and likes of one person as actor (side 0) or target (side 1)."""
    theirs = [liked for *sides, liked, time in rows if sides[side] == who and time < before]
    return len(theirs), sum(theirs)


def counted_history(rows: Sequence[Event], viewer: int, candidate: int, before: float) -> list[tuple[int, int]]:
    return [counted(rows, side, who, before) for who in (viewer, candidate) for side in (0, 1)]


def tallies(known: History) -> list[list[tuple[int, int]]]:
    """Of each pair: given and received by the viewer, then by the candidate."""
    return [list(each) for each in zip(*(counts(tally) for tally in vars(known).values()), strict=True)]


@given(happened, asked)
def test_history_is_what_counting_one_by_one_gives(rows: list[Event], questions: list[tuple[int, int, int]]) -> None:
    viewer, candidate, before = np.array(questions, np.int64).reshape(-1, 3).T
    known = history_before(events(rows), viewer, candidate, before)
    assert tallies(known) == [counted_history(rows, *question) for question in questions]


@given(happened)
def test_the_ledger_is_the_history_at_the_end_of_time(rows: list[Event]) -> None:
    everybody = np.arange(PEOPLE)
    today = ledger(events(rows), PEOPLE).of(everybody, everybody[::-1])
    assert tallies(today) == [counted_history(rows, who, PEOPLE - 1 - who, np.inf) for who in range(PEOPLE)]
    after = history_before(events(rows), everybody, everybody[::-1], np.full(PEOPLE, 4))
    assert tallies(after) == tallies(today)
