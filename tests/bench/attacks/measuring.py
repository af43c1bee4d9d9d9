"""What an attack changes in the lists of one night."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.market import AttentionModel
from models.ml.market.comparison import compute_outcome, make_policy_lists
from models.ml.ranker.ranker_model import Ranker
from tests.bench.attacks.campaigns import Campaign
from tests.bench.attacks.night import POLICY, Night, run_night
from tests.bench.attacks.town import Ids, Population

DEPTHS = {"places": 50, "first fives": 5, "first places": 1}
# Whom the fakes pass on: people at these ranks by the number of lists they are on.
VICTIM_RANKS = (0, 5, 20)


@dataclass(frozen=True)
class Effect:
    """What fakes got, and what their victims kept."""

    ratios: dict[str, float]
    """The fakes' share of what DEPTHS names, over their share of people."""
    most_listed: int
    """The number of lists that show the most listed fake."""
    kept: list[float]
    """The share of lists that still show each victim."""


def choose_victims(night: Night) -> Ids:
    """Choose the people whom an attack passes on, most listed first."""
    order = np.argsort(-night.counts(50), kind="stable")
    return np.asarray(night.ids.to_numpy(object)[order[list(VICTIM_RANKS)]])


def measure_cost(night: Night) -> float:
    """Measure the share of expected matches that the bound on places costs."""
    free = make_policy_lists(night.market, AttentionModel(), POLICY).positions
    found = [
        compute_outcome(night.market, AttentionModel(), placed)["expected_matches"] for placed in (night.placed, free)
    ]
    return 1 - found[0] / found[1]


def measure_effect(
    population: Population,
    before: Night,
    campaign: Campaign,
    fakes: int,
    seed: int = 1,
    champion: Ranker | None = None,
) -> Effect:
    """Run the night again with the fakes of a campaign in the population, trained on all of it without a champion."""
    victims = choose_victims(before)
    attacked = campaign(population, fakes, victims, np.random.default_rng(seed))
    night = run_night(attacked.population, champion=champion)
    at = night.ids.get_indexer(pd.Index(attacked.fakes))
    counts = {name: night.counts(depth) for name, depth in DEPTHS.items()}
    share = len(at) / len(night.ids)
    now = counts["places"][night.ids.get_indexer(pd.Index(victims))]
    then = before.counts(50)[before.ids.get_indexer(pd.Index(victims))]
    return Effect(
        {name: float(each[at].sum() / each.sum() / share) for name, each in counts.items()},
        int(counts["places"][at].max()),
        (now / then).tolist(),
    )
