"""History masking: what is held out is never visible, nor does it show in what is missing."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.arrays import Int64Array
from models.ml.features.decision_history import Decisions
from models.ml.validation import history_masking
from tests.models_ml.conftest import events as made
from tests.models_ml.meetings import everybody_met

EVENTS = everybody_met()
EVERYTHING = np.arange(len(EVENTS))


def couples(decisions: Decisions, rows: Int64Array) -> set[frozenset[int]]:
    """The unordered pairs of users whose decisions these are."""
    pairs = zip(decisions.actor[rows].tolist(), decisions.target[rows].tolist(), strict=True)
    return {frozenset(pair) for pair in pairs}


@st.composite
def some_events(draw: st.DrawFn) -> Decisions:
    """At most one decision of each about each, some of them answered, in any order."""
    person = st.integers(0, 7)
    pairs = draw(
        st.lists(st.tuples(person, person).filter(lambda two: two[0] != two[1]), unique=True, min_size=1, max_size=40)
    )
    return made(*((one, other, bool((one + other) % 2), place) for place, (one, other) in enumerate(pairs)))


@settings(max_examples=40)
@given(some_events(), st.integers(0, 9), st.integers(1, 60))
def test_history_tells_nothing_of_what_is_held_out(decisions: Decisions, seed: int, rows: int) -> None:
    """Both decisions of a pair are in one half, a viewer's history is the same for all candidates.

    And with opposite, more surprising held-out decisions the histories would be the same.
    """
    everything = np.arange(len(decisions))
    residual = np.random.default_rng(seed).normal(size=len(decisions))
    for split in history_masking.draw_splits(decisions, everything, rows, seed):
        assert len(split.observed) == 0 or split.history_size != 0
        for half in (split.observed, split.held_out):
            assert len(set(half.tolist())) == len(half)
            assert not couples(decisions, half) & couples(decisions, np.setdiff1d(everything, half))
        here = np.isin(everything, split.held_out)
        other = replace(decisions, liked=decisions.liked ^ here)
        one = history_masking.build_histories([split], decisions, residual, people=8)
        two = history_masking.build_histories([split], other, np.where(here, 10 * residual, residual), people=8)
        for side, counts in vars(one).items():
            for name, values in vars(counts).items():
                np.testing.assert_array_equal(getattr(getattr(two, side), name), values)
        viewer = decisions.actor[split.held_out]
        for counts in (one.viewer_given, one.viewer_received):
            seen = zip(viewer.tolist(), counts.decisions, counts.likes, counts.residual, strict=True)
            assert len(set(seen)) == len(set(viewer.tolist()))


@pytest.mark.parametrize("rows", [60, 600, 1_200, 6_000])
def test_about_as_many_are_held_out_as_wanted(rows: int) -> None:
    """As often for each size; of those with a history at most half, and the rest of all is observed."""
    found = history_masking.draw_splits(EVENTS, EVERYTHING, rows, seed=3)
    assert len(history_masking.concatenate_held_out(found)) == pytest.approx(rows, rel=0.35)
    sizes = Counter(split.history_size for split in found)
    assert set(sizes) == set(history_masking.HISTORY_SIZES)
    assert len(set(sizes.values())) == 1
    for split in found[1 : len(history_masking.HISTORY_SIZES)]:
        assert len(split.observed) == pytest.approx(len(EVENTS) / 2, rel=0.25)
        assert len(split.held_out) + len(split.observed) == len(EVENTS) or rows < 1_200


def test_only_sampled_decisions_are_held_out() -> None:
    sampled = np.flatnonzero(EVENTS.actor < 12)
    found = history_masking.draw_splits(EVENTS, sampled, 200, seed=4)
    assert set(history_masking.concatenate_held_out(found).tolist()) <= set(sampled.tolist())
    assert len(np.setdiff1d(np.concatenate([split.observed for split in found]), sampled)) > 100


def test_the_one_visible_decision_may_be_about_anybody() -> None:
    """Not mostly about the first."""
    first: Counter[int] = Counter()
    for split in history_masking.draw_splits(EVENTS, EVERYTHING, 400 * len(EVENTS), seed=7):
        if split.history_size == 1:
            mine = split.observed[EVENTS.actor[split.observed] == 0]
            first.update(EVENTS.target[mine[:1]].tolist())
    assert set(first) == {1, 2, 3, 4, 5}
    assert max(first.values()) < 0.35 * first.total()


def test_a_sample_is_of_whole_couples_and_of_the_size_wanted() -> None:
    decisions = everybody_met(circles=40, size=10)
    rows = history_masking.sample_decisions(decisions, most=900, seed=1)
    assert len(rows) == pytest.approx(900, rel=0.15)
    others = np.setdiff1d(np.arange(len(decisions)), rows)
    assert not couples(decisions, rows) & couples(decisions, others)
    np.testing.assert_array_equal(history_masking.sample_decisions(decisions, most=900, seed=1), rows)
    assert history_masking.sample_decisions(decisions, most=900, seed=2).tolist() != rows.tolist()
    np.testing.assert_array_equal(history_masking.sample_decisions(EVENTS, len(EVENTS), seed=1), EVERYTHING)


def test_a_sample_omits_unknown_givers_and_bounds_busy_ones() -> None:
    """Each of twenty decides on ten others; 20, on whom nobody decides, on three; 0 on five hundred more."""
    ordinary = [(giver, (giver + step) % 20, True, 0) for giver in range(20) for step in range(1, 11)]
    unknown = [(20, target, False, 0) for target in range(3)]
    busy = [(0, target, True, 0) for target in range(21, 521)]
    decisions = made(*ordinary, *unknown, *busy)
    rows = history_masking.sample_decisions(decisions, most=10_000, seed=1)
    assert 20 not in decisions.actor[rows]
    assert np.bincount(decisions.actor[rows])[:20].tolist() == [history_masking.MIN_GIVER_LIMIT] + [10] * 19
    assert np.all(np.diff(rows) > 0)


def test_without_decisions() -> None:
    found = history_masking.draw_splits(made(), np.empty(0, np.int64), 0, seed=0)
    assert len(history_masking.concatenate_held_out(found)) == 0
    assert len(history_masking.sample_decisions(made(), 10, seed=0)) == 0
