"""The simulated population as a world in which nights can be simulated."""

from datetime import timedelta

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array, Int64Array
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.answer_encoding import encode_profiles
from models.ml.profiles.encoders.opening import MINILM, open_encoder
from models.simulation.world import World
from pipelines.loaders.records import Interaction, Person, compute_age
from pipelines.loaders.simulation.choice_model import compute_p_like
from pipelines.loaders.simulation.simulated_loader import iterate_interactions, iterate_people
from pipelines.loaders.simulation.simulated_population import (
    REFERENCE_TIME,
    SimulatedPopulation,
    build_population,
    make_random_stream,
)

LEAVING_RATE = 0.01
"""Probability that a person leaves for good on a day."""
OPENING_SHAPE = (0.9, 0.9)
"""The beta distribution of the probability of opening the app on a day; its mean is one half."""
NUMBERS = ["age_min", "age_max", "latitude", "longitude", "max_distance_km"]
EARLIER_DAYS = 7
"""Days of decisions before day 0, of the population's own impressions."""


def build_world(people: int, joiners: int, days: int, seed: int, answers: AnswerEmbeddings | None = None) -> World:
    """Build a world of so many people, with so many who join on each day after the first.

    Args:
        people: Number of people on day 0.
        joiners: Number of people who join on each of the later days.
        days: Number of days.
        seed: Seed of people and luck.
        answers: Embedded answers, such as none; None: what people wrote is embedded.
    """
    population = build_population(seed, people + joiners * (days - 1))
    profiles = build_profiles(population)
    rng = make_random_stream(seed, population.people, 7)
    joins = np.concatenate([np.zeros(people, np.int64), np.repeat(np.arange(1, days), joiners)])

    def compute_true_p_like(viewer: Int64Array, candidate: Int64Array) -> Float64Array:
        return compute_p_like(population, viewer, candidate)

    return World(
        profiles,
        encode_profiles(profiles, open_encoder(MINILM)) if answers is None else answers,
        compute_true_p_like,
        opening_rate=rng.beta(*OPENING_SHAPE, population.people),
        joins=joins,
        leaves=joins + rng.geometric(LEAVING_RATE, population.people),
        earlier=select_earlier(population, people),
        starts_at=REFERENCE_TIME,
        seed=seed,
    )


def build_profiles(population: SimulatedPopulation) -> pd.DataFrame:
    """Build the profiles frame of a population, in order of user number; the profile ids are the source keys."""
    rows = [_make_row(person) for person in iterate_people(population)]
    frame = pd.DataFrame(rows)
    frame[NUMBERS] = frame[NUMBERS].astype(np.float64)
    return frame


def _make_row(person: Person) -> dict[str, object]:
    row = {name: getattr(person, name) for name in ("gender", *NUMBERS, "texts", "traits", "facts", "wants")}
    row |= {"profile_id": person.source_key, "age": compute_age(person.birth_date, REFERENCE_TIME.date())}
    return row | {"seeks": list(person.seeks), "interests": list(person.interests), "paused": False}


def select_earlier(population: SimulatedPopulation, people: int) -> pd.DataFrame:
    """Select the decisions of the last EARLIER_DAYS days among the first so many people, as an interactions frame."""
    since, here = REFERENCE_TIME - timedelta(days=EARLIER_DAYS), set(map(population.make_source_key, range(people)))
    kept = [
        each
        for each in iterate_interactions(population)
        if each.created_at >= since and each.actor_key in here and each.target_key in here
    ]
    return pd.DataFrame(
        [_make_interaction_row(number, each) for number, each in enumerate(kept)],
        columns=["interaction_id", "actor_id", "target_id", "kind", "created_at"],
    )


def _make_interaction_row(number: int, each: Interaction) -> tuple[str, str, str, str, pd.Timestamp]:
    return (f"before-{number:08d}", each.actor_key, each.target_key, each.kind, pd.Timestamp(each.created_at))
