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

from models.ml.geography import distance_km
from pipelines.loaders.choices import p_like
from pipelines.loaders.town import GENDERS, REFERENCE, Flags, Floats, Integers, Town, stream

DAYS = 60
LIST_LENGTH = 12
TILT = 0.8
DAY = 86_400  # seconds
BLOCK = 500  # viewers decided at once; memory depends on this, not on the town


@dataclass(frozen=True)
class Looks:
    """k candidates looked at: viewer, candidate (k,) person numbers; position (k,) from 1; propensity (k,) in (0, 1];
    moment (k,) seconds since 1970 UTC.
    """

    viewer: Integers
    candidate: Integers
    position: Integers
    propensity: Floats
    moment: Integers


def examination(position: Integers) -> Floats:
    """Probability that a position (from 1) is looked at: 1 / log2(position + 1)."""
    looked_at: Floats = 1 / np.log2(position + 1)
    return looked_at


def plackett_luce(weights: Floats, length: int, rng: Generator) -> tuple[Integers, Floats]:
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


class Pools:
    """The people of a town by gender and gender sought, each pool sorted by age, to find the eligible quickly."""

    def __init__(self, town: Town) -> None:
        self.town = town
        by_age = np.argsort(town.age, kind="stable")
        self.pools: dict[tuple[int, int], Integers] = {
            (own, sought): by_age[(town.gender[by_age] == own) & town.seeks[by_age, sought]]
            for own, sought in product(range(len(GENDERS)), repeat=2)
        }
        self.ages = {key: town.age[pool] for key, pool in self.pools.items()}

    def eligible(self, viewer: int) -> Integers:
        """Numbers of those whom both sides' rules let the viewer see: genders, ages as of REFERENCE, distance."""
        town, age = self.town, self.town.age[viewer]
        found: Integers = np.concatenate(
            [self._of_wanted_age(viewer, int(gender)) for gender in np.flatnonzero(town.seeks[viewer])]
        )
        found = found[(town.age_min[found] <= age) & (age <= town.age_max[found]) & (found != viewer)]
        away = distance_km(town.place[viewer], town.place[found])
        reach = np.minimum(town.max_distance_km[viewer], town.max_distance_km[found])
        return np.asarray(found[away <= reach])

    def _of_wanted_age(self, viewer: int, gender: int) -> Integers:
        key = gender, int(self.town.gender[viewer])
        start = np.searchsorted(self.ages[key], self.town.age_min[viewer])
        stop = np.searchsorted(self.ages[key], self.town.age_max[viewer], side="right")
        return self.pools[key][start:stop]


def decisions(town: Town) -> Iterator[tuple[Looks, Flags]]:
    """What everyone looked at in the DAYS before REFERENCE and whether they liked it (k,), BLOCK viewers at a time."""
    rng = stream(town.seed, town.people, 1)
    pools, weights = Pools(town), np.exp(TILT * town.appeal)
    for start in range(0, town.people, BLOCK):
        viewers = range(start, min(start + BLOCK, town.people))
        looks = _together([_looks(pools, weights, viewer, rng) for viewer in viewers])
        yield looks, rng.random(len(looks.viewer)) < p_like(town, looks.viewer, looks.candidate)


def _looks(pools: Pools, weights: Floats, viewer: int, rng: Generator) -> Looks:
    days = np.flatnonzero(rng.random(DAYS) < pools.town.activity[viewer])
    opened = int(REFERENCE.timestamp()) + DAY * (days - DAYS) + rng.integers(0, DAY - 20 * LIST_LENGTH, len(days))
    eligible = pools.eligible(viewer) if len(days) else np.arange(0)
    order, chance = plackett_luce(weights[eligible], len(days) * LIST_LENGTH, rng)
    place = np.arange(len(order))
    position = place % LIST_LENGTH + 1
    seen = rng.random(len(order)) < examination(position)
    return Looks(
        viewer=np.full(seen.sum(), viewer),
        candidate=eligible[order[seen]],
        position=position[seen],
        propensity=(chance * examination(position))[seen],
        moment=opened[place[seen] // LIST_LENGTH] + 20 * (position[seen] - 1),
    )


def _together(looks: list[Looks]) -> Looks:
    return Looks(*(np.concatenate([vars(look)[name] for look in looks]) for name in Looks.__dataclass_fields__))
