"""The people of the benchmark as arrays: who may see whom, and what one sees in another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.profiles.geography import compute_distance_km
from pipelines.loaders.records import Person, compute_age
from pipelines.loaders.simulation.simulated_population import SELECTIVITY
from tests.bench.scale.people import TODAY

NO_LIMIT = 200  # years
YEARS = 6.0
CHEMISTRY = 1.0  # standard deviation, in log-odds, of what no profile tells


@dataclass(frozen=True)
class Crowd:
    """n people: wishes (n, 2) their gender and those they look for, ages (n, 3) their own and the bounds of others',
    place (n, 2), reach (n,) km, facts (n, k) codes with 0 for what was not told, appeal and strictness (n,) log-odds.
    """

    wishes: list[tuple[str, tuple[str, ...]]]
    ages: Int64Array
    place: Float64Array
    reach: Float64Array
    facts: Int64Array
    appeal: Float64Array
    strictness: Float64Array

    def eligible(self, viewer: Int64Array, other: Int64Array) -> BoolArray:
        """Whether ages and distance suit both; genders are not looked at."""
        (age, youngest, oldest), (others, lowest, highest) = self.ages[viewer].T, self.ages[other].T
        fits = (youngest <= others) & (others <= oldest) & (lowest <= age) & (age <= highest) & (viewer != other)
        at = np.flatnonzero(fits)
        one, two = viewer[at], other[at]
        fits[at] = compute_distance_km(self.place[one], self.place[two]) <= np.minimum(self.reach[one], self.reach[two])
        return np.asarray(fits)

    def utility(self, viewer: Int64Array, other: Int64Array, random: Generator) -> Float64Array:
        """Log-odds (k,) of a like: of what profiles show, of an appeal that facts tell in part, and of chemistry."""
        alike = ((self.facts[viewer] == self.facts[other]) & (self.facts[viewer] > 0)).sum(axis=1)
        years = (self.ages[viewer, 0] - self.ages[other, 0]) / YEARS
        away = np.log1p(compute_distance_km(self.place[viewer], self.place[other]) / 5)
        shown = 0.2 * alike - 0.3 * years**2 - 0.3 * away + random.normal(0, CHEMISTRY, len(viewer))
        return np.asarray(self.appeal[other] - self.strictness[viewer] + shown)


def crowd(people: Sequence[Person], random: Generator) -> Crowd:
    """The arrays of some people; how appealing each answer is, and each person beside, is drawn."""
    facts = _codes(people)
    told = sum((random.normal(0, 0.1, codes.max() + 1)[codes] for codes in facts.T), np.zeros(len(people)))
    bounds = [(person.age_min or 0, person.age_max or NO_LIMIT) for person in people]
    return Crowd(
        wishes=[(person.gender, person.seeks) for person in people],
        ages=np.array([(compute_age(each.birth_date, TODAY), *b) for each, b in zip(people, bounds, strict=True)]),
        place=np.array([(person.latitude, person.longitude) for person in people], np.float64),
        reach=np.array([person.max_distance_km or np.inf for person in people]),
        facts=facts,
        appeal=told + random.normal(0, 0.6, len(people)),
        strictness=np.array([SELECTIVITY[person.gender] for person in people]),
    )


def _codes(people: Sequence[Person]) -> Int64Array:
    """A column a fact that somebody told."""
    columns = []
    for name in sorted({name for person in people for name in person.facts}):
        told = [person.facts.get(name, "") for person in people]
        columns.append(np.unique([*told, ""], return_inverse=True)[1][:-1])
    return np.stack(columns, axis=1)
