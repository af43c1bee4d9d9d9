"""The arms of a simulation: the product with a market policy, and its rivals."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator

from models.ml.arrays import Float64Array, FloatArray
from models.ml.market import AttentionModel
from models.ml.market.comparison import make_policy_lists
from models.ml.market.edge_weights import MarketState, build_weighted_graph, make_idle_state
from models.ml.market.pending_likes import NO_DECOYS, Decoys, weigh_secret_likes
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.simulation.behaviour import NO_CARDS, Cards
from models.simulation.event_log import LIKE, EventLog
from models.simulation.nightly_lists import (
    MIN_GROWTH,
    NightLists,
    ScoredNight,
    count_allowance,
    estimate_activity,
    extend_decoys,
    find_pending_pairs,
    list_cards,
    order_cards,
    score_night,
    train_tonight,
    weigh_told_likes,
)

Likes = Literal["secret", "told"]
LIST_LENGTH = 50
PLACES_PER_VOTE = 5.0


@dataclass
class Product:
    """The pipeline night after night: a ranker, a market policy, and how likes reach people.

    Attributes:
        policy: A name in POLICIES.
        likes: Whether receivers are shown the likes they received.
        most_telling: Where likes are secret, the probability with which a list may tell of one.
        weighs: Whether activity and pending likes count; without them, the lists are those of version 0.1.
    """

    policy: str
    likes: Likes = "secret"
    most_telling: float = 0.5
    weighs: bool = True
    ranker: CrossFittedRanker | None = None
    trained_on: int = 0
    decoys: Decoys = NO_DECOYS
    rng: Generator = field(default_factory=lambda: np.random.default_rng(0))

    def make_lists(self, log: EventLog) -> NightLists:
        """Make the lists of the next night."""
        night = score_night(log, self._train_if_due(log), log.world.find_present(len(log.days)))
        scored, world, attention = night.scored, log.world, AttentionModel()
        keys = pd.util.hash_array(world.profiles["profile_id"].to_numpy(object))
        state = self._weigh(log, night, attention) if self.weighs else make_idle_state(world.people, len(scored.viewer))
        graph = build_weighted_graph(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys, state)
        made = make_policy_lists(graph, attention, self.policy, allowance=count_allowance(log, PLACES_PER_VOTE))
        return NightLists(*list_cards(graph, made.positions, scored), show_likes(night, self.likes), scored)

    def _train_if_due(self, log: EventLog) -> CrossFittedRanker:
        if self.ranker is None or len(log.interactions) >= MIN_GROWTH * self.trained_on:
            self.ranker = train_tonight(log, self.ranker)
            self.trained_on = len(log.interactions)
        return self.ranker

    def _weigh(self, log: EventLog, night: ScoredNight, attention: AttentionModel) -> MarketState:
        scored, people = night.scored, log.world.people
        activity, pending = estimate_activity(log), find_pending_pairs(log, scored)
        if self.likes == "told":
            return weigh_told_likes(activity, night, pending, attention)
        self.decoys = extend_decoys(self.decoys, scored, pending, activity, self.most_telling, self.rng)
        pair = scored.viewer * people + scored.candidate
        p_pending = weigh_secret_likes(pair, pending, self.decoys, people, self.most_telling)
        return MarketState(activity, p_pending, np.zeros(len(pending)))


@dataclass
class Rival:
    """Lists in the order of a score of the cards, without a market.

    `score` takes the log and the scored pairs of the night, whose probabilities are not used, and returns a score of
    each pair, (n,).
    """

    score: Callable[[EventLog, ScoredNight], FloatArray]
    ranker: CrossFittedRanker
    likes: Likes = "secret"

    def make_lists(self, log: EventLog) -> NightLists:
        """Make the lists of the next night."""
        night = score_night(log, self.ranker, log.world.find_present(len(log.days)))
        score = self.score(log, night)
        cards = order_cards(night.scored.viewer, night.scored.candidate, score)
        kept = cards.position <= LIST_LENGTH
        return NightLists(cards.take(kept), np.zeros(int(kept.sum())), show_likes(night, self.likes))


def show_likes(night: ScoredNight, likes: Likes) -> Cards:
    """Return the pending likes as their receivers see them."""
    return night.likes if likes == "told" else NO_CARDS


def score_popularity(log: EventLog, night: ScoredNight) -> Float64Array:
    """Score candidates by the likes they received."""
    return np.asarray((log.decided == LIKE).sum(axis=0)[night.scored.candidate], np.float64)


def score_random(log: EventLog, night: ScoredNight) -> Float64Array:
    """Score candidates at random, differently each night."""
    return np.random.default_rng([log.world.seed, len(log.days)]).random(len(night.scored.viewer))
