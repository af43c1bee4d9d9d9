"""One night over frames: train, score, and make lists as the pipeline does, without its database."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.candidates import candidates, score
from models.ml.market import Attention
from models.ml.market import town as market_of
from models.ml.market.comparison import choose
from models.ml.market.town import Slots, Town
from models.ml.pairs import events, training_pairs
from models.ml.population import population as population_of
from models.ml.ranker import Ranker
from models.ml.retrieval import promise
from models.ml.training import Trained, train
from pipelines.assets.market import MarketConfig
from tests.bench.attacks.town import Population

POLICY = "best_response"
NO_BLOCKS = pd.DataFrame({"blocker_id": [], "blocked_id": []}, dtype=str)


@dataclass(frozen=True)
class Night:
    """The lists of a night, by position in `ids`."""

    ids: pd.Index
    trained: Trained | None
    """None where a champion was given."""
    market: Town
    placed: Slots
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
        decisions = training_pairs(population.interactions, ids)
        trained = train(population.profiles, population.answers, decisions, seed)
        champion = trained.rankers.whole
    ranker = champion
    town = population_of(ranker, population.profiles, population.interactions, NO_BLOCKS, population.answers)
    vectors = promise(ranker, town.people, town.ledger, town.pools.order)
    pairs = candidates(town.pools, vectors, town.closed, np.arange(len(ids)))
    scored = score(ranker, town.people, town.ledger, *pairs)
    keys = pd.util.hash_array(ids.to_numpy(object))
    market = market_of(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys)
    allowance = MarketConfig.model_validate({}).allowance(events(population.interactions, ids), len(ids))
    chosen = choose(market, Attention(), POLICY, allowance=allowance)
    return Night(ids, trained, market, chosen.placed)
