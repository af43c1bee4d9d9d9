"""Exposure: nobody is looked at far more than others, nobody is left out, at the least cost in matches."""

from dataclasses import dataclass

import numpy as np

from models.ml.market.attention import Attention
from models.ml.market.best_response import expected, sweep
from models.ml.market.examination import Doubles
from models.ml.market.inbox import matches, worth
from models.ml.market.lists import likes, places
from models.ml.market.swaps import swapped
from models.ml.market.town import Slots, Town
from models.ml.people import Floats

# Matches a look, for each mean's worth of looks above the cap, added every sweep.
PRICE_STEP = 0.02
PRICE_SWEEPS = 3
# Swaps are chosen by what a look was worth before any of the round was made.
ROUNDS = 6


@dataclass(frozen=True)
class Shared:
    """Lists that keep exposure within bounds, and what that costs.

    `placed` int32 (n,) by slot is each pair's place from 0, -1 if not listed; `views`, float64 (people,), each person's
    expected views; `low` and `high`, float64 (people,), the bounds that were asked of them. `cost_of_cap` and
    `cost_of_floor` are shares of the expected matches, 0.01 for one in a hundred, and may come out below 0.
    """

    placed: Slots
    views: Doubles
    low: Doubles
    high: Doubles
    cost_of_cap: float
    cost_of_floor: float

    @property
    def beyond(self) -> int:
        """The number of people whose views are outside the bounds all the same: no swap could help them."""
        return int((_short(self.views, self.low) | _short(-self.views, -self.high)).sum())


def views(town: Town, placed: Slots, looks: Doubles) -> Doubles:
    """How often each person can expect to be looked at in others' lists, float64 (people,)."""
    by_place = np.append(np.minimum(looks, 1), 0.0)
    return np.bincount(town.candidate, by_place[placed], len(town.keys)).astype(np.float64)


def share(town: Town, attention: Attention, scores: Floats, cap: float = 1.5, floor: float = 0.0) -> Shared:
    """The lists by `scores`, float32 (n,) by slot, changed until views lie between `floor` and `cap` times their mean.

    The mean is over those whom anybody may be shown. The floor of somebody with few eligible viewers is their fair
    share at most: the views they had if each list were in random order. Who is over the cap is priced out in sweeps of
    best response, 0.02 matches a look for each mean of excess (the multiplier of a Lagrangian, by subgradient steps);
    what is left, and the floor, is settled by swaps of two candidates in one list, the cheapest first: prices alone
    leave people short, as a price moves all of a person's places or none.
    """
    looks = np.minimum(attention.looks(), 1)
    before = places(town, scores, attention.length)
    shown = np.diff(town.inbox_start) > 0
    mean = views(town, before, looks).sum() / max(shown.sum(), 1)
    high = np.full(len(shown), cap * mean)
    low = np.where(shown, np.minimum(floor * mean, _fair(town, looks)), 0.0)
    capped = _settled(town, attention, _priced(town, attention, scores, cap, mean), np.zeros_like(low), high)
    shared = _settled(town, attention, capped, low, high) if floor else capped
    total, after_cap, after_floor = (expected(town, attention, lists) for lists in (before, capped, shared))
    costs = (total - after_cap, after_cap - after_floor) if total else (0.0, 0.0)
    return Shared(shared, views(town, shared, looks), low, high, costs[0] / (total or 1), costs[1] / (total or 1))


def _fair(town: Town, looks: Doubles) -> Doubles:
    """Each person's views if all lists were in random order, float64 (people,)."""
    lengths = np.diff(town.list_start)
    given = np.append(0.0, np.cumsum(looks))[np.minimum(lengths, len(looks))] / np.maximum(lengths, 1)
    return np.bincount(town.candidate, given[town.viewer], len(lengths)).astype(np.float64)


def _priced(town: Town, attention: Attention, scores: Floats, cap: float, mean: float) -> Slots:
    """Lists after some sweeps in which looks at people over the cap have a price."""
    scores, placed = scores.copy(), places(town, scores, attention.length)
    prices = np.zeros(len(town.keys), np.float32)
    for number in range(PRICE_SWEEPS):
        excess = views(town, placed, attention.looks()) / (mean or 1) - cap
        prices = np.maximum(prices + PRICE_STEP * excess, 0).astype(np.float32)
        if not prices.any():
            break
        sweep(town, attention, scores, placed, number, prices)
    return placed


def _settled(town: Town, attention: Attention, placed: Slots, low: Doubles, high: Doubles) -> Slots:
    """Lists in which swaps have brought views within the bounds, as far as they can."""
    looks, everybody = np.minimum(attention.looks(), 1), np.ones(len(low), bool)
    for _ in range(ROUNDS):
        now = views(town, placed, looks)
        out = np.flatnonzero(_short(now, low) | _short(-now, -high))
        if not len(out):
            break
        liked = likes(town, placed, attention.looks())
        value = worth(town, liked, matches(town, liked, attention.answers()), attention.answers(), everybody)
        # Who has the fewest viewers to choose from chooses first.
        out = out[np.lexsort((town.keys[out], np.diff(town.inbox_start)[out]))]
        placed = swapped(town, placed, value, out, now, low, high, looks)
    return placed


def _short(amount: Doubles, least: Doubles) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return amount < least - 1e-9
