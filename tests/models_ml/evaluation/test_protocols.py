"""How the evaluation asks: what is held out, what is known, in which half; and the ceiling, against brute force."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.db.errors import EmptyTown
from models.ml.evaluation import protocols
from models.ml.evaluation.protocols import Ask, cold, everything_else, growing, history, second_half, warm
from models.ml.history import Events, History
from tests.models_ml.conftest import events, positions
from tests.models_ml.meetings import PEOPLE, circle_of, everybody_met

MET = everybody_met()
GROUP = circle_of(MET)
EVERYTHING = np.arange(len(MET))


def meetings() -> Events:
    """Of the same circles, both decisions of two people at the moment they met."""
    pair = np.minimum(MET.actor, MET.target) * PEOPLE + np.maximum(MET.actor, MET.target)
    lot = np.random.default_rng(2).permutation(PEOPLE**2)
    return replace(MET, time=lot[pair])


MOMENTS = meetings()


def test_cold_every_group_is_asked_about_once_and_nothing_is_known_of_it() -> None:
    asks = list(cold(GROUP))
    assert [ask.fold for ask in asks] == list(range(5))
    assert sorted(np.concatenate([ask.asked for ask in asks]).tolist()) == EVERYTHING.tolist()
    for ask in asks:
        assert sorted([*ask.learn, *ask.asked]) == EVERYTHING.tolist()
        assert not set(GROUP[ask.learn]) & set(GROUP[ask.asked])
        assert len(ask.known) == 0
        known = history(MET, np.ones(len(MET)), PEOPLE, ask)
        assert not any(tally.decisions.any() for tally in vars(known).values())


def test_too_few_groups_to_hold_out_is_said() -> None:
    with pytest.raises(EmptyTown, match="of 4 groups of people, and 5 take turns"):
        next(cold(positions(7, 7, 1, 2, 3)))


def test_the_halves_are_of_each_group_s_own_time() -> None:
    """A group whose times are 0, 4, 5, 10, another at 100 to 103, and one at one moment."""
    time, group = positions(0, 4, 5, 10, 100, 103, 101, 7, 7), positions(1, 1, 1, 1, 2, 2, 2, 3, 3)
    assert second_half(time, group).tolist() == [False, False, False, True, False, True, False, False, False]


def test_warm_the_first_half_is_known_and_the_second_asked_for() -> None:
    asks = list(warm(MOMENTS, GROUP))
    assert [(ask.fold, ask.amount) for ask in asks] == [
        (fold, amount) for fold in range(5) for amount in protocols.WARM
    ]
    for ask in asks:
        held = np.concatenate([ask.known, ask.asked])
        assert sorted([*ask.learn, *held]) == EVERYTHING.tolist()
        assert not set(GROUP[ask.learn]) & set(GROUP[held])
        assert np.all(np.diff(MOMENTS.time[ask.known]) >= 0)
        for circle in np.unique(GROUP[held]):
            first, second = (MOMENTS.time[rows[GROUP[rows] == circle]] for rows in (ask.known, ask.asked))
            assert first.max() < second.min()


def test_warm_both_decisions_of_two_who_met_are_in_the_same_half() -> None:
    pair = np.minimum(MET.actor, MET.target) * PEOPLE + np.maximum(MET.actor, MET.target)
    for ask in warm(MOMENTS, GROUP):
        assert not set(pair[ask.known]) & set(pair[ask.asked])
        assert len(set(pair[ask.asked])) * 2 == len(ask.asked)


def test_warm_no_more_than_the_amount_counts_and_with_none_nothing() -> None:
    for ask in warm(MOMENTS, GROUP):
        known = history(MOMENTS, np.zeros(len(MET)), PEOPLE, ask)
        most = max(int(tally.decisions.max()) for tally in vars(known).values())
        assert most == min(ask.amount if ask.amount is not None else 5, most)
        if ask.amount == 0:
            assert most == 0
    with_all = [history(MOMENTS, np.zeros(len(MET)), PEOPLE, ask) for ask in warm(MOMENTS, GROUP) if ask.amount is None]
    assert max(int(known.viewer_given.decisions.max()) for known in with_all) > 2


def test_growing_more_and_more_groups_are_learned_from_and_the_same_is_asked() -> None:
    asks = list(growing(MOMENTS, GROUP))
    by_fold = [[ask for ask in asks if ask.fold == fold] for fold in range(5)]
    everything = [ask for ask in warm(MOMENTS, GROUP) if ask.amount is None]
    for of_fold, whole in zip(by_fold, everything, strict=True):
        assert len(of_fold) == len(protocols.SHARES)
        for fewer, more in pairwise(of_fold):
            assert set(fewer.learn) <= set(more.learn)
        assert sorted(of_fold[-1].learn) == sorted(whole.learn)
        for ask in of_fold:
            np.testing.assert_array_equal(ask.asked, whole.asked)
            np.testing.assert_array_equal(ask.known, whole.known)
            assert len(set(GROUP[ask.learn])) >= 2


def known_by_hand(rows: list[tuple[int, int, bool]], asked: tuple[int, int], surprise: np.ndarray) -> list[list[float]]:
    """Decisions, likes and surprise of the four tallies, one decision after the other."""
    viewer, candidate = asked
    tallies = []
    for side, who, whole in ((0, viewer, True), (1, viewer, True), (0, candidate, False), (1, candidate, False)):
        theirs = [place for place, row in enumerate(rows) if row[side] == who]
        if not whole:
            theirs = [place for place in theirs if set(rows[place][:2]) != {viewer, candidate}]
        sums = [len(theirs), sum(rows[place][2] for place in theirs), sum(surprise[place] for place in theirs)]
        if whole:
            share = max(len(theirs) - 1, 0) / max(len(theirs), 1)
            sums = [max(len(theirs) - 1, 0), round(sums[1] * share), sums[2] * share]
        tallies.append([float(each) for each in sums])
    return tallies


def tallies_of(known: History, row: int) -> list[list[float]]:
    sides = (known.viewer_given, known.viewer_received, known.candidate_given, known.candidate_received)
    return [[float(side.decisions[row]), float(side.likes[row]), float(side.surprise[row])] for side in sides]


person = st.integers(0, 5)


@given(
    st.lists(st.tuples(person, person).filter(lambda two: two[0] != two[1]), unique=True, min_size=1, max_size=25),
    st.integers(0, 99),
)
def test_the_ceiling_knows_everything_but_what_the_two_decided_of_each_other(
    met: list[tuple[int, int]], seed: int
) -> None:
    """The candidate's tallies leave it out; the viewer's are scaled down by one, so that no candidate stands out."""
    random = np.random.default_rng(seed)
    rows = [(one, other, bool(random.random() < 0.5)) for one, other in met]
    surprise = random.normal(size=len(rows))
    made = events(*((*row, 0) for row in rows))
    asked = np.arange(len(rows))
    known = everything_else(made, surprise, 6, asked)
    for row, pair in enumerate(met):
        assert np.ravel(tallies_of(known, row)) == pytest.approx(np.ravel(known_by_hand(rows, pair, surprise)))


def test_the_ceiling_does_not_know_what_is_asked() -> None:
    """Were one decision the opposite, only the viewer's tallies would tell, and the same of every candidate."""
    surprise = np.zeros(len(MET))
    one = everything_else(MET, surprise, PEOPLE, EVERYTHING)
    changed = MET.liked.copy()
    changed[7] = not changed[7]
    other = everything_else(replace(MET, liked=changed), surprise, PEOPLE, EVERYTHING)
    for name in ("candidate_given", "candidate_received"):
        assert getattr(one, name).likes[7] == getattr(other, name).likes[7]
    mine = MET.actor == MET.actor[7]
    assert len(set(other.viewer_given.likes[mine].tolist())) == 1


def test_history_by_hand() -> None:
    """0 liked 1 first and then passed 2; only the first counts."""
    made = events((0, 1, True, 1), (0, 2, False, 2), (0, 3, True, 3))
    ask = Ask(fold=0, learn=positions(), known=positions(0, 1), asked=positions(2), amount=1)
    known = history(made, np.array([0.25, -0.5, 9.0]), 4, ask)
    assert tallies_of(known, 0) == [[1, 1, 0.25], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
