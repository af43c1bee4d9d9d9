"""Impressions in a simulated population: who is shown to which viewer, at which position, and which cards are examined.

On each day that a user opens the app, they are shown the next LIST_LENGTH eligible users, none of them twice. The order
is Plackett-Luce (Luce 1959, Plackett 1975) with weight exp(TILT * appeal), so popular users are ranked higher. Position
p, from 1 in each list, is examined with probability 1 / log2(p + 1), independent of the candidate. This is the
examination hypothesis of the position-based model (Craswell et al. 2008). Each impression becomes a like or a pass;
cards that are not examined leave no trace.

The propensity stored with a decision is the probability of the candidate's position, given those shown before, times
the examination probability of that position. It does not include how often the viewer opened the app.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.random import Generator

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.eligibility.rules import EligibilityRules
from pipelines.loaders.simulation.choice_model import compute_p_like
from pipelines.loaders.simulation.simulated_population import (
    GENDERS,
    REFERENCE_TIME,
    SimulatedPopulation,
    make_random_stream,
)

DAYS = 60
LIST_LENGTH = 12
POPULARITY_TILT = 0.8
DAY = 86_400  # seconds
VIEWERS_PER_BATCH = 500  # bounds the memory, whatever the size of the population


@dataclass(frozen=True)
class Impressions:
    """k impressions: arrays of shape (k,), one entry per examined card.

    viewer and candidate are user numbers; position counts from 1; propensity is in (0, 1]; seen_at is in seconds since
    1970 UTC.
    """

    viewer: Int64Array
    candidate: Int64Array
    position: Int64Array
    propensity: Float64Array
    seen_at: Int64Array


def compute_examination(position: Int64Array) -> Float64Array:
    """Return the examination probability of positions (from 1): 1 / log2(position + 1)."""
    looked_at: Float64Array = 1 / np.log2(position + 1)
    return looked_at


def draw_plackett_luce(weights: Float64Array, length: int, rng: Generator) -> tuple[Int64Array, Float64Array]:
    """Draw the first `length` positions of a Plackett-Luce ranking.

    An exponential race is the Gumbel top-k trick without its logarithms (Yellott 1977).

    Args:
        weights: Positive weights of the items, shape (m,).
        length: Number of positions to draw.
        rng: Source of random numbers.

    Returns:
        The items, first position first, and the probability of each at its position given those above it. Both have
            shape (k,) with k = min(m, length).
    """
    length = min(length, len(weights))
    finish = rng.standard_exponential(len(weights)) / weights
    first = np.argpartition(finish, length - 1)[:length] if length else np.arange(0)
    order = first[np.argsort(finish[first])]
    chosen = weights[order]
    # Summing from the end guarantees, despite rounding, that the rest is at least the weight drawn from it.
    left = np.cumsum(chosen[::-1])[::-1] + np.delete(weights, order).sum()
    return order, chosen / left


class SimulatedPools:
    """The users grouped by gender and gender sought, each pool sorted by age, for fast search of eligible users."""

    def __init__(self, population: SimulatedPopulation) -> None:
        self.town = population
        self.rules = build_population_rules(population)
        by_age = np.argsort(population.age, kind="stable")
        self.pools: dict[tuple[int, int], Int64Array] = {
            (own, sought): by_age[(population.gender[by_age] == own) & population.seeks[by_age, sought]]
            for own, sought in product(range(len(GENDERS)), repeat=2)
        }

    def find_eligible(self, viewer: int) -> Int64Array:
        """Return the numbers of the users who are eligible for the viewer.

        The rule holds both ways: gender, age at REFERENCE_TIME and distance.
        """
        own = int(self.town.gender[viewer])
        sought = np.flatnonzero(self.town.seeks[viewer]).tolist()
        found = np.concatenate([np.empty(0, np.int64), *(self.pools[gender, own] for gender in sought)])
        return np.asarray(found[self.rules.find_broken(np.full(len(found), viewer), found) == 0])


def build_population_rules(population: SimulatedPopulation) -> EligibilityRules:
    """Build the eligibility rules of a simulated population; nobody is paused, and ages are as of REFERENCE_TIME."""
    return EligibilityRules(
        gender=population.gender,
        seeks=population.seeks,
        age=population.age.astype(np.float64),
        age_min=population.age_min.astype(np.float64),
        age_max=population.age_max.astype(np.float64),
        place=population.place,
        max_distance_km=population.max_distance_km,
        paused=np.zeros(population.people, bool),
    )


def simulate_decisions(population: SimulatedPopulation) -> Iterator[tuple[Impressions, BoolArray]]:
    """Yield all impressions of the DAYS before REFERENCE_TIME, and whether each was liked, shape (k,).

    Viewers are processed in batches of VIEWERS_PER_BATCH.
    """
    rng = make_random_stream(population.seed, population.people, 1)
    pools, weights = SimulatedPools(population), np.exp(POPULARITY_TILT * population.appeal)
    for start in range(0, population.people, VIEWERS_PER_BATCH):
        viewers = range(start, min(start + VIEWERS_PER_BATCH, population.people))
        impressions = _concatenate_impressions([_draw_impressions(pools, weights, viewer, rng) for viewer in viewers])
        yield (
            impressions,
            rng.random(len(impressions.viewer)) < compute_p_like(population, impressions.viewer, impressions.candidate),
        )


def _draw_impressions(pools: SimulatedPools, weights: Float64Array, viewer: int, rng: Generator) -> Impressions:
    days = np.flatnonzero(rng.random(DAYS) < pools.town.activity[viewer])
    opened = int(REFERENCE_TIME.timestamp()) + DAY * (days - DAYS) + rng.integers(0, DAY - 20 * LIST_LENGTH, len(days))
    eligible = pools.find_eligible(viewer) if len(days) else np.arange(0)
    order, chance = draw_plackett_luce(weights[eligible], len(days) * LIST_LENGTH, rng)
    place = np.arange(len(order))
    position = place % LIST_LENGTH + 1
    seen = rng.random(len(order)) < compute_examination(position)
    return Impressions(
        viewer=np.full(seen.sum(), viewer),
        candidate=eligible[order[seen]],
        position=position[seen],
        propensity=(chance * compute_examination(position))[seen],
        seen_at=opened[place[seen] // LIST_LENGTH] + 20 * (position[seen] - 1),
    )


def _concatenate_impressions(looks: list[Impressions]) -> Impressions:
    return Impressions(
        *(np.concatenate([vars(look)[name] for look in looks]) for name in Impressions.__dataclass_fields__)
    )
