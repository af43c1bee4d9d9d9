"""One night over frames: train, score, and make lists as the pipeline does, without its database."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.arrays import Int32Array
from models.ml.features.training_pairs import build_training_pairs, extract_decisions
from models.ml.market import AttentionModel, build_market_graph
from models.ml.market.comparison import make_policy_lists
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.ranker.ranker_model import Ranker
from models.ml.scoring.candidates import score_both_ways, select_candidates
from models.ml.scoring.retrieval import build_retrieval_vectors
from models.ml.scoring.scoring_context import build_scoring_context as population_of
from models.ml.training.train import TrainingResult, train_ranker
from pipelines.assets.market.market_config import MarketConfig
from tests.bench.attacks.town import Population

POLICY = "best_response"
NO_BLOCKS = pd.DataFrame({"blocker_id": [], "blocked_id": []}, dtype=str)


@dataclass(frozen=True)
class Night:
    """The lists of a night, by position in `ids`."""

    ids: pd.Index
    trained: TrainingResult | None
    """None where a champion was given."""
    market: MarketGraph
    placed: Int32Array
    """Each slot's index in its list, -1 if it is not listed."""

    def counts(self, depth: int) -> np.ndarray:
        """How many lists show each person among the first `depth`, int64 (people,)."""
        shown = (self.placed >= 0) & (self.placed < depth)
        return np.bincount(self.market.candidate[shown], minlength=len(self.ids))


def run_night(population: Population, seed: int = 0, champion: Ranker | None = None) -> Night:
    """Train on a population, or take `champion`, then score everybody and make the lists."""
    ids = pd.Index(population.profiles["profile_id"])
    trained = None
    if champion is None:
        decisions = build_training_pairs(population.interactions, ids)
        trained = train_ranker(population.profiles, population.answers, decisions, seed)
        champion = trained.rankers.full
    town = population_of(champion, population.profiles, population.interactions, NO_BLOCKS, population.answers)
    pairs = select_candidates(town, build_retrieval_vectors(town), np.arange(len(ids)))
    scored = score_both_ways(town, *pairs)
    keys = pd.util.hash_array(ids.to_numpy(object))
    market = build_market_graph(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys)
    allowance = MarketConfig.model_validate({}).build_allowance(
        extract_decisions(population.interactions, ids), len(ids)
    )
    chosen = make_policy_lists(market, AttentionModel(), POLICY, allowance=allowance)
    return Night(ids, trained, market, chosen.positions)
