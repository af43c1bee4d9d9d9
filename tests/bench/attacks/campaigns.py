"""What fake accounts do to be seen, or to make others unseen: each campaign adds them to a population."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from tests.bench.attacks.town import Ids, Population, add_decisions, add_fakes, copy_decisions

CAMOUFLAGE = 25
LIKE_RATE = 0.3


@dataclass(frozen=True)
class Attacked:
    """A population with fakes in it."""

    population: Population
    fakes: Ids


Campaign = Callable[[Population, int, Ids, Generator], Attacked]
"""From a population, the number of fakes, and whom they pass on, most listed first."""


def clique(population: Population, count: int, victims: Ids, rng: Generator, *, days: float = 1.0) -> Attacked:
    """Fakes like each other, and pass on the victims."""
    attacked, fakes = _some(population, count, rng, limits=False)
    return Attacked(_pass(_like_each_other(attacked, fakes, rng, days), fakes, victims, rng, days), fakes)


def chain(population: Population, count: int, victims: Ids, rng: Generator) -> Attacked:
    """Each fake likes the fakes that are younger, so that no like is mutual."""
    attacked, fakes = _some(population, count, rng, limits=False)
    at, target = np.triu_indices(count, 1)
    return Attacked(_like(attacked, fakes[at], fakes[target], rng, 30.0), fakes)


def bombing(population: Population, count: int, victims: Ids, rng: Generator) -> Attacked:
    """Fakes do nothing but pass on the victims."""
    attacked, fakes = _some(population, count, rng, limits=True)
    return Attacked(_pass(attacked, fakes, victims, rng, 1.0), fakes)


def hidden_bombing(population: Population, count: int, victims: Ids, rng: Generator) -> Attacked:
    """Fakes pass on the victims, and like and pass on others as people do."""
    attacked, fakes = _some(population, count, rng, limits=True)
    attacked = _wander(attacked, fakes, rng, CAMOUFLAGE, LIKE_RATE)
    return Attacked(_pass(attacked, fakes, victims, rng, 30.0), fakes)


def farming(population: Population, count: int, victims: Ids, rng: Generator) -> Attacked:
    """Fakes like everybody."""
    everybody = population.profiles["profile_id"].to_numpy(object)
    attacked, fakes = _some(population, count, rng, limits=False)
    at = np.repeat(fakes, len(everybody))
    return Attacked(_like(attacked, at, np.tile(everybody, count), rng, 30.0), fakes)


def sleepers(population: Population, count: int, victims: Ids, rng: Generator, *, days: float = 1.0) -> Attacked:
    """Fakes have behaved, and been treated, as people are; then they like each other and pass on the victims."""
    attacked, fakes = _settled(population, count, rng)
    return Attacked(_pass(_like_each_other(attacked, fakes, rng, days), fakes, victims, rng, days), fakes)


def patient_sleepers(population: Population, count: int, victims: Ids, rng: Generator) -> Attacked:
    """Sleepers who take two months to like each other and to pass on the victims."""
    return sleepers(population, count, victims, rng, days=60.0)


def sleeping_bombers(population: Population, count: int, victims: Ids, rng: Generator) -> Attacked:
    """Fakes have behaved, and been treated, as people are; then they pass on the victims and do nothing else."""
    attacked, fakes = _settled(population, count, rng)
    return Attacked(_pass(attacked, fakes, victims, rng, 1.0), fakes)


def copies(population: Population, count: int, victims: Ids, rng: Generator) -> Attacked:
    """Fakes copy the profiles of those who are liked most, and like many."""
    likes = population.interactions[population.interactions["kind"] == "like"]
    popular = likes["target_id"].value_counts().index.to_numpy(object)
    attacked, fakes = add_fakes(population, np.resize(popular[: max(1, count // 2)], count), limits=False)
    return Attacked(_wander(attacked, fakes, rng, CAMOUFLAGE, 0.9), fakes)


CAMPAIGNS: dict[str, Campaign] = {
    each.__name__: each
    for each in (
        clique,
        chain,
        bombing,
        hidden_bombing,
        farming,
        copies,
        sleepers,
        patient_sleepers,
        sleeping_bombers,
    )
}


def _some(population: Population, count: int, rng: Generator, *, limits: bool) -> tuple[Population, Ids]:
    everybody = population.profiles["profile_id"].to_numpy(object)
    return add_fakes(population, rng.choice(everybody, count, replace=False), limits=limits)


def _settled(population: Population, count: int, rng: Generator) -> tuple[Population, Ids]:
    """Fakes who have the decisions, given and received, of people at random."""
    sources = rng.choice(population.interactions["actor_id"].unique().astype(object), count, replace=False)
    attacked, fakes = add_fakes(population, sources, limits=True)
    return copy_decisions(attacked, sources, fakes), fakes


def _like_each_other(population: Population, fakes: Ids, rng: Generator, days: float) -> Population:
    return _like(population, np.repeat(fakes, len(fakes)), np.tile(fakes, len(fakes)), rng, days)


def _like(population: Population, actors: Ids, targets: Ids, rng: Generator, days: float) -> Population:
    return add_decisions(population, actors, targets, ["like"] * len(actors), rng, days)


def _pass(population: Population, fakes: Ids, victims: Ids, rng: Generator, days: float) -> Population:
    actors, targets = np.repeat(fakes, len(victims)), np.tile(victims, len(fakes))
    return add_decisions(population, actors, targets, ["pass"] * len(actors), rng, days)


def _wander(population: Population, fakes: Ids, rng: Generator, count: int, rate: float) -> Population:
    """Decisions about people at random, liked at `rate`."""
    everybody = population.profiles["profile_id"].to_numpy(object)
    targets = np.concatenate([rng.choice(everybody, count, replace=False) for _ in fakes])
    kinds = np.where(rng.random(len(targets)) < rate, "like", "pass")
    return add_decisions(population, np.repeat(fakes, count), targets, kinds.tolist(), rng, 30.0)
