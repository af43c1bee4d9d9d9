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

from models.ml.history import Doubles, Events, History, Ints, Tally, ledger
from models.ml.standing import MOST_OF_USUAL, weigh_givers

# How many decisions given and received are known of each person; None for all.
AMOUNTS: tuple[int | None, ...] = (0, 1, 2, 4, 8, None)
NOTHING = 0
# A giver of no more decisions than this is learned from whole, however few others give.
ENOUGH = 100
# Decisions of givers who count for less are not learned from.
LEAST_STANDING = 0.3


@dataclass(frozen=True)
class Draw:
    """Which decisions are known, in order, and which are asked for; row numbers."""

    amount: int | None
    known: Ints
    asked: Ints


def draws(events: Events, sampled: Ints, rows: int, seed: int) -> list[Draw]:
    """Draws for every amount, as often as it takes to ask for about `rows` decisions, all of them among `sampled`."""
    rng = np.random.default_rng(seed)
    pair = _pair_numbers(events)
    of_amount = rows / len(AMOUNTS)
    repeats = max(1, round(2 * of_amount / max(1, len(sampled))))
    return [_draw(rng, pair, sampled, amount, of_amount) for _ in range(repeats) for amount in AMOUNTS]


def _draw(rng: Generator, pair: Ints, sampled: Ints, amount: int | None, most: float) -> Draw:
    """One draw; of the pairs asked for as many as `most` decisions allow."""
    lot = rng.random(pair.max() + 1 if len(pair) else 0)[pair]
    if amount == NOTHING:
        return Draw(amount, np.empty(0, np.int64), sampled[lot[sampled] * len(sampled) < most])
    asked = sampled[lot[sampled] < min(0.5, most / max(1, len(sampled)))]
    known = np.flatnonzero(lot >= 0.5)
    return Draw(amount, rng.permutation(known), asked)


def _pair_numbers(events: Events) -> Ints:
    """A number for each unordered pair of people, int64 (n,)."""
    both = np.sort(np.stack([events.actor, events.target], axis=1), axis=1)
    return np.asarray(np.unique(both, axis=0, return_inverse=True)[1], np.int64).ravel()


def sample(events: Events, most: int, seed: int) -> Ints:
    """Rows of about `most` decisions, or all if there are no more: whole pairs of people, at random.

    Decisions of givers of hardly any standing (see models.ml.standing) are left out. Of a giver who decides very much,
    there are only so many rows as several usual givers have.
    """
    people = int(max(events.actor.max(initial=-1), events.target.max(initial=-1))) + 1
    standing = weigh_givers(events.actor, events.target, people)
    counted = np.flatnonzero(standing[events.actor] >= LEAST_STANDING)
    if not len(counted):
        return counted
    pair = _pair_numbers(events)
    lot = np.random.default_rng(seed).random(pair.max() + 1)[pair]
    rows = counted[_bounded(events.actor[counted], lot[counted])]
    return rows[lot[rows] < most / len(rows)] if len(rows) > most else rows


def _bounded(giver: Ints, lot: Doubles) -> Ints:
    """Rows in order, of each giver no more than MOST_OF_USUAL times the median or ENOUGH: those with the lowest lot."""
    given = np.bincount(giver)
    most = max(ENOUGH, MOST_OF_USUAL * np.median(given[given > 0]))
    order = np.lexsort((lot, giver))
    rank = np.arange(len(giver)) - (np.cumsum(given) - given)[giver[order]]
    return np.sort(order[rank < most])


def asked(found: Sequence[Draw]) -> Ints:
    """The decisions asked for, draw after draw."""
    return np.concatenate([draw.asked for draw in found])


def histories(found: Sequence[Draw], events: Events, surprise: Doubles, people: int) -> History:
    """What is known of each pair asked for, draw after draw."""
    parts = [_history(draw, events, surprise, people) for draw in found]
    return History(*(_joined([getattr(part, name) for part in parts]) for name in vars(parts[0])))


def _history(draw: Draw, events: Events, surprise: Doubles, people: int) -> History:
    known = ledger(events.part(draw.known), surprise[draw.known], people, draw.amount)
    return known.of(events.actor[draw.asked], events.target[draw.asked])


def _joined(tallies: Sequence[Tally]) -> Tally:
    return Tally(*(np.concatenate([getattr(tally, name) for tally in tallies]) for name in vars(tallies[0])))
