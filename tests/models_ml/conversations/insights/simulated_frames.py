"""The frames of facts and outcomes of simulated conversations, made here without a database."""

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array
from models.ml.conversations.frames import FACT_TYPES, conform_frame
from models.ml.conversations.outcomes import judge_outcomes
from models.simulation.after_the_like.conversations import SimulatedConversations, simulate_conversations
from models.simulation.after_the_like.exchanges import MatchedPairs
from models.simulation.after_the_like.habits import draw_habits

NOW = pd.Timestamp("2026-05-30", tz="UTC")
DAYS = 90


def simulate(people: int, matches: int, seed: int) -> SimulatedConversations:
    """Matches of men and women at random, over DAYS days."""
    generator = np.random.default_rng(seed)
    half = people // 2
    pairs = np.unique(generator.integers(0, half, (matches, 2)) + np.array([0, half]), axis=0)
    matched = MatchedPairs(pairs[:, 0], pairs[:, 1], generator.uniform(0, DAYS * 24, len(pairs)))
    return simulate_conversations(matched, draw_habits(seed, np.zeros(people)), seed, DAYS * 24.0)


def make_frames(
    simulated: SimulatedConversations, now: pd.Timestamp = NOW
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Timestamp]:
    """The facts, the outcomes, and the moment at which the simulation ends."""
    facts = make_facts(simulated, now - pd.Timedelta(days=DAYS))
    return facts, make_outcomes(facts, simulated, now), now


def make_facts(simulated: SimulatedConversations, beginning: pd.Timestamp) -> pd.DataFrame:
    """Times count from the beginning."""
    matches, sent = simulated.matches, simulated.messages
    count, closed = len(matches.a), simulated.endings.closed_at
    since = sent.sent_at - matches.matched_at[sent.conversation]
    frame = pd.DataFrame({"conversation": sent.conversation, "side": sent.side, "since": since, "at": sent.sent_at})
    by = frame.groupby("conversation")
    opener = _fill(by["side"].first(), count, -1).astype(np.int8)
    answers = frame[frame["side"].to_numpy() != opener[frame["conversation"]]]
    counts = simulated.counts
    turns = frame[frame["side"] != by["side"].shift()].groupby("conversation").size()
    opened_after = _fill(by["since"].first(), count, np.nan)
    facts = pd.DataFrame(
        {
            "conversation_id": [f"00000000-0000-4000-8000-{number:012d}" for number in range(count)],
            "person_a": [f"p{number:05d}" for number in matches.a],
            "person_b": [f"p{number:05d}" for number in matches.b],
            "matched_at": _convert(beginning, matches.matched_at),
            "publication_id": np.where(np.arange(count) % 3 > 0, np.arange(count) % 3 + 6.0, np.nan),
            "closed_at": _convert(beginning, np.where(np.isfinite(closed), closed, np.nan)),
            "opener": opener,
            "opened_after_h": opened_after,
            "answered_after_h": _fill(answers.groupby("conversation")["since"].first(), count, np.nan) - opened_after,
            "messages_a": counts[:, 0],
            "messages_b": counts[:, 1],
            "turns": _fill(turns, count, 0).astype(np.int64),
            "last_sender": _fill(by["side"].last(), count, -1).astype(np.int8),
            "last_sent_at": _convert(beginning, _fill(by["at"].last(), count, np.nan)),
            "reached_5_after_h": _reach(frame, 5, count),
            "reached_20_after_h": _reach(frame, 20, count),
            "contact": np.where(np.arange(count) % 2, simulated.milestones.contact_number > 0, -1),
        }
    )
    unknown = dict.fromkeys(("median_reply_a_h", "median_reply_b_h", "longest_gap_h"), np.nan)
    unread = dict.fromkeys(("questions_a", "questions_b", "plan"), -1)
    return conform_frame(facts.assign(closed_as=None, **unknown, **unread), FACT_TYPES)


def make_outcomes(facts: pd.DataFrame, simulated: SimulatedConversations, now: pd.Timestamp) -> pd.DataFrame:
    """As judged from the facts, where one of each pair that is asked says whether they met."""
    asked = facts[simulated.met | ~np.isnan(simulated.milestones.asked_at)]
    kind = np.where(simulated.met[asked.index], "met", "not_met")
    said = asked.assign(person_id=asked["person_a"], kind=kind)[["conversation_id", "person_id", "kind"]]
    return judge_outcomes(facts, said, now)


def _reach(frame: pd.DataFrame, each: int, count: int) -> Float64Array:
    number = frame.groupby(["conversation", "side"]).cumcount() + 1
    reached = frame[number == each].groupby("conversation")["since"].agg(["size", "max"])
    return _fill(reached["max"][reached["size"] == 2], count, np.nan)


def _fill(values: pd.Series, count: int, missing: float) -> Float64Array:
    return np.asarray(values.reindex(range(count), fill_value=missing), np.float64)


def _convert(beginning: pd.Timestamp, hours: Float64Array) -> pd.DatetimeIndex:
    return beginning + pd.to_timedelta(hours, unit="h")
