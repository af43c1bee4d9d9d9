"""Draws of how much is known: the same decisions predicted with nothing, little and much history behind them.

A half of all pairs is taken as known, at random, and the decisions of the other half are asked for; of what is known
each person shows only the first few. So one ranker learns to serve those who have just joined and those who are known
well. A pair's two decisions are always in the same half, and a viewer's history is the same for all their candidates:
otherwise the one that is asked for would show in what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from models.ml.arrays import Float64Array, Int64Array
from models.ml.features.decision_history import DecisionCounts, Decisions, PairHistory, build_decision_history
from models.ml.features.decision_weights import MAX_TIMES_MEDIAN, weigh_givers

# How many decisions given and received are known of each person; None for all.
HISTORY_SIZES: tuple[int | None, ...] = (0, 1, 2, 4, 8, None)
NO_HISTORY = 0
# A giver of no more decisions than this is learned from whole, however few others give.
MIN_GIVER_LIMIT = 100
# Decisions of givers who count for less are not learned from.
LEAST_STANDING = 0.3


@dataclass(frozen=True)
class MaskedSplit:
    """Which decisions are known, in order, and which are asked for; row numbers."""

    history_size: int | None
    observed: Int64Array
    held_out: Int64Array


def draw_splits(decisions: Decisions, sampled: Int64Array, rows: int, seed: int) -> list[MaskedSplit]:
    """Draws for every amount, as often as it takes to ask for about `rows` decisions, all of them among `sampled`."""
    rng = np.random.default_rng(seed)
    pair = _number_pairs(decisions)
    of_amount = rows / len(HISTORY_SIZES)
    repeats = max(1, round(2 * of_amount / max(1, len(sampled))))
    return [_draw_split(rng, pair, sampled, amount, of_amount) for _ in range(repeats) for amount in HISTORY_SIZES]


def _draw_split(rng: Generator, pair: Int64Array, sampled: Int64Array, amount: int | None, most: float) -> MaskedSplit:
    """One draw; of the pairs asked for as many as `most` decisions allow."""
    lot = rng.random(pair.max() + 1 if len(pair) else 0)[pair]
    if amount == NO_HISTORY:
        return MaskedSplit(amount, np.empty(0, np.int64), sampled[lot[sampled] * len(sampled) < most])
    asked = sampled[lot[sampled] < min(0.5, most / max(1, len(sampled)))]
    known = np.flatnonzero(lot >= 0.5)
    return MaskedSplit(amount, rng.permutation(known), asked)


def _number_pairs(decisions: Decisions) -> Int64Array:
    """A number for each unordered pair of people, int64 (n,)."""
    both = np.sort(np.stack([decisions.actor, decisions.target], axis=1), axis=1)
    return np.asarray(np.unique(both, axis=0, return_inverse=True)[1], np.int64).ravel()


def sample_decisions(decisions: Decisions, most: int, seed: int) -> Int64Array:
    """Rows of about `most` decisions, or all if there are no more: whole pairs of people, at random.

    Decisions of givers of hardly any standing (see models.ml.features.decision_weights) are left out. Of a giver who
    decides very much, there are only so many rows as several usual givers have.
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
    """Rows in order, of each giver no more than MOST_OF_USUAL times the median or ENOUGH: those with the lowest lot."""
    given = np.bincount(giver)
    most = max(MIN_GIVER_LIMIT, MAX_TIMES_MEDIAN * np.median(given[given > 0]))
    order = np.lexsort((lot, giver))
    rank = np.arange(len(giver)) - (np.cumsum(given) - given)[giver[order]]
    return np.sort(order[rank < most])


def concatenate_held_out(found: Sequence[MaskedSplit]) -> Int64Array:
    """The decisions asked for, draw after draw."""
    return np.concatenate([draw.held_out for draw in found])


def build_histories(
    found: Sequence[MaskedSplit], decisions: Decisions, residual: Float64Array, people: int
) -> PairHistory:
    """What is known of each pair asked for, draw after draw."""
    parts = [_build_history(draw, decisions, residual, people) for draw in found]
    return PairHistory(*(_concatenate_counts([getattr(part, name) for part in parts]) for name in vars(parts[0])))


def _build_history(draw: MaskedSplit, decisions: Decisions, residual: Float64Array, people: int) -> PairHistory:
    known = build_decision_history(decisions.take(draw.observed), residual[draw.observed], people, draw.history_size)
    return known.get_pair_history(decisions.actor[draw.held_out], decisions.target[draw.held_out])


def _concatenate_counts(tallies: Sequence[DecisionCounts]) -> DecisionCounts:
    return DecisionCounts(*(np.concatenate([getattr(counts, name) for counts in tallies]) for name in vars(tallies[0])))
