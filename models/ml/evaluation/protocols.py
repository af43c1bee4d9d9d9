"""How the evaluation asks: cold by group, warm by time, and with everything known that could be."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from models.db.errors import EmptyTown
from models.ml.history import Bools, Doubles, Events, History, Ints, Tally, ledger

FOLDS = 5
# How many decisions, given and received, are known of each person in the warm protocol; None for all there are.
WARM: tuple[int | None, ...] = (0, 1, 2, 4, 8, None)
# Of the groups to learn from, in the growing protocol.
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


@dataclass(frozen=True)
class Ask:
    """Decisions to learn from, those known of the others, and those asked for: row numbers of the events."""

    fold: int
    learn: Ints
    known: Ints
    asked: Ints
    amount: int | None
    """How many of the known decisions, given and received, count of each person; None for all."""


def held_out(group: Ints) -> list[tuple[Ints, Ints]]:
    """Splits by group into (learn from, held out) rows, sizes balanced. Raises EmptyTown for fewer than five groups."""
    if (groups := len(np.unique(group))) < FOLDS:
        raise EmptyTown(f"there are decisions of {groups} groups of people, and {FOLDS} take turns: load more")
    return [(learn, held) for learn, held in GroupKFold(FOLDS).split(group, groups=group)]


def cold(group: Ints) -> Iterator[Ask]:
    """Groups of people of whom nothing is known but their profiles."""
    nothing = np.empty(0, np.int64)
    for fold, (learn, held) in enumerate(held_out(group)):
        yield Ask(fold, learn, nothing, held, 0)


def warm(events: Events, group: Ints) -> Iterator[Ask]:
    """Groups whose first half is known, more or less of it, and whose second half is asked for.

    The halves are of the time that the people of a group were deciding, so that both decisions of a pair who met at
    one moment are in the same half.
    """
    second = second_half(events.time, group)
    for fold, (learn, held) in enumerate(held_out(group)):
        first = held[~second[held]]
        in_order = first[np.argsort(events.time[first], kind="stable")]
        for amount in WARM:
            yield Ask(fold, learn, in_order, held[second[held]], amount)


def growing(events: Events, group: Ints) -> Iterator[Ask]:
    """The same questions, with all of the first half known, after learning from ever more groups of people."""
    second = second_half(events.time, group)
    for fold, (learn, held) in enumerate(held_out(group)):
        first = held[~second[held]]
        in_order = first[np.argsort(events.time[first], kind="stable")]
        names = np.unique(group[learn])
        for share in SHARES:
            some = np.isin(group[learn], names[: max(2, round(share * len(names)))])
            yield Ask(fold, learn[some], in_order, held[second[held]], None)


def second_half(time: Ints, group: Ints) -> Bools:
    """Whether each decision was made after the middle of its group's time, (n,)."""
    spans = pd.Series(time).groupby(group)
    earliest, latest = spans.transform("min").to_numpy(), spans.transform("max").to_numpy()
    return np.asarray(time > earliest + (latest - earliest) // 2)


def history(events: Events, surprise: Doubles, people: int, ask: Ask) -> History:
    """What is known of the pairs asked for, each (asked,)."""
    known = ledger(events.part(ask.known), surprise[ask.known], people, ask.amount)
    return known.of(events.actor[ask.asked], events.target[ask.asked])


def everything_else(events: Events, surprise: Doubles, people: int, asked: Ints) -> History:
    """What is known of each pair if all other decisions of both people are: the ceiling of what history can do.

    The candidate's tallies leave out what the two decided about each other. The viewer's would then differ from one
    candidate to the next by the very decision that is asked for, so they are scaled down by one decision instead.
    """
    total = ledger(events, surprise, people)
    mine = _of_pairs(events, surprise, events.weight, people, asked, forth=True)
    theirs = _of_pairs(events, surprise, np.ones(len(events)), people, asked, forth=False)
    viewer, candidate = events.actor[asked], events.target[asked]
    all_known = total.of(viewer, candidate)
    return History(
        viewer_given=_one_fewer(all_known.viewer_given),
        viewer_received=_one_fewer(all_known.viewer_received),
        candidate_given=_less(all_known.candidate_given, theirs),
        candidate_received=_less(all_known.candidate_received, mine),
    )


def _of_pairs(events: Events, surprise: Doubles, weight: Doubles, people: int, asked: Ints, *, forth: bool) -> Tally:
    """What the viewer decided about the candidate, or back, of each pair asked for: a tally of one decision or none."""
    key = events.actor * people + events.target
    wanted = key[asked] if forth else (events.target * people + events.actor)[asked]
    order = np.argsort(key)
    at = order[np.minimum(np.searchsorted(key[order], wanted), len(key) - 1)]
    there = key[at] == wanted
    return Tally(
        there.astype(np.int64),
        (there & events.liked[at]).astype(np.int64),
        np.where(there, weight[at] * surprise[at], 0.0),
        np.where(there, weight[at], 0.0),
    )


def _less(tally: Tally, part: Tally) -> Tally:
    return Tally(
        tally.decisions - part.decisions,
        tally.likes - part.likes,
        tally.surprise - part.surprise,
        tally.weight - part.weight,
    )


def _one_fewer(tally: Tally) -> Tally:
    share = np.maximum(tally.decisions - 1, 0) / np.maximum(tally.decisions, 1)
    likes = np.rint(tally.likes * share).astype(np.int64)
    return Tally(np.maximum(tally.decisions - 1, 0), likes, tally.surprise * share, tally.weight * share)
