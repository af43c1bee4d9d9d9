"""History masking: the same decisions predicted with no, little and much visible history.

Half of the pairs, at random, are observed history; the other half are held out. Each user's history is then cut to its
first decisions. One ranker thus learns to serve new users and users with a long history.

Both decisions of a pair are in the same half, and a viewer's history is the same for all their candidates. Otherwise a
missing decision would reveal the held-out label.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from models.ml.arrays import Float64Array, Int64Array
from models.ml.features.decision_history import DecisionCounts, Decisions, PairHistory, build_decision_history
from models.ml.features.decision_weights import MAX_TIMES_MEDIAN, weigh_givers

# How many decisions given and received are visible for each user; None for all.
HISTORY_SIZES: tuple[int | None, ...] = (0, 1, 2, 4, 8, None)
NO_HISTORY = 0
# All decisions of a giver are used up to this number, however few others give.
MIN_GIVER_LIMIT = 100
# Decisions of givers with a lower weight are not used in training.
LEAST_STANDING = 0.3


@dataclass(frozen=True)
class MaskedSplit:
    """Row numbers of the observed decisions, in order, and of the held-out ones."""

    history_size: int | None
    observed: Int64Array
    held_out: Int64Array


def draw_splits(decisions: Decisions, sampled: Int64Array, rows: int, seed: int) -> list[MaskedSplit]:
    """Draw splits for each history size, repeated until about `rows` decisions are held out.

    Args:
        decisions: All decisions.
        sampled: Row numbers of the decisions that may be held out, int64.
        rows: The number of held-out samples over all splits.
        seed: Seed of the random draw.
    """
    rng = np.random.default_rng(seed)
    pair = _number_pairs(decisions)
    of_amount = rows / len(HISTORY_SIZES)
    repeats = max(1, round(2 * of_amount / max(1, len(sampled))))
    return [_draw_split(rng, pair, sampled, amount, of_amount) for _ in range(repeats) for amount in HISTORY_SIZES]


def _draw_split(rng: Generator, pair: Int64Array, sampled: Int64Array, amount: int | None, most: float) -> MaskedSplit:
    """Draw one split with about `most` held-out decisions, as whole pairs."""
    lot = rng.random(pair.max() + 1 if len(pair) else 0)[pair]
    if amount == NO_HISTORY:
        return MaskedSplit(amount, np.empty(0, np.int64), sampled[lot[sampled] * len(sampled) < most])
    asked = sampled[lot[sampled] < min(0.5, most / max(1, len(sampled)))]
    known = np.flatnonzero(lot >= 0.5)
    return MaskedSplit(amount, rng.permutation(known), asked)


def _number_pairs(decisions: Decisions) -> Int64Array:
    """Assign a number to each unordered pair of users, int64 (n,)."""
    both = np.sort(np.stack([decisions.actor, decisions.target], axis=1), axis=1)
    return np.asarray(np.unique(both, axis=0, return_inverse=True)[1], np.int64).ravel()


def sample_decisions(decisions: Decisions, most: int, seed: int) -> Int64Array:
    """Sample the rows of about `most` decisions, or all if there are fewer, as whole pairs at random.

    Decisions of givers with hardly any weight (see models.ml.features.decision_weights) are left out. A giver with very
    many decisions is cut to a multiple of the median.
    """
    people = int(max(decisions.actor.max(initial=-1), decisions.target.max(initial=-1))) + 1
    standing = weigh_givers(decisions.actor, decisions.target, people)
    counted = np.flatnonzero(standing[decisions.actor] >= LEAST_STANDING)
    if not len(counted):
        return counted
    pair = _number_pairs(decisions)
    lot = np.random.default_rng(seed).random(pair.max() + 1)[pair]
    rows = counted[_limit_givers(decisions.actor[counted], lot[counted])]
    return rows[lot[rows] < most / len(rows)] if len(rows) > most else rows


def _limit_givers(giver: Int64Array, lot: Float64Array) -> Int64Array:
    """Return rows, in order, limited per giver: the lowest random numbers are kept.

    The limit is MAX_TIMES_MEDIAN times the median number of decisions, or MIN_GIVER_LIMIT if that is more.
    """
    given = np.bincount(giver)
    most = max(MIN_GIVER_LIMIT, MAX_TIMES_MEDIAN * np.median(given[given > 0]))
    order = np.lexsort((lot, giver))
    rank = np.arange(len(giver)) - (np.cumsum(given) - given)[giver[order]]
    return np.sort(order[rank < most])


def concatenate_held_out(found: Sequence[MaskedSplit]) -> Int64Array:
    """Concatenate the held-out decisions of all splits."""
    return np.concatenate([draw.held_out for draw in found])


def build_histories(
    found: Sequence[MaskedSplit], decisions: Decisions, residual: Float64Array, people: int
) -> PairHistory:
    """Build the visible history of each held-out pair, split after split."""
    parts = [_build_history(draw, decisions, residual, people) for draw in found]
    return PairHistory(*(_concatenate_counts([getattr(part, name) for part in parts]) for name in vars(parts[0])))


def _build_history(draw: MaskedSplit, decisions: Decisions, residual: Float64Array, people: int) -> PairHistory:
    known = build_decision_history(decisions.take(draw.observed), residual[draw.observed], people, draw.history_size)
    return known.get_pair_history(decisions.actor[draw.held_out], decisions.target[draw.held_out])


def _concatenate_counts(tallies: Sequence[DecisionCounts]) -> DecisionCounts:
    return DecisionCounts(*(np.concatenate([getattr(counts, name) for counts in tallies]) for name in vars(tallies[0])))
