"""One run over frames, and what an attack changes in its lists: training, scores and lists, without a database."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.arrays import Int32Array
from models.ml.features.training_pairs import build_training_pairs, extract_decisions
from models.ml.market import AttentionModel, build_market_graph
from models.ml.market.comparison import compute_outcome, make_policy_lists
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.ranker.ranker_model import Ranker
from models.ml.scoring.candidates import score_both_ways, select_candidates
from models.ml.scoring.retrieval import build_retrieval_vectors
from models.ml.training.train import train_ranker
from pipelines.assets.market.market_config import MarketConfig
from tests.bench.attacks.campaigns import Campaign, Ids, attack
from tests.bench.scale.town import Frames, arrays

POLICY = "best_response"
DEPTHS = {"places": 50, "first fives": 5, "first places": 1}
# Whom the fakes pass on: users at these indices by the number of lists they are on.
VICTIMS = [0, 5, 20]


@dataclass(frozen=True)
class Night:
    """The lists of a run, by position in `ids`."""

    ids: pd.Index
    ranker: Ranker
    market: MarketGraph
    placed: Int32Array
    """Each scored pair's index in its list, -1 if it is not listed."""

    def count_lists(self, depth: int = 50) -> np.ndarray:
        """How many lists show each user among the first `depth`, int64 (people,)."""
        shown = (self.placed >= 0) & (self.placed < depth)
        return np.bincount(self.market.candidate[shown], minlength=len(self.ids))


@dataclass(frozen=True)
class Effect:
    """What fakes got, and what their victims kept."""

    ratios: dict[str, float]
    """The fakes' share of what DEPTHS names, over their share of users."""
    most_listed: int
    """The number of lists that show the most listed fake."""
    kept: list[float]
    """The share of lists that still show each victim."""


def run_night(population: Frames, champion: Ranker | None = None, seed: int = 0) -> Night:
    """Score all users and make the lists, with a champion or a ranker trained on the population."""
    ids = pd.Index(population.profiles["profile_id"])
    if champion is None:
        pairs = build_training_pairs(population.interactions, ids)
        champion = train_ranker(population.profiles, population.answers, pairs, seed).rankers.full
    context = arrays(champion, population)
    chosen = select_candidates(context, build_retrieval_vectors(context), np.arange(len(ids)))
    scored = score_both_ways(context, *chosen)
    keys = pd.util.hash_array(ids.to_numpy(object))
    market = build_market_graph(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys)
    decisions = extract_decisions(population.interactions, ids)
    allowance = MarketConfig.model_validate({}).build_allowance(decisions, len(ids))
    lists = make_policy_lists(market, AttentionModel(), POLICY, allowance=allowance)
    return Night(ids, champion, market, lists.positions)


def measure_cost(night: Night) -> float:
    """The share of expected matches that the bound on exposure costs."""
    free = make_policy_lists(night.market, AttentionModel(), POLICY).positions
    bound, unbound = (
        compute_outcome(night.market, AttentionModel(), placed)["expected_matches"] for placed in (night.placed, free)
    )
    return 1 - bound / unbound


def measure_effect(
    population: Frames, before: Night, campaign: Campaign, fakes: int, champion: Ranker | None = None
) -> Effect:
    """Run again with the fakes of a campaign in the population."""
    victims: Ids = before.ids.to_numpy(object)[np.argsort(-before.count_lists(), kind="stable")[VICTIMS]]
    attacked, ids = attack(population, campaign, fakes, victims, np.random.default_rng(1))
    night = run_night(attacked, champion)
    at = night.ids.get_indexer(pd.Index(ids))
    counts = {name: night.count_lists(depth) for name, depth in DEPTHS.items()}
    now, then = (each.count_lists()[each.ids.get_indexer(pd.Index(victims))] for each in (night, before))
    return Effect(
        {name: float(each[at].mean() / each.mean()) for name, each in counts.items()},
        int(counts["places"][at].max()),
        (now / then).tolist(),
    )
