"""The home of a population before its first run, and what a day changes in it."""

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
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.profiles.encoders.encoder import normalise_rows
from models.ml.profiles.encoders.opening import MINILM
from models.ml.profiles.encoders.sentence_encoder import SentenceEncoder
from pipelines.assets.extract import read_profiles
from pipelines.loaders.app_tables import fill_app_tables
from pipelines.resources import ShardStore
from pipelines.store import answer_shards
from pipelines.store.frame_store import store_url
from tests.bench.figures import Figures
from tests.bench.scale.population import DAYS, PER_USER, SEED, decide, interactions, population

JOINING, EDITING = 0.01, 0.02  # of the users, on a day
WORDS = 4096  # kinds of words that stand-ins distinguish


def settings_of(home: Path) -> Settings:
    """An installation that is all under `home`, whatever the environment says."""
    nothing = dict.fromkeys(("database_url", "store_url", "mlflow_tracking_uri", "dask_scheduler_address"))
    return Settings(home=home, **nothing)


def found(home: Path, people: int, per_user: float = PER_USER) -> Figures:
    """Load at most so many users, but for those who join later, with their decisions so far, and store an embedding of
    each answer; how many of each.
    """
    users = population(people)
    joining = round(JOINING * len(users))
    made = decide(users, joining, per_user)
    here = settings_of(home)
    migrations.upgrade_database(resolve_database_url(here))
    with open_database(here) as engine:
        before = interactions(users, made[made["day"] < DAYS])
        loaded = fill_app_tables(engine, users[: len(users) - joining], before)
    return {"people": loaded.profiles_added, "decisions": loaded.interactions_added, "answers": _embed(here)}


def next_day(home: Path, people: int, per_user: float = PER_USER) -> Figures:
    """Load what a day changes: users who join, users who edit a text, decisions; how many."""
    users = population(people)
    joining = round(JOINING * len(users))
    made = decide(users, joining, per_user)
    changed = users[len(users) - joining :]
    editing = np.random.default_rng([SEED, 2]).permutation(len(users) - joining)[: round(EDITING * len(users))]
    for user in (users[number] for number in editing.tolist()):
        changed.append(replace(user, texts={name: f"{text} Ask me more." for name, text in user.texts.items()}))
    with open_database(settings_of(home)) as engine:
        loaded = fill_app_tables(engine, changed, interactions(users, made[made["day"] >= DAYS]))
    return {
        "joined": loaded.profiles_added,
        "edited": loaded.profiles_changed,
        "decisions": loaded.interactions_added,
    }


def stand_ins(_: SentenceEncoder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors (n, dimensions): the sum of a random direction for each word, so that like texts are near."""
    directions = np.random.default_rng(SEED).normal(size=(WORDS, NO_ANSWERS.dimensions)).astype(np.float32)
    words = HashingVectorizer(n_features=WORDS, dtype=np.float32).transform(texts)
    return normalise_rows(np.asarray(words @ directions))


def _embed(here: Settings) -> int:
    """Store a stand-in for each answer, in the pipeline's own shards; how many."""
    with open_database(here) as engine, engine.connect() as connection:
        profiles = read_profiles(connection)
    folder = ShardStore(base=store_url(here)).get_shard_folder("profile_embeddings")
    shards = answer_shards.plan_encoding(profiles, folder, MINILM)
    with patch.object(SentenceEncoder, "encode", stand_ins):
        return sum(map(answer_shards.encode_shard, shards))
