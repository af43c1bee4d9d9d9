"""How the evaluation asks: cold by group, warm by time, and with everything known that could be."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from models.db.errors import NotEnoughProfiles
from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.decision_history import DecisionCounts, Decisions, PairHistory, build_decision_history

FOLDS = 5
# How many decisions, given and received, are known of each person in the warm protocol; None for all there are.
WARM_HISTORY_SIZES: tuple[int | None, ...] = (0, 1, 2, 4, 8, None)
# Of the groups to learn from, in the growing protocol.
TRAINING_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


@dataclass(frozen=True)
class Split:
    """Decisions to learn from, those known of the others, and those asked for: row numbers of the events."""

    fold: int
    train_index: Int64Array
    observed_index: Int64Array
    test_index: Int64Array
    history_size: int | None
    """How many of the known decisions, given and received, count of each person; None for all."""


def split_by_group(group: Int64Array) -> list[tuple[Int64Array, Int64Array]]:
    """Splits by group into (learn from, held out) rows, sizes balanced. Raises EmptyTown for fewer than five groups."""
    if (groups := len(np.unique(group))) < FOLDS:
        raise NotEnoughProfiles(f"there are decisions of {groups} groups of people, and {FOLDS} take turns: load more")
    return [(learn, held) for learn, held in GroupKFold(FOLDS).split(group, groups=group)]


def split_cold_start(group: Int64Array) -> Iterator[Split]:
    """Groups of people of whom nothing is known but their profiles."""
    nothing = np.empty(0, np.int64)
    for fold, (learn, held) in enumerate(split_by_group(group)):
        yield Split(fold, learn, nothing, held, 0)


def split_warm_start(decisions: Decisions, group: Int64Array) -> Iterator[Split]:
    """Groups whose first half is known, more or less of it, and whose second half is asked for.

    The halves are of the time that the people of a group were deciding, so that both decisions of a pair who met at
    one moment are in the same half.
    """
    second = find_second_half(decisions.time, group)
    for fold, (learn, held) in enumerate(split_by_group(group)):
        first = held[~second[held]]
        in_order = first[np.argsort(decisions.time[first], kind="stable")]
        for amount in WARM_HISTORY_SIZES:
            yield Split(fold, learn, in_order, held[second[held]], amount)


def split_learning_curve(decisions: Decisions, group: Int64Array) -> Iterator[Split]:
    """The same questions, with all of the first half known, after learning from ever more groups of people."""
    second = find_second_half(decisions.time, group)
    for fold, (learn, held) in enumerate(split_by_group(group)):
        first = held[~second[held]]
        in_order = first[np.argsort(decisions.time[first], kind="stable")]
        names = np.unique(group[learn])
        for share in TRAINING_SHARES:
            some = np.isin(group[learn], names[: max(2, round(share * len(names)))])
            yield Split(fold, learn[some], in_order, held[second[held]], None)


def find_second_half(time: Int64Array, group: Int64Array) -> BoolArray:
    """Whether each decision was made after the middle of its group's time, (n,)."""
    spans = pd.Series(time).groupby(group)
    earliest, latest = spans.transform("min").to_numpy(), spans.transform("max").to_numpy()
    return np.asarray(time > earliest + (latest - earliest) // 2)


def build_observed_history(decisions: Decisions, residual: Float64Array, people: int, split: Split) -> PairHistory:
    """What is known of the pairs asked for, each (asked,)."""
    known = build_decision_history(
        decisions.take(split.observed_index), residual[split.observed_index], people, split.history_size
    )
    return known.get_pair_history(decisions.actor[split.test_index], decisions.target[split.test_index])


def build_complete_history(decisions: Decisions, residual: Float64Array, people: int, asked: Int64Array) -> PairHistory:
    """What is known of each pair if all other decisions of both people are: the ceiling of what history can do.

    The candidate's tallies leave out what the two decided about each other. The viewer's would then differ from one
    candidate to the next by the very decision that is asked for, so they are scaled down by one decision instead.
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
    """What the viewer decided about the candidate, or back, of each pair asked for: a tally of one decision or none."""
    key = decisions.actor * people + decisions.target
    wanted = key[asked] if forth else (decisions.target * people + decisions.actor)[asked]
    order = np.argsort(key)
    at = order[np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)]
    there = key[at] == wanted
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
