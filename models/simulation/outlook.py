"""What the matches of simulated nights lead to, and what is known of it beforehand: past conversations and a head.

People of day 0 come with PAST_PER_PERSON past conversations each, with partners that the first ranker would have shown
them. The habits of people are those of the nights to come; the rapport of the past pairs is drawn apart.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.conversations.head.outcome_gate import judge_head
from models.ml.conversations.head.outcome_head import OutcomeHead, Past, fit_head, rate_people
from models.ml.conversations.head.outcome_inputs import (
    ANSWERED,
    GOES_ON,
    OUTCOMES,
    MatchSample,
    count_recent_matches,
)
from models.ml.conversations.head.past_rates import collect_outcomes
from models.ml.market.outcomes.match_worth import compute_free_attention, compute_match_worth, multiply_by_attention
from models.ml.scoring.candidates import ScoredPairs
from models.simulation.after_the_like.conversations import SimulatedConversations, simulate_conversations
from models.simulation.after_the_like.exchanges import MatchedPairs
from models.simulation.after_the_like.habits import ConversationHabits, draw_habits
from models.simulation.event_log import LIKE, EventLog
from models.simulation.world import World

Objective = Literal["matches", "lasting", "meetings"]
PAST_DAYS, PAST_PER_PERSON = 120, 16
MATURE_DAYS, FOLLOWED_DAYS = 14, 30
"""Days after which an outcome is known, and for which the matches of the last day are followed."""
DAY = 24.0
"""In hours."""


@dataclass(frozen=True)
class Outlook:
    """People's habits, what is known of their past conversations, and the head that learned from it.

    Attributes:
        habits: The true habits of n people.
        past: What is known of people's past conversations.
        matches: The past matches.
        affinity: Their true affinity, (k,).
        head: The fitted head; None if the gate refuses it.
        refusal: Why it is refused; empty if it is not.
        seed: Seed of what follows a match.
        strain: What each unit of load takes off the log odds of a conversation: see `compute_strain`.
    """

    habits: ConversationHabits
    past: Past
    matches: MatchSample
    affinity: Float64Array
    head: OutcomeHead | None
    refusal: str
    seed: int
    strain: float = 0.0

    @cached_property
    def _rates(self) -> Float64Array:
        """The shrunk rates of all people on day 0, (n, outcomes); nothing that begins later is known within 14 days."""
        everybody = np.arange(len(self.habits.ghost), dtype=np.int64)
        assert self.head is not None  # noqa: S101 - the callers have checked it
        return rate_people(self.head.priors, self.past, everybody, np.zeros(1, np.int64))

    def predict(self, viewer: Int64Array, candidate: Int64Array) -> Float64Array | None:
        """Predict the probability that the conversations of n pairs go on, (n,); None without a head."""
        if self.head is None:
            return None
        return self.head.predict(self._rates[viewer] + self._rates[candidate], np.empty((len(viewer), 0)))

    def weigh(self, log: EventLog, scored: ScoredPairs, weight: float, discount: float) -> Float32Array | None:
        """Weigh the matches of scored pairs by their outlook and by open conversations, (n,); None: all alike."""
        worth = None
        if weight and (p_on := self.predict(scored.viewer, scored.candidate)) is not None:
            worth = compute_match_worth(p_on, weight)
        if discount:
            free = compute_free_attention(self.count_open(log), discount)
            worth = multiply_by_attention(worth, free, scored.viewer, scored.candidate)
        return worth

    def follow(self, log: EventLog, until: float) -> SimulatedConversations:
        """Simulate what follows the matches of all days so far, until an hour after the beginning of day 0."""
        matches = find_matches(log)
        strain = compute_strain(matches, self.strain) if self.strain else None
        return simulate_conversations(matches, self.habits, self.seed, until, strain)

    def count_open(self, log: EventLog) -> Int64Array:
        """Count the open conversations of each person on the morning of the next day, int64 (n,)."""
        now = len(log.days) * DAY
        followed = self.follow(log, now)
        last = followed.matches.matched_at.copy()
        np.maximum.at(last, followed.messages.conversation, followed.messages.sent_at)
        is_open = (followed.endings.closed_at > now) & (last > now - MATURE_DAYS * DAY)
        return _count_by_person(followed.matches, is_open, log.world.people)

    def count_outcomes(self, log: EventLog) -> dict[str, Int64Array]:
        """Count lasting conversations and meetings of each person, from the matches of all days, int64 (n,) each."""
        followed = self.follow(log, (len(log.days) + FOLLOWED_DAYS) * DAY)
        return {
            name: _count_by_person(followed.matches, rows, log.world.people)
            for name, rows in (("lasting", followed.lasting), ("meetings", followed.met))
        }


def open_outlook(world: World, scored: ScoredPairs, strain: float = 0.0) -> Outlook:
    """Draw the past of a world, and fit a head to it.

    Args:
        world: The people.
        scored: The scored pairs of the first night, from which past partners are drawn.
        strain: See `compute_strain`.
    """
    habits = draw_habits(world.seed, np.zeros(world.people))
    lived = simulate_conversations(draw_past_matches(world, scored), habits, world.seed + 1, 0.0)
    # Those who left with somebody are in this world nevertheless; what they would have matched later did not happen.
    rows = np.flatnonzero(lived.happened)
    person = np.column_stack([lived.matches.a, lived.matches.b])[rows]
    moment = _to_seconds(lived.matches.matched_at[rows])
    known_at = moment + _to_seconds(MATURE_DAYS * DAY)
    outcomes = {GOES_ON: lived.lasting[rows], ANSWERED: (lived.counts[rows] > 0).all(axis=1)}
    sides, twice = person.T.ravel(), np.tile(known_at, 2)
    past = {
        name: collect_outcomes(sides, twice, np.tile(each, 2).astype(np.float64)) for name, each in outcomes.items()
    }
    matches = MatchSample(
        person, moment, known_at, np.asarray(outcomes[GOES_ON], np.float64), np.empty((len(moment), 0))
    )
    checks, _ = judge_head(past, matches)
    refusal = "; ".join(check.sentence for check in checks if not check.passed)
    head = None if refusal else fit_head(past, matches, 0, OUTCOMES)
    return Outlook(habits, past, matches, lived.affinity[rows], head, refusal, world.seed, strain)


def draw_past_matches(world: World, scored: ScoredPairs) -> MatchedPairs:
    """Draw past matches among scored pairs of day 0 by p_match, in order of time; all are mature on day 0."""
    rng = np.random.default_rng(world.seed)
    one_way = np.flatnonzero(scored.viewer < scored.candidate)
    count = min(PAST_PER_PERSON * int((world.joins == 0).sum()) // 2, len(one_way))
    # The largest of log(u) / p are a sample without replacement by p (Efraimidis & Spirakis 2006).
    keys = np.log(rng.random(len(one_way))) / np.maximum(scored.p_match[one_way].astype(np.float64), 1e-9)
    rows = one_way[np.argsort(-keys, kind="stable")[:count]]
    matched_at = np.sort(rng.uniform(-PAST_DAYS * DAY, -(MATURE_DAYS + 1) * DAY, count))
    return MatchedPairs(scored.viewer[rows], scored.candidate[rows], matched_at)


def find_matches(log: EventLog) -> MatchedPairs:
    """Find the matches of the days so far, in order of time: two likes, of which the later one came on such a day."""
    like = log.interactions[log.interactions["kind"] == "like"]
    actor, target = log.world.find_numbers(like["actor_id"]), log.world.find_numbers(like["target_id"])
    hours = (pd.DatetimeIndex(like["created_at"]) - pd.Timestamp(log.world.starts_at)).total_seconds().to_numpy() / 3600
    pair = np.minimum(actor, target) * log.world.people + np.maximum(actor, target)
    likes = pd.DataFrame({"pair": pair, "actor": actor, "hours": hours}).drop_duplicates(["pair", "actor"], keep="last")
    both = likes.groupby("pair")["hours"].agg(["size", "max"])
    both = both[(both["size"] == 2) & (both["max"] >= 0)].sort_values("max")
    a, b = np.divmod(both.index.to_numpy(np.int64), log.world.people)
    matched = (log.decided[a, b] == LIKE) & (log.decided[b, a] == LIKE)
    return MatchedPairs(a[matched], b[matched], both["max"].to_numpy(np.float64)[matched])


def compute_strain(matches: MatchedPairs, strain: float) -> Float64Array:
    """Compute what load takes off the log odds of each conversation, (k,).

    It is `strain` for each unit of log(1 + recent matches), of both people. That load does so is an assumption: the
    data on which simulated conversations rest do not say it.
    """
    person, moment = np.column_stack([matches.a, matches.b]), _to_seconds(matches.matched_at)
    recent = count_recent_matches(person, moment, moment + _to_seconds(MATURE_DAYS * DAY), person, moment)
    return np.asarray(strain * np.log1p(recent).sum(axis=1))


def _count_by_person(matches: MatchedPairs, rows: BoolArray, people: int) -> Int64Array:
    return np.bincount(np.concatenate([matches.a[rows], matches.b[rows]]), minlength=people)


def _to_seconds(hours: Float64Array | float) -> Int64Array:
    return np.asarray(np.rint(np.multiply(hours, 3600)), np.int64)
