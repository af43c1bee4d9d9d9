"""The product as an arm of a simulation: the pipeline with a market policy, night after night."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.random import Generator

from models.ml.arrays import BoolArray, Float64Array
from models.ml.market import AttentionModel
from models.ml.market.attention.activity import estimate_activity
from models.ml.market.attention.attention_model import LATER_ANSWERS
from models.ml.market.attention.examination_curve import Curve
from models.ml.market.attention.examination_estimate import estimate_curve
from models.ml.market.attention.inbox_weight import (
    UNMEASURED,
    InboxWeight,
    measure_inbox_weight,
    move_inbox_weight,
)
from models.ml.market.comparison import make_policy_lists
from models.ml.market.decoy_weights import weigh_decoys
from models.ml.market.edge_weights import (
    MarketState,
    build_weighted_graph,
    make_idle_state,
    weigh_secret_likes,
    weigh_told_likes,
)
from models.ml.market.pending_likes import choose_raised
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.scoring.candidates import ScoredPairs
from models.simulation.behaviour import LIKES, LIST, NO_CARDS, Cards, NightLists
from models.simulation.event_log import EventLog
from models.simulation.nightly_lists import (
    MIN_GROWTH,
    ScoredNight,
    count_allowance,
    find_pending_pairs,
    list_cards,
    read_active_days,
    score_night,
    shift_p_match,
    train_tonight,
)
from models.simulation.offered_cards import match_offered_cards

Likes = Literal["secret", "told"]
DEFAULT_CURVE: Curve = "inv"
PLACES_PER_VOTE = 5.0
ABSENT_AFTER = 30


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
    raised: BoolArray | None = None
    inbox: InboxWeight = UNMEASURED
    rng: Generator = field(default_factory=lambda: np.random.default_rng(0))

    def make_lists(self, log: EventLog) -> NightLists:
        """Make the lists of the next night."""
        night = self.score(log)
        scored, world, attention = night.scored, log.world, self._estimate_attention(log)
        keys = pd.util.hash_array(world.profiles["profile_id"].to_numpy(object))
        state = self._weigh(log, night, attention) if self.weighs else make_idle_state(world.people, len(scored.viewer))
        graph = build_weighted_graph(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys, state)
        made = make_policy_lists(graph, attention, self.policy, allowance=count_allowance(log, PLACES_PER_VOTE))
        cards, p_match = list_cards(graph, made.positions, scored)
        if self.weighs:
            p_match = shift_p_match(log, cards, scored, attention)
        return NightLists(cards, p_match, show_likes(night, self.likes), scored)

    def score(self, log: EventLog) -> ScoredNight:
        """Score the candidates of the next night."""
        return score_night(log, self._train_if_due(log), log.world.find_present(len(log.days)))

    def _train_if_due(self, log: EventLog) -> CrossFittedRanker:
        if self.ranker is None or len(log.interactions) >= MIN_GROWTH * self.trained_on:
            self.ranker = train_tonight(log, self.ranker)
            self.trained_on = len(log.interactions)
        return self.ranker

    def _estimate_attention(self, log: EventLog) -> AttentionModel:
        """Estimate how people examined the lists and inboxes of the night before."""
        if not self.weighs:
            return AttentionModel()
        later, curve = LATER_ANSWERS if self.likes == "secret" else None, DEFAULT_CURVE
        if log.days:
            lists, seen = log.lists[-1], log.days[-1]
            curve = estimate_curve(match_offered_cards(lists.cards, seen, LIST), DEFAULT_CURVE).examination
            inbox = measure_inbox_weight(match_offered_cards(lists.likes, seen, LIKES))
            self.inbox = move_inbox_weight(self.inbox, inbox)
        return AttentionModel(curve, "inv", inbox_weight=self.inbox.weight, later_answers=later)

    def _weigh(self, log: EventLog, night: ScoredNight, attention: AttentionModel) -> MarketState:
        scored, likes = night.scored, night.likes
        activity = estimate_activity(read_active_days(log), ABSENT_AFTER).p_active
        if self.likes == "told":
            rows = scored.find_rows(likes.viewer, likes.candidate)
            return weigh_told_likes(activity, len(scored.viewer), rows, likes.position - 1, attention)
        return weigh_secret_likes(activity, self._raise(log, scored, activity), self.most_telling)

    def _raise(self, log: EventLog, scored: ScoredPairs, activity: Float64Array) -> BoolArray:
        """Raise pending likes and decoys for tonight, and remember them for the nights to come."""
        if self.raised is None:
            self.raised = np.zeros((log.world.people, log.world.people), bool)
        pair = (scored.viewer, scored.candidate)
        pending = find_pending_pairs(log, scored)
        weight = weigh_decoys(scored.p_like, scored.p_liked_back, activity[scored.candidate], pending)
        raised = choose_raised(scored.viewer, pending, self.raised[pair], weight, self.most_telling, self.rng)
        self.raised[pair] = raised
        return raised


def show_likes(night: ScoredNight, likes: Likes) -> Cards:
    """Return the pending likes as their receivers see them."""
    return night.likes if likes == "told" else NO_CARDS
