"""How much each person's decisions count for others: one person has at most one person's influence.

What counts is who decided on whom and when, never what: so no label of a decision shows in the weight of another. After
the reliability of givers in rating networks (REV2: Kumar et al., WSDM 2018), without its iteration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float64Array, Int64Array

if TYPE_CHECKING:  # history's Events are weighed when they are made
    from models.ml.features.decision_history import Decisions

# Somebody counts in full who is known half as well as usual.
FULL_WEIGHT_SHARE = 0.5
# All decisions of a giver, or all about one person on one day, count for no more than so many times the usual.
MAX_TIMES_MEDIAN = 4.0
# Shares of likes, and of decisions about people who decided back, that are ordinary however rare they are elsewhere.
HALF, QUARTER = 0.5, 0.25
# Pseudo-decisions that both are shrunk to none with.
PRIOR_STRENGTH = 8.0
MICROSECONDS_A_DAY = 86_400_000_000


def weigh_decisions(actor: Int64Array, target: Int64Array, time: Int64Array, people: int) -> Float64Array:
    """Weigh n decisions in what is known of their targets: 0 to 1, float64 (n,); time in µs.

    A decision counts as its giver does (see `weigh_givers`), less if its giver has decided on very many, and less on a
    day when very many decided on its target.
    """
    cell = pd.factorize(target + people * (time // MICROSECONDS_A_DAY))[0]
    giver = weigh_givers(actor, target, people) * _limit_to_usual(np.bincount(actor, minlength=people))
    return giver[actor] * _limit_to_usual(np.bincount(cell))[cell]


def weigh_givers(actor: Int64Array, target: Int64Array, people: int) -> Float64Array:
    """Weigh each giver by n decisions, 0 to 1, float64 (people,); compared with the other givers.

    Givers count less who have decided on few people, or on whom few have decided except those on whom they decided
    themselves: a group of accounts cannot make its members known. So do those of closed groups.
    """
    given = np.bincount(actor, minlength=people)
    both_ways = _is_reversed(actor, target, people)
    received = np.bincount(target[~both_ways], minlength=people)
    known = np.minimum(_compare_with_median(given, given > 0), _compare_with_median(received, given > 0))
    return np.minimum(1, known / FULL_WEIGHT_SHARE) * _measure_openness(actor, both_ways, people)


def count_votes(decisions: Decisions, people: int) -> Float64Array:
    """Count the liking that each person received if every giver hands out at most one vote, float64 (people,).

    A giver splits one vote among the people they like. It is smaller the more of their decisions are likes, and each
    like counts by its weight. So a group hands out at most one vote for each member. Votes for people who like far more
    than others do, or who are of a closed group, count less.
    """
    given, liked = (
        np.bincount(decisions.actor, minlength=people),
        np.bincount(decisions.actor[decisions.liked], minlength=people),
    )
    vote = (1 - liked / np.maximum(given, 1)) / np.maximum(liked, 1)
    received = np.bincount(decisions.target, decisions.liked * decisions.weight * vote[decisions.actor], people)
    both_ways = _is_reversed(decisions.actor, decisions.target, people)
    return received * _grade_shares(liked, given, HALF) * _measure_openness(decisions.actor, both_ways, people)


def _measure_openness(actor: Int64Array, both_ways: BoolArray, people: int) -> Float64Array:
    """1 for people few of whose decisions go both ways, down to 0 for closed groups, float64 (people,)."""
    return _grade_shares(np.bincount(actor[both_ways], minlength=people), np.bincount(actor, minlength=people), QUARTER)


def _is_reversed(actor: Int64Array, target: Int64Array, people: int) -> BoolArray:
    """Whether the target of each of n decisions has decided on the actor too, bool (n,); no pair is there twice."""
    pair = np.minimum(actor, target) * people + np.maximum(actor, target)
    return pd.Series(pair).duplicated(keep=False).to_numpy(bool)


def _grade_shares(part: Int64Array, whole: Int64Array, ordinary: float) -> Float64Array:
    """1 for shares up to an ordinary one or twice the median, 0 from thrice that or for all, float64 (n,)."""
    share = part / (whole + PRIOR_STRENGTH)
    most = max(ordinary, 2 * _compute_median(share[whole > 0]))
    nothing = min(1, 3 * most)
    return np.clip((nothing - share) / (nothing - most), 0, 1) if most < 1 else np.ones(len(share))


def _compare_with_median(counts: Int64Array, counted: BoolArray) -> Float64Array:
    """Each count over the median of those counted, one more for both: of few, none is no news."""
    return (counts + 1) / (_compute_median(counts[counted]) + 1)


def _limit_to_usual(counts: Int64Array) -> Float64Array:
    """What share of each count is within MOST_OF_USUAL times the median of those above none, float64 (n,)."""
    return np.minimum(1, MAX_TIMES_MEDIAN * _compute_median(counts[counts > 0]) / np.maximum(counts, 1))


def _compute_median(counts: Int64Array | Float64Array) -> float:
    return float(np.median(counts)) if len(counts) else 0.0
