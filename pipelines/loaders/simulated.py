"""Load a simulated town: profiles written from what its people are, likes and passes from what they choose.

`town` draws the people, `answers` their words, `exposure` who sees whom, `choices` who likes whom, and `truth`
keeps what no app would know. The same seed and size give the same rows on any day. Another seed, or another
size, is another town: loading it adds people beside those already there, and nobody of one town has met anybody
of another.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from math import ceil, isfinite
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.random import Generator
from rich.console import Console
from rich.progress import track
from sqlalchemy import Engine

from models.db.errors import InputError
from pipelines.loaders import truth
from pipelines.loaders.answers import answers, first_name, interests
from pipelines.loaders.app_tables import Interaction, LoadReport, Person, fill
from pipelines.loaders.exposure import BLOCK, Looks, decisions
from pipelines.loaders.town import FACTS, GENDERS, NO_AGE_LIMIT, TRAITS, WANTS, Flags, Floats, Town, build, stream

MOST_PEOPLE = 1_000_000
LARGEST_SEED = 2**63 - 1
TRAIT_NOISE = 0.6  # standard scores by which people misjudge themselves
WANT_NOISE = 0.1
UNTOLD_NUMBER = 0.12  # share of the questions on traits and wants left out
UNTOLD_FACT = 0.15

Item = TypeVar("Item")


def load(engine: Engine, people: int, seed: int, home: Path) -> LoadReport:
    """Fill the app tables with the town of this size and seed, and keep its truth under `home`/truth.

    Loading the same town again changes nothing. Raises InputError for a size not in 0 to 1,000,000, a negative seed or
    a `home` that cannot be written, and DatabaseUnavailable if the server is lost.
    """
    if not 0 <= people <= MOST_PEOPLE:
        raise InputError(f"a town of {people} people cannot be simulated; ask for 0 to {MOST_PEOPLE:,}")
    if not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"{seed} cannot be a seed; give a whole number from 0 to {LARGEST_SEED}")
    town = build(seed, people)
    truth.keep(town, home)
    return fill(engine, persons(town), interactions(town))


def persons(town: Town) -> Iterator[Person]:
    """The profiles of a town, in order of number: what its people tell of themselves, with errors and gaps."""
    rng = stream(town.seed, town.people, 2)
    traits = np.clip(5.5 + 1.8 * (town.traits + rng.normal(0, TRAIT_NOISE, town.traits.shape)), 0, 10).round(1)
    wants = np.clip(town.wants + rng.normal(0, WANT_NOISE, town.wants.shape), 0, 1).round(2)
    for number in _progress(range(town.people), "Simulated profiles", town.people):
        told = _numbers(TRAITS, traits[number], rng), _facts(town, number, rng), _numbers(WANTS, wants[number], rng)
        yield _person(town, number, *told, rng)


def interactions(town: Town) -> Iterator[Interaction]:
    """The likes and passes of a town, viewers in order of number."""
    for looks, liked in _progress(decisions(town), "Simulated likes and passes", ceil(town.people / BLOCK)):
        yield from _interactions(town, looks, liked)


def _progress(items: Iterable[Item], what: str, total: int) -> Iterable[Item]:
    console = Console(stderr=True)
    return track(items, what, total=total, console=console, transient=True, disable=not console.is_terminal)


def _person(
    town: Town, number: int, traits: dict[str, float], facts: dict[str, str], wants: dict[str, float], rng: Generator
) -> Person:
    age_min, age_max = int(town.age_min[number]), int(town.age_max[number])
    latitude, longitude = town.place[number].tolist()
    reach = float(town.max_distance_km[number])
    return Person(
        source_key=town.source_key(number),
        display_name=first_name(town, number, rng),
        birth_date=town.birth_date[number].item(),
        gender=GENDERS[town.gender[number]],
        seeks=tuple(GENDERS[gender] for gender in np.flatnonzero(town.seeks[number])),
        age_min=age_min or None,
        age_max=age_max if age_max < NO_AGE_LIMIT else None,
        latitude=latitude,
        longitude=longitude,
        max_distance_km=reach if isfinite(reach) else None,
        texts=answers(town, number, rng),
        interests=interests(town, number, rng),
        traits=traits,
        facts=facts,
        wants=wants,
    )


def _numbers(names: Sequence[str], values: Floats, rng: Generator) -> dict[str, float]:
    told = rng.random(len(names)) >= UNTOLD_NUMBER
    return {name: value for name, value, tell in zip(names, values.tolist(), told, strict=True) if tell}


def _facts(town: Town, number: int, rng: Generator) -> dict[str, str]:
    told = rng.random(len(FACTS)) >= UNTOLD_FACT
    codes = zip(FACTS.items(), town.facts[number], told, strict=True)
    return {name: list(shares)[code] for (name, shares), code, tell in codes if tell}


def _interactions(town: Town, looks: Looks, liked: Flags) -> Iterator[Interaction]:
    columns = looks.viewer, looks.candidate, looks.position, looks.propensity, looks.moment, liked
    for viewer, candidate, position, propensity, moment, like in zip(*(c.tolist() for c in columns), strict=True):
        yield Interaction(
            actor_key=town.source_key(viewer),
            target_key=town.source_key(candidate),
            kind="like" if like else "pass",
            created_at=datetime.fromtimestamp(moment, UTC),
            position=position,
            propensity=propensity,
        )
