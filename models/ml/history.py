"""How often people like and are liked, at any moment: counts of likes and decisions, from likes and passes only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """Decisions and likes among them, each int64 (n,)."""

    decisions: Ints
    likes: Ints


@dataclass(frozen=True)
class History:
    """What was known of n pairs: the viewer's and the candidate's decisions given and received."""

    viewer_given: Tally
    viewer_received: Tally
    candidate_given: Tally
    candidate_received: Tally


@dataclass(frozen=True)
class Events:
    """Likes and passes: actor, target int64 positions, liked bool, time int64 (any unit), each (n,)."""

    actor: Ints
    target: Ints
    liked: NDArray[np.bool_]
    time: Ints


def tally_before(person: Ints, time: Ints, liked: NDArray[np.bool_], asked: Ints, before: Ints) -> Tally:
    """For each asked person, their decisions and likes strictly before a moment.

    `person`, `time`, `liked` (n,) are the events; `asked`, `before` (m,) the questions. O((n + m) log n).
    """
    moments = np.unique(time)
    # One sortable number a (person, moment): persons apart, moments in order within a person.
    stride = len(moments) + 1
    event_key = person * stride + np.searchsorted(moments, time)
    order = np.argsort(event_key, kind="stable")
    sorted_key = event_key[order]
    likes = np.concatenate([[0], np.cumsum(liked[order])])
    end = np.searchsorted(sorted_key, asked * stride + np.searchsorted(moments, before))
    start = np.searchsorted(sorted_key, asked * stride)
    return Tally(end - start, likes[end] - likes[start])


def history_before(events: Events, viewer: Ints, candidate: Ints, before: Ints) -> History:
    """What was known of each pair (viewer, candidate) strictly before a moment, each int64 (m,)."""
    given = (events.actor, events.time, events.liked)
    received = (events.target, events.time, events.liked)
    return History(
        viewer_given=tally_before(*given, viewer, before),
        viewer_received=tally_before(*received, viewer, before),
        candidate_given=tally_before(*given, candidate, before),
        candidate_received=tally_before(*received, candidate, before),
    )


@dataclass(frozen=True)
class Ledger:
    """Everything known of each of n people today: decisions given and received."""

    given: Tally
    received: Tally

    def of(self, viewer: Ints, candidate: Ints) -> History:
        """The history of pairs, by the positions of their two people."""
        return History(
            viewer_given=_pick(self.given, viewer),
            viewer_received=_pick(self.received, viewer),
            candidate_given=_pick(self.given, candidate),
            candidate_received=_pick(self.received, candidate),
        )


def _pick(tally: Tally, person: Ints) -> Tally:
    return Tally(tally.decisions[person], tally.likes[person])


def ledger(events: Events, people: int) -> Ledger:
    """The ledger of `people` people after all events."""

    def total(person: Ints) -> Tally:
        return Tally(
            np.bincount(person, minlength=people).astype(np.int64),
            np.bincount(person[events.liked], minlength=people).astype(np.int64),
        )

    return Ledger(given=total(events.actor), received=total(events.target))
