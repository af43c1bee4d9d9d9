"""A simulated population as the pipeline's frames, and a ranker trained on it; directions of topics stand for texts."""

from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np
import pandas as pd

from models.ml.features.pair_features import build_features
from models.ml.features.training_pairs import build_training_pairs
from models.ml.profiles.answer_embeddings import NO_ANSWERS, AnswerEmbeddings
from models.ml.profiles.encoders.encoder import normalise_rows
from models.ml.ranker.ranker_model import Ranker
from models.ml.scoring.scoring_context import NO_BLOCKS, ScoringContext, build_scoring_context
from models.ml.training.train import train_ranker
from pipelines.loaders.simulation.simulated_exposure import simulate_decisions
from pipelines.loaders.simulation.simulated_loader import iterate_people
from pipelines.loaders.simulation.simulated_population import TOPICS, SimulatedPopulation, build_population

SEED = 7


@dataclass(frozen=True)
class Frames:
    """A population as the assets before the ranker return it (see models.ml.profiles.frame_contracts)."""

    profiles: pd.DataFrame
    answers: AnswerEmbeddings
    interactions: pd.DataFrame


def frames(people: int, seed: int = SEED, *, texts: bool = True) -> Frames:
    """A simulated population. Without texts a user's id is the source key, else the number."""
    town = build_population(seed, people)
    profiles = pd.DataFrame([vars(person) for person in iterate_people(town)])
    ids = np.array([f"{number:06d}" for number in range(people)]) if texts else profiles["source_key"].to_numpy(str)
    profiles = profiles.drop(columns=["display_name", "birth_date"])
    profiles = profiles.assign(profile_id=ids, age=town.age, paused=False)
    answers = _answers(profiles, town) if texts else NO_ANSWERS
    if not texts:
        profiles["texts"] = pd.Series([{} for _ in ids], dtype=object)
    batches = [
        pd.DataFrame(
            {
                "actor_id": ids[impressions.viewer],
                "target_id": ids[impressions.candidate],
                "kind": np.where(liked, "like", "pass"),
                "created_at": pd.to_datetime(impressions.seen_at, unit="s", utc=True),
            }
        )
        for impressions, liked in simulate_decisions(town)
    ]
    decided = pd.concat(batches, ignore_index=True)
    decided["interaction_id"] = [f"{number:09d}" for number in range(len(decided))]
    return Frames(profiles, answers, decided)


def _answers(profiles: pd.DataFrame, town: SimulatedPopulation) -> AnswerEmbeddings:
    """A vector for each answer: the direction of the user's topics, and as much noise."""
    rng = np.random.default_rng(SEED)
    written = [(row, prompt) for row, texts in enumerate(profiles["texts"]) for prompt in texts]
    rows = np.array([row for row, _ in written], np.int64)
    about = 3 * town.topics @ rng.normal(size=(len(TOPICS), NO_ANSWERS.dimensions))
    vectors = normalise_rows((about[rows] + rng.normal(size=(len(rows), NO_ANSWERS.dimensions))).astype(np.float32))
    keys = pd.DataFrame(
        {"profile_id": profiles["profile_id"].to_numpy()[rows], "prompt": [name for _, name in written]}
    )
    keys["text_hash"] = [f"{number:07d}" for number in range(len(written))]
    return AnswerEmbeddings(keys, vectors.astype(np.float16), NO_ANSWERS.encoder)


def trained(town: Frames) -> Ranker:
    """A ranker trained on the population; where trees gain nothing, some are grown all the same."""
    pairs = build_training_pairs(town.interactions, pd.Index(town.profiles["profile_id"]))
    ranker = train_ranker(town.profiles, town.answers, pairs, seed=0).rankers.full
    return ranker if ranker.booster is not None else replace(ranker, booster=_grow(ranker, town))


def _grow(ranker: Ranker, town: Frames) -> lgb.Booster:
    """Small trees from the log-odds of the linear part, on the decisions of the population."""
    ids = pd.Index(town.profiles["profile_id"])
    ends = (ids.get_indexer(town.interactions[name]).astype(np.int64) for name in ("actor_id", "target_id"))
    features = build_features(ranker.specification, arrays(ranker, town).build_pairs(*ends))
    liked = (town.interactions["kind"] == "like").to_numpy(np.int8)
    data = lgb.Dataset(features, liked, init_score=ranker.linear.log_odds(features))
    return lgb.train({"objective": "binary", "num_leaves": 8, "learning_rate": 0.05, "verbose": -1}, data, 60)


def arrays(ranker: Ranker, town: Frames) -> ScoringContext:
    """What scoring the population needs."""
    return build_scoring_context(ranker, town.profiles, town.interactions, NO_BLOCKS, town.answers)
