"""The lists of a night, made by the functions of the pipeline from what the log has."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float64Array, FloatArray, Int32Array, Int64Array
from models.ml.features.decision_weights import count_votes
from models.ml.features.training_pairs import build_training_pairs, extract_decisions
from models.ml.kernels.grouping import count_earlier
from models.ml.market import AttentionModel
from models.ml.market.attention.activity import ActiveDays
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.outcomes.shown_matches import compute_shown_shift, shift_probabilities
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.scoring.candidates import ScoredPairs, score_both_ways, select_candidates
from models.ml.scoring.likes_received import find_pending_likes
from models.ml.scoring.retrieval import build_retrieval_vectors
from models.ml.scoring.scoring_context import NO_BLOCKS, build_scoring_context
from models.ml.training.train import train_ranker
from models.ml.validation.gate import check_report
from models.simulation.behaviour import Cards
from models.simulation.event_log import LIKE, EventLog

MIN_GROWTH = 1.5
"""Trained again when the decisions have grown by this factor since the last training."""


@dataclass(frozen=True)
class ScoredNight:
    """The scored candidates of a night, as numbers of people, and the order of the likes that wait."""

    scored: ScoredPairs
    likes: Cards
    """The likes received that wait: viewer is the receiver, candidate the sender."""


def train_tonight(log: EventLog, champion: CrossFittedRanker | None) -> CrossFittedRanker:
    """Train on all decisions so far; a champion stays if the gate refuses the result."""
    world = log.world
    known = world.profiles[world.joins <= len(log.days)].reset_index(drop=True)
    decisions = build_training_pairs(log.interactions, pd.Index(known["profile_id"]))
    trained = train_ranker(known, world.answers, decisions, world.seed, champion=champion)
    passed = trained.report is not None and all(check.passed for check in check_report(trained.report))
    return trained.rankers if passed or champion is None else champion


def score_night(log: EventLog, ranker: CrossFittedRanker, present: BoolArray) -> ScoredNight:
    """Score the candidates of everybody who is there, and order the likes that wait, as the pipeline does."""
    number = np.flatnonzero(present)
    profiles = log.world.profiles[present].reset_index(drop=True)
    ids = set(profiles["profile_id"])
    here = log.interactions["actor_id"].isin(ids) & log.interactions["target_id"].isin(ids)
    context = build_scoring_context(ranker.full, profiles, log.interactions[here], NO_BLOCKS, log.world.answers)
    viewer, candidate = select_candidates(context, build_retrieval_vectors(context), np.arange(len(number)))
    scored = score_both_ways(context, viewer, candidate)
    receiver, sender = find_pending_likes(context)
    likes = order_cards(number[receiver], number[sender], score_both_ways(context, receiver, sender).p_like)
    return ScoredNight(replace(scored, viewer=number[viewer], candidate=number[candidate]), likes)


def order_cards(viewer: Int64Array, candidate: Int64Array, score: FloatArray) -> Cards:
    """Order the candidates of each viewer by score, best first."""
    order = np.lexsort((candidate, -score, viewer))
    viewer, candidate = viewer[order], candidate[order]
    return Cards(viewer, candidate, count_earlier(viewer) + 1)


def read_active_days(log: EventLog) -> ActiveDays:
    """Read the days so far on which each person opened the app, as of the morning after them."""
    mask = np.zeros(log.world.people, np.int64)
    for day, seen in enumerate(log.days):
        mask[np.unique(seen.cards.viewer)] |= np.int64(1) << (len(log.days) - day)
    return ActiveDays(np.clip(len(log.days) - log.world.joins, 0, None), mask)


def find_pending_pairs(log: EventLog, scored: ScoredPairs) -> BoolArray:
    """Find the scored pairs whose candidate has liked the viewer, bool (n,)."""
    return np.asarray(log.decided[scored.candidate, scored.viewer] == LIKE)


def list_cards(graph: MarketGraph, positions: Int32Array, scored: ScoredPairs) -> tuple[Cards, FloatArray]:
    """Return the listed cards in order, and the p_match that each says."""
    shown = np.flatnonzero(positions >= 0)
    shown = shown[np.lexsort((positions[shown], graph.viewer[shown]))]
    rows = graph.pair[shown]
    cards = Cards(scored.viewer[rows], scored.candidate[rows], positions[shown].astype(np.int64) + 1)
    return cards, scored.p_match[rows]


def shift_p_match(log: EventLog, cards: Cards, scored: ScoredPairs, attention: AttentionModel) -> FloatArray:
    """Return the p_match that each listed card says, on average right for what lists show, (k,)."""
    rows, looks = scored.find_rows(cards.viewer, cards.candidate), attention.compute_list_examination()
    shift = compute_shown_shift(
        scored.p_like[rows], scored.p_liked_back[rows], find_pending_pairs(log, scored)[rows], looks[cards.position - 1]
    )
    return shift_probabilities(scored.p_match[rows], shift)


def count_allowance(log: EventLog, places_per_vote: float) -> Float64Array:
    """Count the most positions of each person, in times the mean, float64 (n,), as the pipeline's default does."""
    decisions = extract_decisions(log.interactions, pd.Index(log.world.profiles["profile_id"]))
    return 1 + places_per_vote * count_votes(decisions, log.world.people)
