"""Load a simulated population: profiles with errors and gaps, and the likes and passes of its users.

`simulated_population` draws the users, `simulated_texts` their texts and `simulated_exposure` the impressions.
`choice_model` decides likes. `simulated_inbox` and `simulated_conversations` add what comes after them. `ground_truth`
and `conversation_truth` store what no app would know. The same seed and size give the same rows on any day. Another
seed or size is another population: loading it adds users to those already stored, without interactions between the two
populations.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from math import ceil, isfinite
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.random import Generator
from rich.console import Console
from rich.progress import track
from sqlalchemy import Engine

from models.db.errors import InputError
from models.ml.arrays import BoolArray, Float64Array
from pipelines.loaders.app_tables import Interaction, LoadReport, Person, fill_app_tables
from pipelines.loaders.simulation import conversation_truth, ground_truth
from pipelines.loaders.simulation.simulated_conversations import (
    drop_decisions_of_leavers,
    make_conversations,
    simulate_town,
)
from pipelines.loaders.simulation.simulated_exposure import VIEWERS_PER_BATCH, Impressions, simulate_decisions
from pipelines.loaders.simulation.simulated_inbox import (
    DecisionArrays,
    join_decisions,
    join_impressions,
    simulate_inbox,
)
from pipelines.loaders.simulation.simulated_population import (
    FACTS,
    GENDERS,
    NO_AGE_LIMIT,
    REFERENCE_TIME,
    TRAITS,
    WANTS,
    SimulatedPopulation,
    build_population,
    make_random_stream,
)
from pipelines.loaders.simulation.simulated_texts import draw_first_name, draw_interests, write_answers

MAX_PEOPLE = 1_000_000
MAX_SEED = 2**63 - 1
TRAIT_NOISE = 0.6  # standard deviation, in standard scores, of the error in reported traits
WANT_NOISE = 0.1
MISSING_NUMBER_SHARE = 0.12  # share of traits and wants that are not reported
MISSING_FACT_SHARE = 0.15

Item = TypeVar("Item")


def load_simulated(engine: Engine, people: int, seed: int, home: Path, days_after: int = 0) -> LoadReport:
    """Fill the app tables with the population of this size and seed, and store its ground truth under `home`/truth.

    Mutual likes become conversations. With `days_after` the population lives on after REFERENCE_TIME: on these days
    people look through the likes they have received, and conversations go on. Loading the same again changes nothing;
    more days repeat what fewer bring, and add to it.

    Args:
        engine: The database.
        people: Number of users, 0 to 1,000,000.
        seed: Seed of the population, 0 or more.
        home: Folder of the ground truth.
        days_after: Days after REFERENCE_TIME, 0 or more, none of them in the future.

    Raises:
        InputError: The size, the seed or the days are out of range, or `home` cannot be written.
        DatabaseUnavailable: The server was lost.
    """
    if not 0 <= people <= MAX_PEOPLE:
        raise InputError(f"a town of {people} people cannot be simulated; ask for 0 to {MAX_PEOPLE:,}")
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"{seed} cannot be a seed; give a whole number from 0 to {MAX_SEED}")
    _check_days_after(days_after)
    population = build_population(seed, people)
    ground_truth.store_truth(population, home)
    batches = list(_show_progress(simulate_decisions(population), "Simulated likes and passes", _count_batches(people)))
    decided = join_impressions(batches)
    after = simulate_inbox(population, decided, days_after)
    habits, simulated = simulate_town(population, join_decisions([decided, after]), days_after)
    folder = conversation_truth.get_conversation_truth_path(home, seed, people)
    truth = conversation_truth.build_conversation_truth(population, habits, simulated)
    conversation_truth.store_conversation_truth(truth, folder)
    return fill_app_tables(
        engine,
        iterate_people(population),
        chain(
            (each for impressions, liked in batches for each in _make_interactions(population, impressions, liked)),
            _make_late_interactions(population, drop_decisions_of_leavers(after, simulated.left_at)),
        ),
        conversations=make_conversations(population, habits, simulated, days_after),
    )


def _check_days_after(days_after: int) -> None:
    past = (datetime.now(UTC) - REFERENCE_TIME).days
    if not 0 <= days_after <= past:
        raise InputError(
            f"{days_after} days after {REFERENCE_TIME:%d %B %Y} cannot be simulated; ask for 0 to {past}, "
            "so that none of them is in the future"
        )


def _count_batches(people: int) -> int:
    return ceil(people / VIEWERS_PER_BATCH)


def iterate_people(population: SimulatedPopulation) -> Iterator[Person]:
    """Yield the profiles in order of user number, with reporting errors and gaps."""
    rng = make_random_stream(population.seed, population.people, 2)
    traits = np.clip(
        5.5 + 1.8 * (population.traits + rng.normal(0, TRAIT_NOISE, population.traits.shape)), 0, 10
    ).round(1)
    wants = np.clip(population.wants + rng.normal(0, WANT_NOISE, population.wants.shape), 0, 1).round(2)
    for number in _show_progress(range(population.people), "Simulated profiles", population.people):
        told = (
            _report_numbers(TRAITS, traits[number], rng),
            _report_facts(population, number, rng),
            _report_numbers(WANTS, wants[number], rng),
        )
        yield _make_person(population, number, *told, rng)


def iterate_interactions(population: SimulatedPopulation) -> Iterator[Interaction]:
    """Yield the likes and passes, with viewers in order of user number."""
    for impressions, liked in _show_progress(
        simulate_decisions(population), "Simulated likes and passes", _count_batches(population.people)
    ):
        yield from _make_interactions(population, impressions, liked)


def _show_progress(items: Iterable[Item], what: str, total: int) -> Iterable[Item]:
    console = Console(stderr=True)
    return track(items, what, total=total, console=console, transient=True, disable=not console.is_terminal)


def _make_person(
    population: SimulatedPopulation,
    number: int,
    traits: dict[str, float],
    facts: dict[str, str],
    wants: dict[str, float],
    rng: Generator,
) -> Person:
    age_min, age_max = int(population.age_min[number]), int(population.age_max[number])
    latitude, longitude = population.place[number].tolist()
    reach = float(population.max_distance_km[number])
    return Person(
        source_key=population.make_source_key(number),
        display_name=draw_first_name(population, number, rng),
        birth_date=population.birth_date[number].item(),
        gender=GENDERS[population.gender[number]],
        seeks=tuple(GENDERS[gender] for gender in np.flatnonzero(population.seeks[number])),
        age_min=age_min or None,
        age_max=age_max if age_max < NO_AGE_LIMIT else None,
        latitude=latitude,
        longitude=longitude,
        max_distance_km=reach if isfinite(reach) else None,
        texts=write_answers(population, number, rng),
        interests=draw_interests(population, number, rng),
        traits=traits,
        facts=facts,
        wants=wants,
    )


def _report_numbers(names: Sequence[str], values: Float64Array, rng: Generator) -> dict[str, float]:
    told = rng.random(len(names)) >= MISSING_NUMBER_SHARE
    return {name: value for name, value, tell in zip(names, values.tolist(), told, strict=True) if tell}


def _report_facts(population: SimulatedPopulation, number: int, rng: Generator) -> dict[str, str]:
    told = rng.random(len(FACTS)) >= MISSING_FACT_SHARE
    codes = zip(FACTS.items(), population.facts[number], told, strict=True)
    return {name: list(shares)[code] for (name, shares), code, tell in codes if tell}


def _make_interactions(
    population: SimulatedPopulation, impressions: Impressions, liked: BoolArray
) -> Iterator[Interaction]:
    columns = (
        impressions.viewer,
        impressions.candidate,
        impressions.position,
        impressions.propensity,
        impressions.seen_at,
        liked,
    )
    for viewer, candidate, position, propensity, moment, like in zip(*(c.tolist() for c in columns), strict=True):
        yield Interaction(
            actor_key=population.make_source_key(viewer),
            target_key=population.make_source_key(candidate),
            kind="like" if like else "pass",
            created_at=datetime.fromtimestamp(moment, UTC),
            position=position,
            propensity=propensity,
        )


def _make_late_interactions(population: SimulatedPopulation, decided: DecisionArrays) -> Iterator[Interaction]:
    """Make interactions without a position: they were not made in a list."""
    for viewer, candidate, moment, like in zip(*(column.tolist() for column in vars(decided).values()), strict=True):
        yield Interaction(
            actor_key=population.make_source_key(viewer),
            target_key=population.make_source_key(candidate),
            kind="like" if like else "pass",
            created_at=datetime.fromtimestamp(moment, UTC),
        )
