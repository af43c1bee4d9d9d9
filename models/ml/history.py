"""What likes and passes tell of people: how often they like and are liked, and what their profiles told already."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Tally:
    """Decisions, the likes among them, and their surprise, each (n,).

    The surprise of a decision is 1 for a like or 0 for a pass, less the probability of a like that the profiles of the
    two gave it; of several decisions, the weighted sum.
    """

    decisions: Ints
    likes: Ints
    surprise: Doubles
    weight: Doubles
    """The sum of the decisions' weights, float64 (n,): their number if all count in full."""

    def part(self, rows: slice | Ints) -> "Tally":
        """Some of the rows, in this order."""
        return Tally(self.decisions[rows], self.likes[rows], self.surprise[rows], self.weight[rows])


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
    liked: Bools
    time: Ints
    weight: Doubles
    """How much each counts in what is known of its target, 0 to 1, float64 (n,): see models.ml.standing."""

    def __len__(self) -> int:
        """How many."""
        return len(self.actor)

    def part(self, rows: Ints) -> "Events":
        """Some of them, in the order of `rows`."""
        return Events(self.actor[rows], self.target[rows], self.liked[rows], self.time[rows], self.weight[rows])


@dataclass(frozen=True)
class Ledger:
    """What is known of each of n people: decisions given and received."""

    given: Tally
    received: Tally

    def of(self, viewer: Ints, candidate: Ints) -> History:
        """The history of pairs, by the positions of their two people."""
        return History(
            viewer_given=self.given.part(viewer),
            viewer_received=self.received.part(viewer),
            candidate_given=self.given.part(candidate),
            candidate_received=self.received.part(candidate),
        )


def ledger(events: Events, surprise: Doubles, people: int, most: int | None = None) -> Ledger:
    """The ledger of `people` people after the events, whose surprises are float64 (n,).

    With `most`, of each person only the first so many decisions given and received count, in the order of the events.
    """

    def tally(person: Ints, weight: Doubles) -> Tally:
        counted = np.ones(len(person), bool) if most is None else _place(person) < most
        at, likes, weight = person[counted], events.liked[counted], weight[counted]
        return Tally(
            np.bincount(at, minlength=people).astype(np.int64),
            np.bincount(at[likes], minlength=people).astype(np.int64),
            np.bincount(at, weight * surprise[counted], minlength=people).astype(np.float64),
            np.bincount(at, weight, minlength=people).astype(np.float64),
        )

    return Ledger(given=tally(events.actor, np.ones(len(events))), received=tally(events.target, events.weight))


def _place(person: Ints) -> Ints:
    """How many rows of the same person come before each row."""
    order = np.argsort(person, kind="stable")
    ordered = person[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(person) else np.empty(0, np.int64)
    place = np.empty(len(person), np.int64)
    place[order] = np.arange(len(person)) - np.repeat(starts, np.diff(np.r_[starts, len(person)]))
    return place
