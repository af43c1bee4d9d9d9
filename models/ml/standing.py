"""How much each person's decisions count for others: one person has at most one person's influence.

What counts is who decided on whom and when, never what: so no label of a decision shows in the weight of another. After
the reliability of givers in rating networks (REV2: Kumar et al., WSDM 2018), without its iteration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:  # history's Events are weighed when they are made
    from models.ml.history import Bools, Doubles, Events, Ints

# Somebody counts in full who is known half as well as usual.
ENOUGH_OF_USUAL = 0.5
# All decisions of a giver, or all about one person on one day, count for no more than so many times the usual.
MOST_OF_USUAL = 4.0
# Shares of likes, and of decisions about people who decided back, that are ordinary however rare they are elsewhere.
HALF, QUARTER = 0.5, 0.25
# Pseudo-decisions that both are shrunk to none with.
STRENGTH = 8.0
MICROSECONDS_A_DAY = 86_400_000_000


def weigh_decisions(actor: Ints, target: Ints, time: Ints, people: int) -> Doubles:
    """Weigh n decisions in what is known of their targets: 0 to 1, float64 (n,); time in µs.

    A decision counts as its giver does (see `weigh_givers`), less if its giver has decided on very many, and less on a
    day when very many decided on its target.
    """
    cell = pd.factorize(target + people * (time // MICROSECONDS_A_DAY))[0]
    giver = weigh_givers(actor, target, people) * _within(np.bincount(actor, minlength=people))
    return giver[actor] * _within(np.bincount(cell))[cell]


def weigh_givers(actor: Ints, target: Ints, people: int) -> Doubles:
    """Weigh each giver by n decisions, 0 to 1, float64 (people,); compared with the other givers.

    Givers count less who have decided on few people, or on whom few have decided except those on whom they decided
    themselves: a group of accounts cannot make its members known. So do those of closed groups.
    """
    given = np.bincount(actor, minlength=people)
    both_ways = _is_reversed(actor, target, people)
    received = np.bincount(target[~both_ways], minlength=people)
    known = np.minimum(_share_of_usual(given, given > 0), _share_of_usual(received, given > 0))
    return np.minimum(1, known / ENOUGH_OF_USUAL) * _openness(actor, both_ways, people)


def count_votes(events: Events, people: int) -> Doubles:
    """Count the liking that each person received if every giver hands out at most one vote, float64 (people,).

    A giver splits one vote among the people they like. It is smaller the more of their decisions are likes, and each
    like counts by its weight. So a group hands out at most one vote for each member. Votes for people who like far more
    than others do, or who are of a closed group, count less.
    """
    given, liked = (
        np.bincount(events.actor, minlength=people),
        np.bincount(events.actor[events.liked], minlength=people),
    )
    vote = (1 - liked / np.maximum(given, 1)) / np.maximum(liked, 1)
    received = np.bincount(events.target, events.liked * events.weight * vote[events.actor], people)
    both_ways = _is_reversed(events.actor, events.target, people)
    return received * _usual(liked, given, HALF) * _openness(events.actor, both_ways, people)


def _openness(actor: Ints, both_ways: Bools, people: int) -> Doubles:
    """1 for people few of whose decisions go both ways, down to 0 for closed groups, float64 (people,)."""
    return _usual(np.bincount(actor[both_ways], minlength=people), np.bincount(actor, minlength=people), QUARTER)


def _is_reversed(actor: Ints, target: Ints, people: int) -> Bools:
    """Whether the target of each of n decisions has decided on the actor too, bool (n,); no pair is there twice."""
    pair = np.minimum(actor, target) * people + np.maximum(actor, target)
    return pd.Series(pair).duplicated(keep=False).to_numpy(bool)


def _usual(part: Ints, whole: Ints, ordinary: float) -> Doubles:
    """1 for shares up to an ordinary one or twice the median, 0 from thrice that or for all, float64 (n,)."""
    share = part / (whole + STRENGTH)
    most = max(ordinary, 2 * _median(share[whole > 0]))
    nothing = min(1, 3 * most)
    return np.clip((nothing - share) / (nothing - most), 0, 1) if most < 1 else np.ones(len(share))


def _share_of_usual(counts: Ints, counted: Bools) -> Doubles:
    """Each count over the median of those counted, one more for both: of few, none is no news."""
    return (counts + 1) / (_median(counts[counted]) + 1)


def _within(counts: Ints) -> Doubles:
    """What share of each count is within MOST_OF_USUAL times the median of those above none, float64 (n,)."""
    return np.minimum(1, MOST_OF_USUAL * _median(counts[counts > 0]) / np.maximum(counts, 1))


def _median(counts: Ints | Doubles) -> float:
    return float(np.median(counts)) if len(counts) else 0.0
