"""How the evaluation asks: what is held out, what is known, in which half; and the ceiling, against brute force."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.db.errors import NotEnoughProfiles
from models.ml.evaluation import protocols
from models.ml.evaluation.protocols import (
    Split,
    build_complete_history,
    build_observed_history,
    find_second_half,
    split_cold_start,
    split_learning_curve,
    split_warm_start,
)
from models.ml.features.decision_history import Decisions, PairHistory
from tests.models_ml.conftest import events, positions
from tests.models_ml.meetings import PEOPLE, circle_of, everybody_met

MET = everybody_met()
GROUP = circle_of(MET)
EVERYTHING = np.arange(len(MET))


def meetings() -> Decisions:
    """Of the same circles, both decisions of two people at the moment they met."""
    pair = np.minimum(MET.actor, MET.target) * PEOPLE + np.maximum(MET.actor, MET.target)
    lot = np.random.default_rng(2).permutation(PEOPLE**2)
    return replace(MET, time=lot[pair])


MOMENTS = meetings()


def test_cold_every_group_is_asked_about_once_and_nothing_is_known_of_it() -> None:
    asks = list(split_cold_start(GROUP))
    assert [split.fold for split in asks] == list(range(5))
    assert sorted(np.concatenate([split.test_index for split in asks]).tolist()) == EVERYTHING.tolist()
    for split in asks:
        assert sorted([*split.train_index, *split.test_index]) == EVERYTHING.tolist()
        assert not set(GROUP[split.train_index]) & set(GROUP[split.test_index])
        assert len(split.observed_index) == 0
        known = build_observed_history(MET, np.ones(len(MET)), PEOPLE, split)
        assert not any(tally.decisions.any() for tally in vars(known).values())


def test_too_few_groups_to_hold_out_is_said() -> None:
    with pytest.raises(NotEnoughProfiles, match="of 4 groups of people, and 5 take turns"):
        next(split_cold_start(positions(7, 7, 1, 2, 3)))


def test_the_halves_are_of_each_group_s_own_time() -> None:
    """A group whose times are 0, 4, 5, 10, another at 100 to 103, and one at one moment."""
    time, group = positions(0, 4, 5, 10, 100, 103, 101, 7, 7), positions(1, 1, 1, 1, 2, 2, 2, 3, 3)
    assert find_second_half(time, group).tolist() == [False, False, False, True, False, True, False, False, False]


def test_warm_the_first_half_is_known_and_the_second_asked_for() -> None:
    asks = list(split_warm_start(MOMENTS, GROUP))
    assert [(split.fold, split.history_size) for split in asks] == [
        (fold, amount) for fold in range(5) for amount in protocols.WARM_HISTORY_SIZES
    ]
    for split in asks:
        held = np.concatenate([split.observed_index, split.test_index])
        assert sorted([*split.train_index, *held]) == EVERYTHING.tolist()
        assert not set(GROUP[split.train_index]) & set(GROUP[held])
        assert np.all(np.diff(MOMENTS.time[split.observed_index]) >= 0)
        for circle in np.unique(GROUP[held]):
            first, second = (
                MOMENTS.time[rows[GROUP[rows] == circle]] for rows in (split.observed_index, split.test_index)
            )
            assert first.max() < second.min()


def test_warm_both_decisions_of_two_who_met_are_in_the_same_half() -> None:
    pair = np.minimum(MET.actor, MET.target) * PEOPLE + np.maximum(MET.actor, MET.target)
    for split in split_warm_start(MOMENTS, GROUP):
        assert not set(pair[split.observed_index]) & set(pair[split.test_index])
        assert len(set(pair[split.test_index])) * 2 == len(split.test_index)


def test_warm_no_more_than_the_amount_counts_and_with_none_nothing() -> None:
    for split in split_warm_start(MOMENTS, GROUP):
        known = build_observed_history(MOMENTS, np.zeros(len(MET)), PEOPLE, split)
        most = max(int(tally.decisions.max()) for tally in vars(known).values())
        assert most == min(split.history_size if split.history_size is not None else 5, most)
        if split.history_size == 0:
            assert most == 0
    with_all = [
        build_observed_history(MOMENTS, np.zeros(len(MET)), PEOPLE, split)
        for split in split_warm_start(MOMENTS, GROUP)
        if split.history_size is None
    ]
    assert max(int(known.viewer_given.decisions.max()) for known in with_all) > 2


def test_growing_more_and_more_groups_are_learned_from_and_the_same_is_asked() -> None:
    asks = list(split_learning_curve(MOMENTS, GROUP))
    by_fold = [[split for split in asks if split.fold == fold] for fold in range(5)]
    everything = [split for split in split_warm_start(MOMENTS, GROUP) if split.history_size is None]
    for of_fold, whole in zip(by_fold, everything, strict=True):
        assert len(of_fold) == len(protocols.TRAINING_SHARES)
        for fewer, more in pairwise(of_fold):
            assert set(fewer.train_index) <= set(more.train_index)
        assert sorted(of_fold[-1].train_index) == sorted(whole.train_index)
        for split in of_fold:
            np.testing.assert_array_equal(split.test_index, whole.test_index)
            np.testing.assert_array_equal(split.observed_index, whole.observed_index)
            assert len(set(GROUP[split.train_index])) >= 2


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


def tallies_of(known: PairHistory, row: int) -> list[list[float]]:
    sides = (known.viewer_given, known.viewer_received, known.candidate_given, known.candidate_received)
    return [[float(side.decisions[row]), float(side.likes[row]), float(side.residual[row])] for side in sides]


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
    known = build_complete_history(made, surprise, 6, asked)
    for row, pair in enumerate(met):
        assert np.ravel(tallies_of(known, row)) == pytest.approx(np.ravel(known_by_hand(rows, pair, surprise)))


def test_the_ceiling_does_not_know_what_is_asked() -> None:
    """Were one decision the opposite, only the viewer's tallies would tell, and the same of every candidate."""
    surprise = np.zeros(len(MET))
    one = build_complete_history(MET, surprise, PEOPLE, EVERYTHING)
    changed = MET.liked.copy()
    changed[7] = not changed[7]
    other = build_complete_history(replace(MET, liked=changed), surprise, PEOPLE, EVERYTHING)
    for name in ("candidate_given", "candidate_received"):
        assert getattr(one, name).likes[7] == getattr(other, name).likes[7]
    mine = MET.actor == MET.actor[7]
    assert len(set(other.viewer_given.likes[mine].tolist())) == 1


def test_history_by_hand() -> None:
    """0 liked 1 first and then passed 2; only the first counts."""
    made = events((0, 1, True, 1), (0, 2, False, 2), (0, 3, True, 3))
    split = Split(
        fold=0, train_index=positions(), observed_index=positions(0, 1), test_index=positions(2), history_size=1
    )
    known = build_observed_history(made, np.array([0.25, -0.5, 9.0]), 4, split)
    assert tallies_of(known, 0) == [[1, 1, 0.25], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
