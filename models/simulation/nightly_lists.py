"""The lists of a night, made by the functions of the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.features.decision_weights import count_votes
from models.ml.features.training_pairs import build_training_pairs, extract_decisions
from models.ml.market import AttentionModel, build_market_graph
from models.ml.market.comparison import make_policy_lists
from models.ml.market.graph.ranked_lists import select_listed_pairs
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.scoring.candidates import ScoredPairs, score_both_ways, select_candidates
from models.ml.scoring.retrieval import build_retrieval_vectors
from models.ml.scoring.scoring_context import build_scoring_context
from models.ml.training.train import train_ranker
from models.ml.validation.gate import check_report
from models.simulation.behaviour import Cards
from models.simulation.event_log import EventLog
from models.simulation.world import World

NO_BLOCKS = pd.DataFrame({"blocker_id": [], "blocked_id": []}, dtype=str)


@dataclass(frozen=True)
class ScoredNight:
    """The scored candidates of a night, as numbers of people, and the order of the likes that wait."""

    scored: ScoredPairs
    likes: Cards
    """The likes received that wait: viewer is the receiver, candidate the sender."""


def train_tonight(log: EventLog, champion: CrossFittedRanker | None) -> CrossFittedRanker:
    """Train on all decisions so far; a ranker that the gate refuses leaves the champion in place."""
    world = log.world
    known = world.profiles[world.joins <= len(log.days)].reset_index(drop=True)
    decisions = build_training_pairs(log.interactions, pd.Index(known["profile_id"]))
    trained = train_ranker(known, world.answers, decisions, world.seed, champion=champion)
    refused = trained.report is None or not all(check.passed for check in check_report(trained.report))
    return champion if refused and champion is not None else trained.rankers


def score_night(log: EventLog, ranker: CrossFittedRanker, present: BoolArray) -> ScoredNight:
    """Score the candidates of everybody who is there, and order the likes that wait, as the pipeline does."""
    number = np.flatnonzero(present)
    profiles = log.world.profiles[present].reset_index(drop=True)
    ids = set(profiles["profile_id"])
    here = log.interactions["actor_id"].isin(ids) & log.interactions["target_id"].isin(ids)
    context = build_scoring_context(ranker.full, profiles, log.interactions[here], NO_BLOCKS, log.world.answers)
    viewer, candidate = select_candidates(context, build_retrieval_vectors(context), np.arange(len(number)))
    scored = score_both_ways(context, viewer, candidate)
    receiver, sender = log.find_pending(present)
    row = np.cumsum(present) - 1
    p_like = score_both_ways(context, row[receiver], row[sender]).p_like
    numbers = ScoredPairs(number[viewer], number[candidate], scored.p_like, scored.p_liked_back, scored.p_match)
    return ScoredNight(numbers, order_cards(receiver, sender, p_like))


def order_cards(viewer: Int64Array, candidate: Int64Array, score: Float64Array | Float32Array) -> Cards:
    """Order the candidates of each viewer by score, best first."""
    order = np.lexsort((candidate, -score, viewer))
    viewer, candidate = viewer[order], candidate[order]
    return Cards(viewer, candidate, np.arange(len(viewer)) - np.searchsorted(viewer, viewer) + 1)
