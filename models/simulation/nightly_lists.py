"""The lists of a night, made by the functions of the pipeline from what the log has."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.random import Generator

from models.ml.arrays import BoolArray, Float64Array, FloatArray, Int32Array, Int64Array
from models.ml.features.decision_weights import count_votes
from models.ml.features.training_pairs import build_training_pairs, extract_decisions
from models.ml.kernels.grouping import count_earlier
from models.ml.market import AttentionModel
from models.ml.market.attention.activity import ActivityRecord, compute_activity, fit_activity
from models.ml.market.edge_weights import MarketState
from models.ml.market.graph.market_graph import MarketGraph
from models.ml.market.pending_likes import Decoys, count_decoys, draw_decoys
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


@dataclass(frozen=True)
class NightLists:
    """The lists of a night, what was said of each card, and the likes that people are shown."""

    cards: Cards
    p_match: FloatArray
    """Probability of a match as the cards say it, (k,)."""
    likes: Cards
    """The likes received that wait; none where likes are secret."""
    scored: ScoredPairs | None = None
    """All scored candidates of the night; None if they were not scored."""


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


def estimate_activity(log: EventLog) -> Float64Array:
    """Estimate from the days so far how probably each person opens the app within the coming days, float64 (n,)."""
    opened = np.zeros((log.world.people, len(log.days)), bool)
    for day, seen in enumerate(log.days):
        opened[seen.cards.viewer, day] = True
    days = np.clip(len(log.days) - log.world.joins, 0, None)
    last = np.where(opened.any(axis=1), days - np.argmax(opened[:, ::-1], axis=1), 0) if len(log.days) else days * 0
    record = ActivityRecord(days, opened.sum(axis=1), last)
    return compute_activity(fit_activity(record), record)


def find_pending_pairs(log: EventLog, scored: ScoredPairs) -> BoolArray:
    """Find the scored pairs whose candidate has liked the viewer, bool (n,)."""
    return np.asarray(log.decided[scored.candidate, scored.viewer] == LIKE)


def weigh_told_likes(
    activity: Float64Array, night: ScoredNight, pending: BoolArray, attention: AttentionModel
) -> MarketState:
    """Weigh the likes that receivers see: certain, and answered in the inbox as far as it is looked through."""
    people, scored = len(activity), night.scored
    place = pd.Series(night.likes.position - 1, night.likes.viewer * people + night.likes.candidate)
    looks = attention.compute_inbox_examination()
    rows = place.reindex((scored.viewer * people + scored.candidate)[pending]).to_numpy(np.int64)
    answered = np.zeros(len(pending))
    answered[pending] = looks[np.minimum(rows, len(looks) - 1)]
    return MarketState(activity, pending.astype(np.float64), answered)


def extend_decoys(
    decoys: Decoys, scored: ScoredPairs, pending: BoolArray, activity: Float64Array, most_telling: float, rng: Generator
) -> Decoys:
    """Draw decoys for the pending likes that have none yet."""
    people = len(activity)
    pair = scored.viewer * people + scored.candidate
    new = pending & ~np.isin(pair, decoys.receiver * people + decoys.sender)
    taken = pending | np.isin(pair, decoys.receiver * people + decoys.decoy)
    odds = scored.p_liked_back / np.maximum(1 - scored.p_liked_back, 1e-6)
    weight = np.where(taken, 0, odds * activity[scored.candidate])
    drawn = draw_decoys(
        scored.viewer[new],
        scored.candidate[new],
        scored.viewer,
        scored.candidate,
        weight,
        count_decoys(most_telling),
        rng,
    )
    return Decoys(*(np.concatenate(pair) for pair in zip(vars(decoys).values(), vars(drawn).values(), strict=True)))


def list_cards(graph: MarketGraph, positions: Int32Array, scored: ScoredPairs) -> tuple[Cards, FloatArray]:
    """Return the listed cards in order, and the p_match that each says."""
    shown = np.flatnonzero(positions >= 0)
    shown = shown[np.lexsort((positions[shown], graph.viewer[shown]))]
    rows = graph.pair[shown]
    cards = Cards(scored.viewer[rows], scored.candidate[rows], positions[shown].astype(np.int64) + 1)
    return cards, scored.p_match[rows]


def count_allowance(log: EventLog, places_per_vote: float) -> Float64Array:
    """Count the most positions of each person, in times the mean, float64 (n,), as the pipeline's default does."""
    decisions = extract_decisions(log.interactions, pd.Index(log.world.profiles["profile_id"]))
    return 1 + places_per_vote * count_votes(decisions, log.world.people)
