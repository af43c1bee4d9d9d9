"""The protocols of the evaluation: cold start by group, warm start by time, learning curve, and upper bound."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from models.db.errors import NotEnoughProfiles
from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.decision_history import DecisionCounts, Decisions, PairHistory, build_decision_history
from models.ml.kernels.code_lookup import find_codes

FOLDS = 5
# How many decisions, given and received, are visible of each user in the warm protocol; None for all.
WARM_HISTORY_SIZES: tuple[int | None, ...] = (0, 1, 2, 4, 8, None)
# Shares of the training groups in the learning curve.
TRAINING_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


@dataclass(frozen=True)
class Split:
    """Row numbers of the training decisions, of the observed and of the test decisions."""

    fold: int
    train_index: Int64Array
    observed_index: Int64Array
    test_index: Int64Array
    history_size: int | None
    """How many observed decisions, given and received, count for each user; None for all."""


def split_by_group(group: Int64Array) -> list[tuple[Int64Array, Int64Array]]:
    """Split by group into (train, held out) rows of balanced sizes.

    Raises NotEnoughProfiles for fewer than FOLDS groups.
    """
    if (groups := len(np.unique(group))) < FOLDS:
        raise NotEnoughProfiles(
            f"there are decisions of {groups} groups of people, and {FOLDS} take turns: load more decisions"
        )
    return [(learn, held) for learn, held in GroupKFold(FOLDS).split(group, groups=group)]


def split_cold_start(group: Int64Array) -> Iterator[Split]:
    """Yield splits whose test groups have no history."""
    nothing = np.empty(0, np.int64)
    for fold, (learn, held) in enumerate(split_by_group(group)):
        yield Split(fold, learn, nothing, held, 0)


def split_warm_start(decisions: Decisions, group: Int64Array) -> Iterator[Split]:
    """Yield splits whose test groups have more or less of their first half observed; their second half is the test.

    The halves are of the time in which a group decided. Both decisions of a pair who met at one moment are thus in the
    same half.
    """
    second = find_second_half(decisions.time, group)
    for fold, (learn, held) in enumerate(split_by_group(group)):
        first = held[~second[held]]
        in_order = first[np.argsort(decisions.time[first], kind="stable")]
        for amount in WARM_HISTORY_SIZES:
            yield Split(fold, learn, in_order, held[second[held]], amount)


def split_learning_curve(decisions: Decisions, group: Int64Array) -> Iterator[Split]:
    """Yield the same test decisions, with all of the first half observed, for growing shares of the training groups."""
    second = find_second_half(decisions.time, group)
    for fold, (learn, held) in enumerate(split_by_group(group)):
        first = held[~second[held]]
        in_order = first[np.argsort(decisions.time[first], kind="stable")]
        names = np.unique(group[learn])
        for share in TRAINING_SHARES:
            some = np.isin(group[learn], names[: max(2, round(share * len(names)))])
            yield Split(fold, learn[some], in_order, held[second[held]], None)


def find_second_half(time: Int64Array, group: Int64Array) -> BoolArray:
    """Return whether each decision was made after the middle of its group's time, bool (n,)."""
    spans = pd.Series(time).groupby(group)
    earliest, latest = spans.transform("min").to_numpy(), spans.transform("max").to_numpy()
    return np.asarray(time > earliest + (latest - earliest) // 2)


def build_observed_history(decisions: Decisions, residual: Float64Array, people: int, split: Split) -> PairHistory:
    """Build the observed history of the test pairs, each (t,)."""
    known = build_decision_history(
        decisions.take(split.observed_index), residual[split.observed_index], people, split.history_size
    )
    return known.get_pair_history(decisions.actor[split.test_index], decisions.target[split.test_index])


def build_complete_history(decisions: Decisions, residual: Float64Array, people: int, asked: Int64Array) -> PairHistory:
    """Build the history of each pair from all other decisions of both users: the upper bound of what history can add.

    The candidate's counts leave out what the two decided about each other. Doing so for the viewer would reveal the
    label: the viewer's counts would differ between candidates by the held-out decision. They are scaled down by one
    decision instead.

    Args:
        decisions: All decisions.
        residual: Residual of each decision, float64 (n,).
        people: The number of users.
        asked: Rows of the test decisions, int64 (t,).
    """
    total = build_decision_history(decisions, residual, people)
    mine = _count_by_pair(decisions, residual, decisions.weight, people, asked, forth=True)
    theirs = _count_by_pair(decisions, residual, np.ones(len(decisions)), people, asked, forth=False)
    viewer, candidate = decisions.actor[asked], decisions.target[asked]
    all_known = total.get_pair_history(viewer, candidate)
    return PairHistory(
        viewer_given=_leave_one_out(all_known.viewer_given),
        viewer_received=_leave_one_out(all_known.viewer_received),
        candidate_given=_subtract_counts(all_known.candidate_given, theirs),
        candidate_received=_subtract_counts(all_known.candidate_received, mine),
    )


def _count_by_pair(
    decisions: Decisions, residual: Float64Array, weight: Float64Array, people: int, asked: Int64Array, *, forth: bool
) -> DecisionCounts:
    """Count the viewer's decision about the candidate of each test pair, none or one.

    With `forth` false it is the candidate's decision about the viewer.
    """
    key = decisions.actor * people + decisions.target
    wanted = key[asked] if forth else (decisions.target * people + decisions.actor)[asked]
    at = find_codes(wanted, key)
    there = at >= 0
    return DecisionCounts(
        there.astype(np.int64),
        (there & decisions.liked[at]).astype(np.int64),
        np.where(there, weight[at] * residual[at], 0.0),
        np.where(there, weight[at], 0.0),
    )


def _subtract_counts(counts: DecisionCounts, part: DecisionCounts) -> DecisionCounts:
    return DecisionCounts(
        counts.decisions - part.decisions,
        counts.likes - part.likes,
        counts.residual - part.residual,
        counts.weight - part.weight,
    )


def _leave_one_out(counts: DecisionCounts) -> DecisionCounts:
    share = np.maximum(counts.decisions - 1, 0) / np.maximum(counts.decisions, 1)
    likes = np.rint(counts.likes * share).astype(np.int64)
    return DecisionCounts(np.maximum(counts.decisions - 1, 0), likes, counts.residual * share, counts.weight * share)
