"""Who is shown to whom in a simulated town, in which place, and who looks.

A person who opens the app on a day is shown the next LIST_LENGTH of the people eligible for them, nobody twice.
The order is Plackett-Luce (Luce 1959, Plackett 1975) with weight exp(TILT * appeal): popular people stand
higher. Position p, from 1 in each list, is looked at with probability 1 / log2(p + 1), whoever stands there:
the examination hypothesis of the position-based model (Craswell et al. 2008). What is looked at becomes a like
or a pass; the rest leaves no trace.

The propensity kept with a decision is the probability of standing at that position, given those shown before,
times the probability of being looked at there. How often the viewer opened the app is not in it.
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
VIEWERS_PER_BATCH = 500  # viewers decided at once; memory depends on this, not on the town


@dataclass(frozen=True)
class Impressions:
    """k candidates looked at: viewer, candidate (k,) person numbers; position (k,) from 1; propensity (k,) in (0, 1];
    moment (k,) seconds since 1970 UTC.
    """

    viewer: Int64Array
    candidate: Int64Array
    position: Int64Array
    propensity: Float64Array
    seen_at: Int64Array


def compute_examination(position: Int64Array) -> Float64Array:
    """Probability that a position (from 1) is looked at: 1 / log2(position + 1)."""
    looked_at: Float64Array = 1 / np.log2(position + 1)
    return looked_at


def draw_plackett_luce(weights: Float64Array, length: int, rng: Generator) -> tuple[Int64Array, Float64Array]:
    """Draw the first `length` places of a Plackett-Luce ranking of items with positive weights (m,).

    Returns the items (k,), first place first, k = min(m, length), and the probability (k,) of each at its place given
    those above it. An exponential race is the Gumbel top-k trick without its logarithms (Yellott 1977).
    """
    length = min(length, len(weights))
    finish = rng.standard_exponential(len(weights)) / weights
    first = np.argpartition(finish, length - 1)[:length] if length else np.arange(0)
    order = first[np.argsort(finish[first])]
    chosen = weights[order]
    # Summed from the end, what is left is never less than the weight drawn from it.
    left = np.cumsum(chosen[::-1])[::-1] + np.delete(weights, order).sum()
    return order, chosen / left


class SimulatedPools:
    """The users of a population by gender and gender sought, each pool sorted by age."""

    def __init__(self, population: SimulatedPopulation) -> None:
        self.town = population
        self.rules = build_population_rules(population)
        by_age = np.argsort(population.age, kind="stable")
        self.pools: dict[tuple[int, int], Int64Array] = {
            (own, sought): by_age[(population.gender[by_age] == own) & population.seeks[by_age, sought]]
            for own, sought in product(range(len(GENDERS)), repeat=2)
        }

    def find_eligible(self, viewer: int) -> Int64Array:
        """Return the numbers of the candidates that the viewer may see, by gender and age."""
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
    """What everyone looked at in the DAYS before REFERENCE and whether they liked it (k,), BLOCK viewers at a time."""
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
