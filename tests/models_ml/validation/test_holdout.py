"""The exam: whose list a question is in, its other direction, and answers by the ranker that did not see the fold."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from models.ml.features.decision_history import build_decision_history
from models.ml.features.pair_features import (
    HISTORY_FEATURES,
    Pairs,
    build_cold_pairs,
    build_features,
    build_profile_features,
    list_feature_groups,
)
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import CrossFittedRanker, Ranker, build_prior
from models.ml.validation import holdout as module
from models.ml.validation.history_masking import MaskedSplit, draw_splits
from models.ml.validation.holdout import HoldoutSet, iterate_fold_batches, predict_out_of_fold
from tests.models_ml.conftest import crowd, events, positions, specification
from tests.models_ml.meetings import PEOPLE, circle_of, everybody_met

MADE = specification()
NAMES = [name for name, _ in list_feature_groups(MADE)]
# 0 and 1 decided about each other, 0 about 2, 2 about 1.
FOUR = events((0, 1, True, 0), (1, 0, False, 0), (0, 2, True, 0), (2, 1, True, 0))
BY_HAND = HoldoutSet(
    FOUR,
    positions(0, 0, 1, 1),
    [
        MaskedSplit(0, positions(), positions(0, 1, 2)),
        MaskedSplit(2, positions(2), positions(0, 1, 3)),
        MaskedSplit(None, positions(), positions(1)),
    ],
)


def test_questions_by_hand() -> None:
    assert BY_HAND.samples.tolist() == [0, 1, 2, 0, 1, 3, 1]
    assert BY_HAND.liked.tolist() == [True, False, True, True, False, True, False]
    assert BY_HAND.split.tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert BY_HAND.cold.tolist() == [True, True, True, False, False, False, False]


def test_a_list_is_one_viewer_s_questions_of_one_draw() -> None:
    lists = BY_HAND.lists
    assert len(set(lists.tolist())) == 6
    assert lists[0] == lists[2]


def test_the_other_direction_is_that_of_the_same_draw() -> None:
    """Nobody asked for 2 about 0 nor 1 about 2, and for 0 about 1 not in the last draw."""
    assert BY_HAND.reverse_index().tolist() == [1, 0, -1, 4, 3, -1, -1]


def test_an_exam_about_some_decisions_only_knows_the_same() -> None:
    some = BY_HAND.filter(np.array([False, True, False, True]))
    assert some.samples.tolist() == [1, 1, 3, 1]
    assert [draw.observed.tolist() for draw in some.splits] == [draw.observed.tolist() for draw in BY_HAND.splits]


def test_an_exam_without_questions() -> None:
    nothing = HoldoutSet(events(), positions(), [MaskedSplit(0, positions(), positions())])
    assert nothing.reverse_index().tolist() == []
    assert nothing.liked.tolist() == []


def test_the_history_of_a_question_by_hand() -> None:
    """In the second draw only what 0 decided about 2 is known."""
    pairs = BY_HAND.build_pairs(crowd(3), np.array([9.0, 9.0, 0.25, 9.0]))
    assert pairs.viewer.tolist() == [0, 1, 0, 0, 1, 2, 1]
    assert pairs.candidate.tolist() == [1, 0, 2, 1, 0, 1, 0]
    assert pairs.history.viewer_given.residual.tolist() == [0, 0, 0, 0.25, 0, 0, 0]
    assert pairs.history.candidate_given.residual.tolist() == [0, 0, 0, 0, 0.25, 0, 0]
    assert pairs.history.viewer_received.residual.tolist() == [0, 0, 0, 0, 0, 0.25, 0]
    assert BY_HAND.build_pairs(crowd(3)).history.viewer_given.decisions.tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert not BY_HAND.build_pairs(crowd(3)).history.viewer_given.residual.any()


EVENTS = everybody_met()
FOLD = circle_of(EVENTS) % 5
EXAM = HoldoutSet(EVENTS, FOLD, draw_splits(EVENTS, np.arange(len(EVENTS)), 4 * len(EVENTS), seed=1))
TOWN = crowd(PEOPLE, age=np.random.default_rng(1).integers(20, 60, PEOPLE))


def weighing(seed: int) -> Ranker:
    """A ranker of random weights for age and history."""
    random = np.random.default_rng(seed)
    weights = random.normal(size=len(NAMES)) * np.array(["age" in name or "history" in name for name in NAMES])
    ranker = build_prior(MADE, NAMES, np.zeros(0, bool))
    weights[:-HISTORY_FEATURES] /= 20
    return replace(
        ranker, cold=LinearModel(0.3 * weights[:-HISTORY_FEATURES], 0.1), linear=LinearModel(weights, -0.2), slope=0.9
    )


RANKERS = CrossFittedRanker(weighing(99), {fold: weighing(fold) for fold in range(4)})


def test_the_answers_are_those_of_the_ranker_that_did_not_see_the_fold() -> None:
    """Draw by draw and fold by fold; nobody was held out of the fifth fold, so that the whole ranker answers."""
    p_like, start = predict_out_of_fold(RANKERS, EXAM, TOWN), 0
    for draw in EXAM.splits:
        of_draw = p_like[start : start + len(draw.held_out)]
        start += len(draw.held_out)
        for fold in range(5):
            ranker = RANKERS.by_fold.get(fold, RANKERS.full)
            # A circle is in one fold, so that nothing known of these people was decided in another.
            features = build_profile_features(MADE, build_cold_pairs(TOWN, EVENTS))
            surprise = EVENTS.liked - expit(ranker.cold.log_odds(features))
            known = build_decision_history(
                EVENTS.take(draw.observed), surprise[draw.observed], PEOPLE, draw.history_size
            )
            here = FOLD[draw.held_out] == fold
            viewer, candidate = EVENTS.actor[draw.held_out[here]], EVENTS.target[draw.held_out[here]]
            pairs = Pairs(TOWN, viewer, candidate, known.get_pair_history(viewer, candidate))
            np.testing.assert_array_equal(of_draw[here], ranker.predict_p_like(build_features(MADE, pairs)))
    assert start == len(p_like)


def test_the_wrong_answers_of_other_folds_change_nothing() -> None:
    one = predict_out_of_fold(RANKERS, EXAM, TOWN)
    other = predict_out_of_fold(RANKERS, replace(EXAM, events=replace(EVENTS, liked=EVENTS.liked ^ (FOLD == 2))), TOWN)
    same = FOLD[EXAM.samples] != 2
    np.testing.assert_array_equal(one[same], other[same])
    assert (one[~same & ~EXAM.cold] != other[~same & ~EXAM.cold]).mean() > 0.9
    np.testing.assert_array_equal(one[EXAM.cold], other[EXAM.cold])


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_blocks_change_no_answer(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    few = HoldoutSet(EVENTS, FOLD, draw_splits(EVENTS, np.arange(len(EVENTS)), 60, seed=1))
    whole = predict_out_of_fold(RANKERS, few, TOWN)
    monkeypatch.setattr(module, "DECISIONS_PER_BATCH", size)
    np.testing.assert_array_equal(predict_out_of_fold(RANKERS, few, TOWN), whole)


def test_blocks_are_of_one_fold_each_and_hold_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DECISIONS_PER_BATCH", 7)
    found = list(iterate_fold_batches(FOLD))
    assert max(map(len, found)) == 7
    assert all(len(set(FOLD[rows].tolist())) == 1 for rows in found)
    assert sorted(np.concatenate(found).tolist()) == list(range(len(FOLD)))
