"""Draws: what is asked for is never known, nor does it show in what is missing."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.draws import AMOUNTS, ENOUGH, Draw, asked, draws, histories, sample
from models.ml.history import Events, Ints
from tests.models_ml.conftest import events as made
from tests.models_ml.conftest import positions
from tests.models_ml.meetings import PEOPLE, everybody_met

EVENTS = everybody_met()
EVERYTHING = np.arange(len(EVENTS))
Couple = tuple[int, int]


def couples(events: Events, rows: Ints) -> set[Couple]:
    """The unordered pairs of people whose decisions these are."""
    return {
        (min(pair), max(pair)) for pair in zip(events.actor[rows].tolist(), events.target[rows].tolist(), strict=True)
    }


@st.composite
def some_events(draw: st.DrawFn) -> Events:
    """At most one decision of each about each, some of them answered, in any order."""
    person = st.integers(0, 7)
    pairs = draw(
        st.lists(st.tuples(person, person).filter(lambda two: two[0] != two[1]), unique=True, min_size=1, max_size=40)
    )
    return made(*((one, other, bool((one + other) % 2), place) for place, (one, other) in enumerate(pairs)))


@given(some_events(), st.integers(0, 9), st.integers(1, 200))
def test_both_decisions_of_two_people_are_in_the_same_half(events: Events, seed: int, rows: int) -> None:
    for draw in draws(events, np.arange(len(events)), rows, seed):
        if draw.amount == 0:
            assert len(draw.known) == 0
        assert not couples(events, draw.known) & couples(events, draw.asked)
        for half in (draw.known, draw.asked):
            assert len(set(half.tolist())) == len(half)
            others = np.setdiff1d(np.arange(len(events)), half)
            assert not couples(events, half) & couples(events, others)


@given(some_events(), st.integers(0, 9))
def test_nothing_of_a_pair_that_is_asked_for_is_known(events: Events, seed: int) -> None:
    """Were the decisions asked for in a draw the opposite, or more surprising, its histories would be the same."""
    everything = np.arange(len(events))
    surprise = np.random.default_rng(seed).normal(size=len(events))
    for draw in draws(events, everything, 4 * len(events), seed):
        here = np.isin(everything, draw.asked)
        other = replace(events, liked=events.liked ^ here)
        one = histories([draw], events, surprise, people=8)
        two = histories([draw], other, np.where(here, 10 * surprise, surprise), people=8)
        for side, tally in vars(one).items():
            for name, values in vars(tally).items():
                np.testing.assert_array_equal(getattr(getattr(two, side), name), values)


@given(some_events(), st.integers(0, 9))
def test_a_viewer_s_history_is_the_same_for_all_their_candidates(events: Events, seed: int) -> None:
    found = draws(events, np.arange(len(events)), 4 * len(events), seed)
    known = histories(found, events, np.ones(len(events)), people=8)
    draw = np.repeat(np.arange(len(found)), [len(each.asked) for each in found])
    viewer = events.actor[asked(found)]
    seen: dict[tuple[int, int], set[tuple[float, ...]]] = {}
    for row, whose in enumerate(zip(draw.tolist(), viewer.tolist(), strict=True)):
        sides = (known.viewer_given, known.viewer_received)
        seen.setdefault(whose, set()).add(
            tuple(float(v[row]) for side in sides for v in (side.decisions, side.likes, side.surprise))
        )
    assert all(len(each) == 1 for each in seen.values())


def test_of_each_person_no_more_than_the_amount_is_known() -> None:
    events = everybody_met(circles=3, size=20)
    found = draws(events, np.arange(len(events)), 4 * len(events), seed=1)
    assert [draw.amount for draw in found] == list(AMOUNTS)
    for draw in found:
        known = histories([draw], events, np.zeros(len(events)), PEOPLE)
        most = max(int(tally.decisions.max()) for tally in vars(known).values())
        assert most == draw.amount or (draw.amount is None and most > 8)


def test_histories_go_draw_by_draw_and_are_the_ledger_s() -> None:
    """Person 0 likes 1 and 2; of what is known, in the order of the draw, one decision of each side counts."""
    events = made((0, 1, True, 0), (0, 2, True, 0), (2, 0, False, 0), (1, 2, True, 0))
    surprise = np.array([0.5, 0.25, -0.125, 0.75])
    found = [Draw(1, positions(2, 1), positions(0, 3)), Draw(None, positions(0, 1, 2), positions(3))]
    known = histories(found, events, surprise, people=3)
    assert asked(found).tolist() == [0, 3, 3]
    assert known.viewer_given.surprise.tolist() == [0.25, 0, 0]
    assert known.viewer_received.surprise.tolist() == [-0.125, 0, 0.5]
    assert known.candidate_given.surprise.tolist() == [0, -0.125, -0.125]
    assert known.candidate_received.surprise.tolist() == [0, 0.25, 0.25]
    assert known.candidate_received.decisions.tolist() == [0, 1, 1]


def test_half_is_asked_for_of_those_who_are_known_and_what_is_known_is_the_other_half() -> None:
    for draw in draws(EVENTS, EVERYTHING, 4 * len(EVENTS), seed=2)[1:]:
        assert len(draw.asked) == pytest.approx(len(EVENTS) / 2, rel=0.25)
        assert len(draw.asked) + len(draw.known) == len(EVENTS)


@pytest.mark.parametrize("rows", [60, 600, 1_200, 6_000])
def test_about_as_many_are_asked_for_as_wanted_each_amount_alike(rows: int) -> None:
    found = draws(EVENTS, EVERYTHING, rows, seed=3)
    assert len(asked(found)) == pytest.approx(rows, rel=0.35)
    amounts = Counter(draw.amount for draw in found)
    assert set(amounts) == set(AMOUNTS)
    assert len(set(amounts.values())) == 1


def test_only_the_sampled_are_asked_for_but_all_may_be_known() -> None:
    sampled = np.flatnonzero(EVENTS.actor < 12)
    found = draws(EVENTS, sampled, 200, seed=4)
    assert set(asked(found).tolist()) <= set(sampled.tolist())
    known = np.concatenate([draw.known for draw in found])
    assert len(np.setdiff1d(known, sampled)) > 100


def test_the_same_seed_gives_the_same_draws_and_another_others() -> None:
    one, again, other = (draws(EVENTS, EVERYTHING, 500, seed) for seed in (5, 5, 6))
    for first, second in zip(one, again, strict=True):
        np.testing.assert_array_equal(first.known, second.known)
        np.testing.assert_array_equal(first.asked, second.asked)
    assert asked(one).tolist() != asked(other).tolist()


def test_what_is_known_is_in_an_order_that_no_person_s_place_decides() -> None:
    """Of those of whom only one decision is known it is anybody's alike, not mostly that about the first."""
    first: Counter[int] = Counter()
    for draw in draws(EVENTS, EVERYTHING, 400 * len(EVENTS), seed=7):
        if draw.amount == 1:
            mine = draw.known[EVENTS.actor[draw.known] == 0]
            first.update(EVENTS.target[mine[:1]].tolist())
    assert set(first) == {1, 2, 3, 4, 5}
    assert max(first.values()) < 0.35 * first.total()


def test_a_sample_keeps_couples_whole_and_is_about_as_large_as_wanted() -> None:
    events = everybody_met(circles=40, size=10)
    rows = sample(events, most=900, seed=1)
    assert len(rows) == pytest.approx(900, rel=0.15)
    assert np.all(np.diff(rows) > 0)
    others = np.setdiff1d(np.arange(len(events)), rows)
    assert not couples(events, rows) & couples(events, others)
    np.testing.assert_array_equal(sample(events, most=900, seed=1), rows)
    assert sample(events, most=900, seed=2).tolist() != rows.tolist()


def test_a_sample_of_no_more_than_there_are_is_everything() -> None:
    np.testing.assert_array_equal(sample(EVENTS, len(EVENTS), seed=1), EVERYTHING)


def test_a_sample_leaves_out_givers_whom_nobody_knows_and_bounds_those_who_decide_very_much() -> None:
    """Everybody of twenty decides on ten others; 20, on whom nobody decides, on three; 0 on five hundred more."""
    ordinary = [(giver, (giver + step) % 20, True, 0) for giver in range(20) for step in range(1, 11)]
    unknown = [(20, target, False, 0) for target in range(3)]
    busy = [(0, target, True, 0) for target in range(21, 521)]
    events = made(*ordinary, *unknown, *busy)
    rows = sample(events, most=10_000, seed=1)
    assert 20 not in events.actor[rows]
    assert np.bincount(events.actor[rows])[:20].tolist() == [ENOUGH] + [10] * 19
    assert np.all(np.diff(rows) > 0)


def test_draws_of_nothing() -> None:
    found = draws(made(), np.empty(0, np.int64), 0, seed=0)
    assert len(asked(found)) == 0
    assert len(sample(made(), 10, seed=0)) == 0
