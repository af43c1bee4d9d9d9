"""Decision weights: how much each user's decisions count in the history of others.

No user has more influence than one user should have. A weight depends on who decided on whom and when, and never on
the decision itself, so it reveals no label. The method follows the reliability of givers in rating networks (REV2:
Kumar et al., WSDM 2018), without its iteration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float64Array, Int64Array

if TYPE_CHECKING:  # Decisions are weighed when they are created
    from models.ml.features.decision_history import Decisions

# A giver counts in full from this share of the usual number of decisions.
FULL_WEIGHT_SHARE = 0.5
# All decisions of a giver, or all about one user on one day, count for at most so many times the median.
MAX_TIMES_MEDIAN = 4.0
# Shares of likes, and of decisions about users who decided back, that are ordinary in any population.
HALF, QUARTER = 0.5, 0.25
# Pseudo-decisions that shrink both shares to zero.
PRIOR_STRENGTH = 8.0
MICROSECONDS_A_DAY = 86_400_000_000


def weigh_decisions(actor: Int64Array, target: Int64Array, time: Int64Array, people: int) -> Float64Array:
    """Compute the weights of n decisions in the history of their targets, 0 to 1, float64 (n,).

    A decision counts as its giver does (see `weigh_givers`). It counts less if its giver has decided on very many
    users, and less on a day when very many users decided on its target.

    Args:
        actor: Positions, (n,).
        target: Positions, (n,).
        time: Microseconds since 1970 UTC, (n,).
        people: The number of users.
    """
    cell = pd.factorize(target + people * (time // MICROSECONDS_A_DAY))[0]
    giver = weigh_givers(actor, target, people) * _limit_to_usual(np.bincount(actor, minlength=people))
    return giver[actor] * _limit_to_usual(np.bincount(cell))[cell]


def weigh_givers(actor: Int64Array, target: Int64Array, people: int) -> Float64Array:
    """Compute the weight of each giver of n decisions compared with other givers, 0 to 1, float64 (people,).

    A giver counts less who has decided on few users. So does one on whom few users have decided, without those that
    the giver has decided on: accounts of one group cannot raise each other's weights. Members of closed groups count
    less, too.
    """
    given = np.bincount(actor, minlength=people)
    both_ways = _is_reversed(actor, target, people)
    received = np.bincount(target[~both_ways], minlength=people)
    known = np.minimum(_compare_with_median(given, given > 0), _compare_with_median(received, given > 0))
    return np.minimum(1, known / FULL_WEIGHT_SHARE) * _measure_openness(actor, both_ways, people)


def count_votes(decisions: Decisions, people: int) -> Float64Array:
    """Count the votes that each user received, float64 (people,), if each giver has at most one vote.

    A giver splits the vote among the users liked. The vote is smaller if more of the giver's decisions are likes, and
    each like counts by its weight. A group therefore has at most one vote for each member. Votes for users who like far
    more than others do, or who belong to a closed group, count less.
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
    """Grade users from 1 if few of their decisions go both ways to 0 for closed groups, float64 (people,)."""
    return _grade_shares(np.bincount(actor[both_ways], minlength=people), np.bincount(actor, minlength=people), QUARTER)


def _is_reversed(actor: Int64Array, target: Int64Array, people: int) -> BoolArray:
    """Find the decisions whose target has decided on the actor too, bool (n,). No decision may occur twice."""
    pair = np.minimum(actor, target) * people + np.maximum(actor, target)
    return pd.Series(pair).duplicated(keep=False).to_numpy(bool)


def _grade_shares(part: Int64Array, whole: Int64Array, ordinary: float) -> Float64Array:
    """Grade shares: 1 up to an ordinary share or twice the median, 0 from three times that or from 1, float64 (n,)."""
    share = part / (whole + PRIOR_STRENGTH)
    most = max(ordinary, 2 * _compute_median(share[whole > 0]))
    nothing = min(1, 3 * most)
    return np.clip((nothing - share) / (nothing - most), 0, 1) if most < 1 else np.ones(len(share))


def _compare_with_median(counts: Int64Array, counted: BoolArray) -> Float64Array:
    """Divide each count by the median of those counted, with one added to both, as small counts say little."""
    return (counts + 1) / (_compute_median(counts[counted]) + 1)


def _limit_to_usual(counts: Int64Array) -> Float64Array:
    """Compute the share of each count within MAX_TIMES_MEDIAN times the median of counts above 0, float64 (n,)."""
    return np.minimum(1, MAX_TIMES_MEDIAN * _compute_median(counts[counts > 0]) / np.maximum(counts, 1))


def _compute_median(counts: Int64Array | Float64Array) -> float:
    return float(np.median(counts)) if len(counts) else 0.0
