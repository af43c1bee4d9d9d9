"""The home of a town before its first run, and what a day changes in it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer

from models.db.engines import open_database, resolve_database_url
from models.db.schema import migrations
from models.db.settings import Settings
from models.ml.profiles.encoder import DIMENSIONS, normalise_rows
from pipelines.assets.extract import read_profiles
from pipelines.loaders.app_tables import fill_app_tables
from pipelines.resources import ShardStore
from pipelines.store import answer_shards
from pipelines.store.frame_store import store_url
from tests.bench.figures import Figures
from tests.bench.scale.deciding import DAYS, decisions, interactions
from tests.bench.scale.people import SEED, population

JOINING, EDITING = 0.01, 0.02  # of the people, on a day
WORDS = 4096  # kinds of words that stand-ins tell apart


def settings_of(home: Path) -> Settings:
    """An installation all of which is under `home`, whatever the environment says."""
    nothing = dict.fromkeys(("database_url", "store_url", "mlflow_tracking_uri", "dask_scheduler_address"))
    return Settings(home=home, **nothing)


def found(home: Path, people: int) -> Figures:
    """Load a town of at most so many people but for those who are to join, with their decisions so far and an embedding
    of each answer in the store; how many of each.
    """
    town = population(people)
    joining = round(JOINING * len(town))
    made = decisions(town, joining)
    before = made.part(made.day < DAYS)
    here = settings_of(home)
    migrations.upgrade_database(resolve_database_url(here))
    with open_database(here) as engine:
        loaded = fill_app_tables(engine, town[: len(town) - joining], interactions(town, before))
    return {"people": loaded.profiles_added, "decisions": loaded.interactions_added, "answers": _embed(here)}


def next_day(home: Path, people: int) -> Figures:
    """Load what happens on a day to the town that was founded: who joins, who edits a text, decisions; how many."""
    town = population(people)
    joining = round(JOINING * len(town))
    made = decisions(town, joining)
    changed = town[len(town) - joining :]
    chosen = np.random.default_rng([SEED, 2]).permutation(len(town) - joining)[: round(EDITING * len(town))]
    for person in (town[number] for number in chosen.tolist()):
        changed.append(replace(person, texts={name: f"{text} Ask me more." for name, text in person.texts.items()}))
    with open_database(settings_of(home)) as engine:
        loaded = fill_app_tables(engine, changed, interactions(town, made.part(made.day >= DAYS)))
    return {
        "joined": loaded.profiles_added,
        "edited": loaded.profiles_changed,
        "decisions": loaded.interactions_added,
    }


def stand_ins(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors (n, DIMENSIONS): the sum of a random direction for each word, so that like texts are near."""
    directions = np.random.default_rng(SEED).normal(size=(WORDS, DIMENSIONS)).astype(np.float32)
    return normalise_rows(
        np.asarray(HashingVectorizer(n_features=WORDS, dtype=np.float32).transform(texts) @ directions)
    )


def _embed(here: Settings) -> int:
    """Fill the store with a stand-in for each answer, by the pipeline's own shards; how many."""
    with open_database(here) as engine, engine.connect() as connection:
        profiles = read_profiles(connection)
    shards = answer_shards.plan_encoding(
        profiles, ShardStore(base=store_url(here)).get_shard_folder("profile_embeddings")
    )
    with patch.object(answer_shards, "encode_texts", stand_ins):
        return sum(map(answer_shards.encode_shard, shards))
