"""A population as an attacker finds it, and fake accounts beside it: frames in, frames out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from models.ml.profiles.answer_embeddings import NO_ANSWERS, AnswerEmbeddings, concatenate
from pipelines.loaders.simulation import simulated_loader, simulated_population

Ids = NDArray[np.object_]
# A fake looks for everybody, so that as many viewers as possible are eligible.
OPEN = {"age_min": np.nan, "age_max": np.nan, "max_distance_km": np.nan}


@dataclass(frozen=True)
class Population:
    """The frames that one night starts from (see models.ml.profiles.frame_contracts), and the embedded answers."""

    profiles: pd.DataFrame
    interactions: pd.DataFrame
    answers: AnswerEmbeddings


def simulate_population(people: int, seed: int) -> Population:
    """Make the simulated population of this size and seed, without what people write, so that nothing is encoded."""
    made = simulated_population.build_population(seed, people)
    persons = [{**vars(person), "profile_id": person.source_key} for person in simulated_loader.iterate_people(made)]
    profiles = pd.DataFrame(persons).assign(
        age=made.age, texts=pd.Series([{} for _ in persons], dtype=object), paused=False
    )
    profiles["seeks"] = profiles["seeks"].map(list)
    numbers = ["age_min", "age_max", "latitude", "longitude", "max_distance_km"]
    profiles[numbers] = profiles[numbers].astype(float)
    decided = pd.DataFrame([vars(each) for each in simulated_loader.iterate_interactions(made)])
    decided = decided.rename(columns={"actor_key": "actor_id", "target_key": "target_id"})
    decided["interaction_id"] = [f"{row:08d}" for row in range(len(decided))]
    decided = decided.sort_values(["created_at", "interaction_id"], ignore_index=True)
    return Population(profiles.sort_values("profile_id", ignore_index=True), decided, NO_ANSWERS)


def add_fakes(population: Population, sources: Ids, *, limits: bool) -> tuple[Population, Ids]:
    """Add a fake account for each of `sources`, whose profile it copies; return the ids of the fakes.

    Without `limits` a fake looks for people of any age and place.
    """
    ids = np.array([f"fake-{number:04d}" for number in range(len(sources))], object)
    copied = population.profiles.set_index("profile_id").loc[sources.tolist()].reset_index()
    copied = copied.assign(profile_id=ids, source_key=None, **({} if limits else OPEN))
    if not limits:
        copied["seeks"] = [sorted({*seeks, "man", "woman"}) for seeks in copied["seeks"]]
    keys = population.answers.keys.reset_index(drop=True)
    rows = [np.flatnonzero(keys["profile_id"] == source) for source in sources]
    owner = np.repeat(ids, [len(each) for each in rows])
    at = np.concatenate(rows)
    answers = AnswerEmbeddings(
        keys.iloc[at].assign(profile_id=owner).reset_index(drop=True), population.answers.vectors[at]
    )
    profiles = pd.concat([population.profiles, copied], ignore_index=True).sort_values("profile_id", ignore_index=True)
    return replace(population, profiles=profiles, answers=concatenate([population.answers, answers])), ids


def add_decisions(
    population: Population,
    actors: Ids,
    targets: Ids,
    kinds: Sequence[str],
    rng: Generator,
    days: float,
) -> Population:
    """Add decisions of `actors` about `targets`, spread over the last `days`; a decision about oneself is left out."""
    last = population.interactions["created_at"].max()
    frame = pd.DataFrame({"actor_id": actors, "target_id": targets, "kind": kinds})
    frame = frame[frame["actor_id"] != frame["target_id"]].reset_index(drop=True)
    start = len(population.interactions)
    added = frame.assign(
        interaction_id=[f"added-{start + row:08d}" for row in range(len(frame))],
        created_at=[last - timedelta(days=days * share) for share in rng.random(len(frame))],
    )
    added["created_at"] = added["created_at"].astype(population.interactions["created_at"].dtype)
    both = pd.concat([population.interactions, added], ignore_index=True)
    return replace(population, interactions=both.sort_values(["created_at", "interaction_id"], ignore_index=True))


def copy_decisions(population: Population, sources: Ids, fakes: Ids) -> Population:
    """Give each fake the decisions, given and received, of its source: an account that has behaved as people do."""
    named = population.interactions
    parts = [named]
    for number, (source, fake) in enumerate(zip(sources, fakes, strict=True)):
        given = named[named["actor_id"] == source].assign(actor_id=fake)
        received = named[named["target_id"] == source].assign(target_id=fake)
        both = pd.concat([given, received], ignore_index=True)
        parts.append(both.assign(interaction_id=[f"copy-{number:04d}-{row:05d}" for row in range(len(both))]))
    every = pd.concat(parts, ignore_index=True)
    return replace(population, interactions=every.sort_values(["created_at", "interaction_id"], ignore_index=True))
