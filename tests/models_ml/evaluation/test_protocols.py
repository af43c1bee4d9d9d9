"""Protocols of the evaluation: what is held out, what is observed; and the upper bound, against brute force."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.db.errors import NotEnoughProfiles
from models.ml.evaluation import protocols
from models.ml.features.decision_history import PairHistory
from tests.models_ml.conftest import events, positions
from tests.models_ml.meetings import PEOPLE, circle_of, everybody_met

MET = everybody_met()
GROUP = circle_of(MET)
ROWS = list(range(len(MET)))
COUPLE = np.minimum(MET.actor, MET.target) * PEOPLE + np.maximum(MET.actor, MET.target)
# Both decisions of a couple at the moment they met.
MOMENTS = replace(MET, time=np.random.default_rng(2).permutation(PEOPLE**2)[COUPLE])


def test_cold_each_group_is_the_test_once_without_history() -> None:
    found = list(protocols.split_cold_start(GROUP))
    assert [split.fold for split in found] == list(range(5))
    assert sorted(np.concatenate([split.test_index for split in found]).tolist()) == ROWS
    for split in found:
        assert sorted([*split.train_index, *split.test_index]) == ROWS
        assert not set(GROUP[split.train_index]) & set(GROUP[split.test_index])
        known = protocols.build_observed_history(MET, np.ones(len(MET)), PEOPLE, split)
        assert not any(counts.decisions.any() for counts in vars(known).values())
    with pytest.raises(NotEnoughProfiles, match="4 groups"):
        next(protocols.split_cold_start(positions(7, 7, 1, 2, 3)))


def test_halves_are_of_each_group_s_own_time() -> None:
    """A group whose times are 0, 4, 5, 10, another at 100 to 103, and one at one moment."""
    time, group = positions(0, 4, 5, 10, 100, 103, 101, 7, 7), positions(1, 1, 1, 1, 2, 2, 2, 3, 3)
    second = protocols.find_second_half(time, group)
    assert second.tolist() == [False, False, False, True, False, True, False, False, False]


def test_warm_the_first_half_is_observed() -> None:
    found = list(protocols.split_warm_start(MOMENTS, GROUP))
    assert [(split.fold, split.history_size) for split in found] == [
        (fold, amount) for fold in range(5) for amount in protocols.WARM_HISTORY_SIZES
    ]
    for split in found:
        held = np.concatenate([split.observed_index, split.test_index])
        assert sorted([*split.train_index, *held]) == ROWS
        assert not set(GROUP[split.train_index]) & set(GROUP[held])
        assert np.all(np.diff(MOMENTS.time[split.observed_index]) >= 0)
        for circle in np.unique(GROUP[held]):
            first, second = (rows[GROUP[rows] == circle] for rows in (split.observed_index, split.test_index))
            assert MOMENTS.time[first].max() < MOMENTS.time[second].min()
        assert not set(COUPLE[split.observed_index]) & set(COUPLE[split.test_index])
        known = protocols.build_observed_history(MOMENTS, np.zeros(len(MET)), PEOPLE, split)
        most = max(int(counts.decisions.max()) for counts in vars(known).values())
        assert most > 2 if split.history_size is None else most <= split.history_size


def test_growing_trains_on_more_groups_for_the_same_test() -> None:
    found = list(protocols.split_learning_curve(MOMENTS, GROUP))
    warm = [split for split in protocols.split_warm_start(MOMENTS, GROUP) if split.history_size is None]
    for whole in warm:
        of_fold = [split for split in found if split.fold == whole.fold]
        assert len(of_fold) == len(protocols.TRAINING_SHARES)
        for fewer, more in pairwise(of_fold):
            assert set(fewer.train_index) <= set(more.train_index)
        assert sorted(of_fold[-1].train_index) == sorted(whole.train_index)
        for split in of_fold:
            np.testing.assert_array_equal(split.test_index, whole.test_index)
            np.testing.assert_array_equal(split.observed_index, whole.observed_index)
            assert len(set(GROUP[split.train_index])) >= 2


def counts_of(known: PairHistory, row: int) -> list[float]:
    sides = (known.viewer_given, known.viewer_received, known.candidate_given, known.candidate_received)
    return [float(part[row]) for side in sides for part in (side.decisions, side.likes, side.residual)]


def known_by_hand(rows: list[tuple[int, int, bool]], asked: tuple[int, int], residual: np.ndarray) -> list[float]:
    """Decisions, likes and residual of the four sides, one decision after the other."""
    viewer, candidate = asked
    found: list[float] = []
    for side, who, whole in ((0, viewer, True), (1, viewer, True), (0, candidate, False), (1, candidate, False)):
        theirs = [at for at, row in enumerate(rows) if row[side] == who and (whole or set(row[:2]) != set(asked))]
        count, likes = len(theirs), sum(rows[at][2] for at in theirs)
        share = max(count - 1, 0) / max(count, 1) if whole else 1
        found += [max(count - 1, 0) if whole else count, round(likes * share), share * sum(residual[theirs])]
    return found


person = st.integers(0, 5)


@given(
    st.lists(st.tuples(person, person).filter(lambda two: two[0] != two[1]), unique=True, min_size=1, max_size=25),
    st.integers(0, 99),
)
def test_the_upper_bound_omits_what_two_decided_of_each_other(met: list[tuple[int, int]], seed: int) -> None:
    """The candidate's counts leave it out; the viewer's are scaled down by one, so that no candidate stands out."""
    random = np.random.default_rng(seed)
    rows = [(one, other, bool(random.random() < 0.5)) for one, other in met]
    residual = random.normal(size=len(rows))
    known = protocols.build_complete_history(events(*((*row, 0) for row in rows)), residual, 6, np.arange(len(rows)))
    for row, pair in enumerate(met):
        assert counts_of(known, row) == pytest.approx(known_by_hand(rows, pair, residual))
