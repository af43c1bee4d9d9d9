"""The holdout set: lists, other directions, and predictions by the ranker that did not see the fold."""

from dataclasses import replace

import numpy as np
from scipy.special import expit

from models.ml.features import pair_features
from models.ml.features.decision_history import build_decision_history
from models.ml.ranker.linear import LinearModel
from models.ml.ranker.ranker_model import CrossFittedRanker, Ranker, build_prior
from models.ml.ranker.residuals import compute_residuals
from models.ml.validation.history_masking import MaskedSplit, draw_splits
from models.ml.validation.holdout import HoldoutSet, iterate_fold_batches, predict_out_of_fold
from tests.models_ml.conftest import crowd, events, positions, specification
from tests.models_ml.meetings import PEOPLE, circle_of, everybody_met

# 0 and 1 decided about each other, 0 about 2, 2 about 1.
BY_HAND = HoldoutSet(
    events((0, 1, True, 0), (1, 0, False, 0), (0, 2, True, 0), (2, 1, True, 0)),
    positions(0, 0, 1, 1),
    [
        MaskedSplit(0, positions(), positions(0, 1, 2)),
        MaskedSplit(2, positions(2), positions(0, 1, 3)),
        MaskedSplit(None, positions(), positions(1)),
    ],
)


def test_samples_by_hand() -> None:
    assert BY_HAND.samples.tolist() == [0, 1, 2, 0, 1, 3, 1]
    assert BY_HAND.liked.tolist() == [True, False, True, True, False, True, False]
    assert BY_HAND.cold.tolist() == [True, True, True, False, False, False, False]
    # A list is one viewer's samples of one split; 0 has two in the first.
    assert len(set(BY_HAND.lists.tolist())) == 6
    assert BY_HAND.lists[0] == BY_HAND.lists[2]
    # The other direction is in the same split, or nowhere.
    assert BY_HAND.reverse_index().tolist() == [1, 0, -1, 4, 3, -1, -1]
    some = BY_HAND.filter(np.array([False, True, False, True]))
    assert some.samples.tolist() == [1, 1, 3, 1]
    assert [draw.observed.tolist() for draw in some.splits] == [[], [2], []]
    nothing = HoldoutSet(events(), positions(), [MaskedSplit(0, positions(), positions())])
    assert nothing.reverse_index().tolist() == nothing.liked.tolist() == []


def test_history_by_hand() -> None:
    """In the second split only what 0 decided about 2 is visible."""
    pairs = BY_HAND.build_pairs(crowd(3), np.array([9.0, 9.0, 0.25, 9.0]))
    assert pairs.viewer.tolist() == [0, 1, 0, 0, 1, 2, 1]
    assert pairs.candidate.tolist() == [1, 0, 2, 1, 0, 1, 0]
    assert pairs.history.viewer_given.residual.tolist() == [0, 0, 0, 0.25, 0, 0, 0]
    assert pairs.history.candidate_given.residual.tolist() == [0, 0, 0, 0, 0.25, 0, 0]
    assert pairs.history.viewer_received.residual.tolist() == [0, 0, 0, 0, 0, 0.25, 0]
    plain = BY_HAND.build_pairs(crowd(3)).history.viewer_given
    assert plain.decisions.tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert not plain.residual.any()


MADE = specification()
NAMES = [name for name, _ in pair_features.list_feature_groups(MADE)]
EVENTS = everybody_met()
FOLD = circle_of(EVENTS) % 5
HOLDOUT = HoldoutSet(EVENTS, FOLD, draw_splits(EVENTS, np.arange(len(EVENTS)), 4 * len(EVENTS), seed=1))
TOWN = crowd(PEOPLE, age=np.random.default_rng(1).integers(20, 60, PEOPLE))


def weighing(seed: int) -> Ranker:
    """A ranker of random weights for age and history."""
    weights = np.random.default_rng(seed).normal(size=len(NAMES))
    weights *= np.array(["age" in name or "history" in name for name in NAMES])
    weights[: -pair_features.HISTORY_FEATURES] /= 20
    cold = LinearModel(0.3 * weights[: -pair_features.HISTORY_FEATURES], 0.1)
    prior = build_prior(MADE, NAMES, np.zeros(0, bool))
    return replace(prior, cold=cold, linear=LinearModel(weights, -0.2), slope=0.9)


# No ranker is without the fifth fold: the full one predicts it.
RANKERS = CrossFittedRanker(weighing(99), {fold: weighing(fold) for fold in range(4)})


def test_predictions_are_of_the_ranker_without_the_fold() -> None:
    p_like, start = predict_out_of_fold(RANKERS, HOLDOUT, TOWN), 0
    # A circle is in one fold, so that no other ranker has to do with these users' history.
    features = pair_features.build_profile_features(MADE, pair_features.build_cold_pairs(TOWN, EVENTS))
    for draw in HOLDOUT.splits:
        of_draw = p_like[start : start + len(draw.held_out)]
        start += len(draw.held_out)
        for fold in range(5):
            ranker = RANKERS.by_fold.get(fold, RANKERS.full)
            residual = EVENTS.liked - expit(ranker.cold.log_odds(features))
            observed = EVENTS.take(draw.observed)
            known = build_decision_history(observed, residual[draw.observed], PEOPLE, draw.history_size)
            here = FOLD[draw.held_out] == fold
            viewer, candidate = EVENTS.actor[draw.held_out[here]], EVENTS.target[draw.held_out[here]]
            pairs = pair_features.Pairs(TOWN, viewer, candidate, known.get_pair_history(viewer, candidate))
            np.testing.assert_array_equal(
                of_draw[here], ranker.predict_p_like(pair_features.build_features(MADE, pairs))
            )
    assert start == len(p_like)


def test_batches_are_of_one_fold_and_change_nothing() -> None:
    few = HoldoutSet(EVENTS, FOLD, draw_splits(EVENTS, np.arange(len(EVENTS)), 60, seed=1))
    whole = predict_out_of_fold(RANKERS, few, TOWN)
    small, large = (compute_residuals(RANKERS.full, TOWN, EVENTS, size) for size in (7, 1_000))
    np.testing.assert_array_equal(small, large)
    assert len(compute_residuals(RANKERS.full, TOWN, events())) == 0
    for size in (1, 7):
        np.testing.assert_array_equal(predict_out_of_fold(RANKERS, few, TOWN, batch_size=size), whole)
    found = list(iterate_fold_batches(FOLD, batch_size=7))
    assert max(map(len, found)) == 7
    assert all(len(set(FOLD[rows].tolist())) == 1 for rows in found)
    assert sorted(np.concatenate(found).tolist()) == list(range(len(FOLD)))
