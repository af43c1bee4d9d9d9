"""Draws: what is asked for is never known, nor does it show in what is missing."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.arrays import Int64Array
from models.ml.features.decision_history import Decisions
from models.ml.validation.history_masking import (
    HISTORY_SIZES,
    MIN_GIVER_LIMIT,
    MaskedSplit,
    build_histories,
    concatenate_held_out,
    draw_splits,
    sample_decisions,
)
from tests.models_ml.conftest import events as made
from tests.models_ml.conftest import positions
from tests.models_ml.meetings import PEOPLE, everybody_met

EVENTS = everybody_met()
EVERYTHING = np.arange(len(EVENTS))
Couple = tuple[int, int]


def couples(decisions: Decisions, rows: Int64Array) -> set[Couple]:
    """The unordered pairs of people whose decisions these are."""
    return {
        (min(pair), max(pair))
        for pair in zip(decisions.actor[rows].tolist(), decisions.target[rows].tolist(), strict=True)
    }


@st.composite
def some_events(draw: st.DrawFn) -> Decisions:
    """At most one decision of each about each, some of them answered, in any order."""
    person = st.integers(0, 7)
    pairs = draw(
        st.lists(st.tuples(person, person).filter(lambda two: two[0] != two[1]), unique=True, min_size=1, max_size=40)
    )
    return made(*((one, other, bool((one + other) % 2), place) for place, (one, other) in enumerate(pairs)))


@given(some_events(), st.integers(0, 9), st.integers(1, 200))
def test_both_decisions_of_two_people_are_in_the_same_half(decisions: Decisions, seed: int, rows: int) -> None:
    for draw in draw_splits(decisions, np.arange(len(decisions)), rows, seed):
        if draw.history_size == 0:
            assert len(draw.observed) == 0
        assert not couples(decisions, draw.observed) & couples(decisions, draw.held_out)
        for half in (draw.observed, draw.held_out):
            assert len(set(half.tolist())) == len(half)
            others = np.setdiff1d(np.arange(len(decisions)), half)
            assert not couples(decisions, half) & couples(decisions, others)


@given(some_events(), st.integers(0, 9))
def test_nothing_of_a_pair_that_is_asked_for_is_known(decisions: Decisions, seed: int) -> None:
    """Were the decisions asked for in a draw the opposite, or more surprising, its histories would be the same."""
    everything = np.arange(len(decisions))
    surprise = np.random.default_rng(seed).normal(size=len(decisions))
    for draw in draw_splits(decisions, everything, 4 * len(decisions), seed):
        here = np.isin(everything, draw.held_out)
        other = replace(decisions, liked=decisions.liked ^ here)
        one = build_histories([draw], decisions, surprise, people=8)
        two = build_histories([draw], other, np.where(here, 10 * surprise, surprise), people=8)
        for side, tally in vars(one).items():
            for name, values in vars(tally).items():
                np.testing.assert_array_equal(getattr(getattr(two, side), name), values)


@given(some_events(), st.integers(0, 9))
def test_a_viewer_s_history_is_the_same_for_all_their_candidates(decisions: Decisions, seed: int) -> None:
    found = draw_splits(decisions, np.arange(len(decisions)), 4 * len(decisions), seed)
    known = build_histories(found, decisions, np.ones(len(decisions)), people=8)
    draw = np.repeat(np.arange(len(found)), [len(each.held_out) for each in found])
    viewer = decisions.actor[concatenate_held_out(found)]
    seen: dict[tuple[int, int], set[tuple[float, ...]]] = {}
    for row, whose in enumerate(zip(draw.tolist(), viewer.tolist(), strict=True)):
        sides = (known.viewer_given, known.viewer_received)
        seen.setdefault(whose, set()).add(
            tuple(float(v[row]) for side in sides for v in (side.decisions, side.likes, side.residual))
        )
    assert all(len(each) == 1 for each in seen.values())


def test_of_each_person_no_more_than_the_amount_is_known() -> None:
    decisions = everybody_met(circles=3, size=20)
    found = draw_splits(decisions, np.arange(len(decisions)), 4 * len(decisions), seed=1)
    assert [draw.history_size for draw in found] == list(HISTORY_SIZES)
    for draw in found:
        known = build_histories([draw], decisions, np.zeros(len(decisions)), PEOPLE)
        most = max(int(tally.decisions.max()) for tally in vars(known).values())
        assert most == draw.history_size or (draw.history_size is None and most > 8)


def test_histories_go_draw_by_draw_and_are_the_ledger_s() -> None:
    """Person 0 likes 1 and 2; of what is known, in the order of the draw, one decision of each side counts."""
    decisions = made((0, 1, True, 0), (0, 2, True, 0), (2, 0, False, 0), (1, 2, True, 0))
    surprise = np.array([0.5, 0.25, -0.125, 0.75])
    found = [MaskedSplit(1, positions(2, 1), positions(0, 3)), MaskedSplit(None, positions(0, 1, 2), positions(3))]
    known = build_histories(found, decisions, surprise, people=3)
    assert concatenate_held_out(found).tolist() == [0, 3, 3]
    assert known.viewer_given.residual.tolist() == [0.25, 0, 0]
    assert known.viewer_received.residual.tolist() == [-0.125, 0, 0.5]
    assert known.candidate_given.residual.tolist() == [0, -0.125, -0.125]
    assert known.candidate_received.residual.tolist() == [0, 0.25, 0.25]
    assert known.candidate_received.decisions.tolist() == [0, 1, 1]


def test_half_is_asked_for_of_those_who_are_known_and_what_is_known_is_the_other_half() -> None:
    for draw in draw_splits(EVENTS, EVERYTHING, 4 * len(EVENTS), seed=2)[1:]:
        assert len(draw.held_out) == pytest.approx(len(EVENTS) / 2, rel=0.25)
        assert len(draw.held_out) + len(draw.observed) == len(EVENTS)


@pytest.mark.parametrize("rows", [60, 600, 1_200, 6_000])
def test_about_as_many_are_asked_for_as_wanted_each_amount_alike(rows: int) -> None:
    found = draw_splits(EVENTS, EVERYTHING, rows, seed=3)
    assert len(concatenate_held_out(found)) == pytest.approx(rows, rel=0.35)
    amounts = Counter(draw.history_size for draw in found)
    assert set(amounts) == set(HISTORY_SIZES)
    assert len(set(amounts.values())) == 1


def test_only_the_sampled_are_asked_for_but_all_may_be_known() -> None:
    sampled = np.flatnonzero(EVENTS.actor < 12)
    found = draw_splits(EVENTS, sampled, 200, seed=4)
    assert set(concatenate_held_out(found).tolist()) <= set(sampled.tolist())
    known = np.concatenate([draw.observed for draw in found])
    assert len(np.setdiff1d(known, sampled)) > 100


def test_the_same_seed_gives_the_same_draws_and_another_others() -> None:
    one, again, other = (draw_splits(EVENTS, EVERYTHING, 500, seed) for seed in (5, 5, 6))
    for first, second in zip(one, again, strict=True):
        np.testing.assert_array_equal(first.observed, second.observed)
        np.testing.assert_array_equal(first.held_out, second.held_out)
    assert concatenate_held_out(one).tolist() != concatenate_held_out(other).tolist()


def test_what_is_known_is_in_an_order_that_no_person_s_place_decides() -> None:
    """Of those of whom only one decision is known it is anybody's alike, not mostly that about the first."""
    first: Counter[int] = Counter()
    for draw in draw_splits(EVENTS, EVERYTHING, 400 * len(EVENTS), seed=7):
        if draw.history_size == 1:
            mine = draw.observed[EVENTS.actor[draw.observed] == 0]
            first.update(EVENTS.target[mine[:1]].tolist())
    assert set(first) == {1, 2, 3, 4, 5}
    assert max(first.values()) < 0.35 * first.total()


def test_a_sample_keeps_couples_whole_and_is_about_as_large_as_wanted() -> None:
    decisions = everybody_met(circles=40, size=10)
    rows = sample_decisions(decisions, most=900, seed=1)
    assert len(rows) == pytest.approx(900, rel=0.15)
    assert np.all(np.diff(rows) > 0)
    others = np.setdiff1d(np.arange(len(decisions)), rows)
    assert not couples(decisions, rows) & couples(decisions, others)
    np.testing.assert_array_equal(sample_decisions(decisions, most=900, seed=1), rows)
    assert sample_decisions(decisions, most=900, seed=2).tolist() != rows.tolist()


def test_a_sample_of_no_more_than_there_are_is_everything() -> None:
    np.testing.assert_array_equal(sample_decisions(EVENTS, len(EVENTS), seed=1), EVERYTHING)


def test_a_sample_leaves_out_givers_whom_nobody_knows_and_bounds_those_who_decide_very_much() -> None:
    """Everybody of twenty decides on ten others; 20, on whom nobody decides, on three; 0 on five hundred more."""
    ordinary = [(giver, (giver + step) % 20, True, 0) for giver in range(20) for step in range(1, 11)]
    unknown = [(20, target, False, 0) for target in range(3)]
    busy = [(0, target, True, 0) for target in range(21, 521)]
    decisions = made(*ordinary, *unknown, *busy)
    rows = sample_decisions(decisions, most=10_000, seed=1)
    assert 20 not in decisions.actor[rows]
    assert np.bincount(decisions.actor[rows])[:20].tolist() == [MIN_GIVER_LIMIT] + [10] * 19
    assert np.all(np.diff(rows) > 0)


def test_draws_of_nothing() -> None:
    found = draw_splits(made(), np.empty(0, np.int64), 0, seed=0)
    assert len(concatenate_held_out(found)) == 0
    assert len(sample_decisions(made(), 10, seed=0)) == 0
