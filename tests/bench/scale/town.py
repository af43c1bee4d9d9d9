"""A simulated town as the pipeline's frames, and a ranker trained on it; directions of topics stand for read texts."""

from dataclasses import dataclass, replace
from itertools import islice
from math import ceil

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.ml.features import pair_features
from models.ml.features.training_pairs import build_training_pairs
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.encoder import DIMENSIONS, normalise_rows
from models.ml.ranker.ranker_model import Ranker
from models.ml.scoring.scoring_context import ScoringContext, build_scoring_context
from models.ml.training.train import train_ranker
from pipelines.loaders.simulation.simulated_exposure import VIEWERS_PER_BATCH, simulate_decisions
from pipelines.loaders.simulation.simulated_loader import iterate_people
from pipelines.loaders.simulation.simulated_population import TOPICS, SimulatedPopulation, build_population

SEED = 7
NOBODY_BLOCKED = pd.DataFrame({"blocker_id": [], "blocked_id": []}, dtype=str)


@dataclass(frozen=True)
class Frames:
    """A town as the assets before the ranker hand it on."""

    profiles: pd.DataFrame
    answers: AnswerEmbeddings
    interactions: pd.DataFrame


def frames(people: int, deciding: int | None = None) -> Frames:
    """A simulated town; only of about the first `deciding` of its people, all if None, are likes and passes known."""
    town = build_population(SEED, people)
    profiles = pd.DataFrame([vars(person) for person in iterate_people(town)]).drop(
        columns=["display_name", "birth_date"]
    )
    profiles["profile_id"] = ids = np.array([f"{number:06d}" for number in range(people)])
    profiles = profiles.assign(age=town.age, paused=False)
    return Frames(
        profiles, _answers(profiles, town), _interactions(ids, town, people if deciding is None else deciding)
    )


def trained(town: Frames) -> Ranker:
    """A ranker trained on the town; where trees gain nothing, so that it has none, some are grown all the same."""
    pairs = build_training_pairs(town.interactions, pd.Index(town.profiles["profile_id"]))
    ranker = train_ranker(town.profiles, town.answers, pairs, seed=0).rankers.full
    return ranker if ranker.booster is not None else replace(ranker, booster=_grown(ranker, town))


def _grown(ranker: Ranker, town: Frames) -> lgb.Booster:
    """Small trees from the log-odds of the linear part, on the likes and passes of the town."""
    ids = pd.Index(town.profiles["profile_id"])
    viewer, candidate = (
        ids.get_indexer(town.interactions[name]).astype(np.int64) for name in ("actor_id", "target_id")
    )
    made = arrays(ranker, town)
    known = pair_features.build_features(
        ranker.specification,
        pair_features.Pairs(made.profiles, viewer, candidate, made.history.get_pair_history(viewer, candidate)),
    )
    liked = (town.interactions["kind"] == "like").to_numpy(np.int8)
    data = lgb.Dataset(known, liked, init_score=ranker.linear.log_odds(known))
    return lgb.train({"objective": "binary", "num_leaves": 8, "learning_rate": 0.05, "verbose": -1}, data, 60)


def trees_of(ranker: Ranker) -> lgb.Booster:
    """The ranker's trees. Raises ValueError if it has none."""
    if ranker.booster is None:
        raise ValueError("the ranker has no trees; take one of `trained`")
    return ranker.booster


def arrays(ranker: Ranker, town: Frames) -> ScoringContext:
    """What scoring the town needs, with nobody decided on yet."""
    return build_scoring_context(ranker, town.profiles, town.interactions, NOBODY_BLOCKED, town.answers)


def _answers(profiles: pd.DataFrame, town: SimulatedPopulation) -> AnswerEmbeddings:
    """A vector for each answer: the direction of what the person is about, and as much of nothing in particular."""
    random = np.random.default_rng(SEED)
    told = [(row, prompt) for row, texts in enumerate(profiles["texts"]) for prompt in texts]
    rows = np.array([row for row, _ in told], np.int64)
    about = 3 * town.topics @ random.normal(size=(len(TOPICS), DIMENSIONS))
    vectors = normalise_rows((about[rows] + random.normal(size=(len(rows), DIMENSIONS))).astype(np.float32)).astype(
        np.float16
    )
    keys = pd.DataFrame({"profile_id": profiles["profile_id"].to_numpy()[rows], "prompt": [name for _, name in told]})
    return AnswerEmbeddings(keys.assign(text_hash=[f"{number:07d}" for number in range(len(told))]), vectors)


def _interactions(ids: NDArray[np.str_], town: SimulatedPopulation, deciding: int) -> pd.DataFrame:
    blocks = [
        pd.DataFrame(
            {
                "actor_id": ids[impressions.viewer],
                "target_id": ids[impressions.candidate],
                "kind": np.where(liked, "like", "pass"),
                "created_at": pd.to_datetime(impressions.seen_at, unit="s", utc=True),
            }
        )
        for impressions, liked in islice(simulate_decisions(town), ceil(deciding / VIEWERS_PER_BATCH))
    ]
    happened = pd.concat(blocks, ignore_index=True)
    return happened.assign(interaction_id=[f"{number:09d}" for number in range(len(happened))])
