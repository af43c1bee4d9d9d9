"""The frames of facts and outcomes of simulated conversations, made here without a database."""

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array
from models.simulation.after_the_like.conversations import SimulatedConversations, simulate_conversations
from models.simulation.after_the_like.exchanges import MatchedPairs
from models.simulation.after_the_like.habits import draw_habits

BEGINNING = pd.Timestamp("2026-03-01", tz="UTC")
MATURE_HOURS, DAYS = 14 * 24.0, 90


def simulate(people: int, matches: int, seed: int) -> SimulatedConversations:
    """Matches of men and women at random, over DAYS days."""
    generator = np.random.default_rng(seed)
    pairs = np.unique(
        np.stack(
            [
                generator.integers(0, people // 2, (2, matches))[0],
                people // 2 + generator.integers(0, people // 2, matches),
            ],
            axis=1,
        ),
        axis=0,
    )
    matched = MatchedPairs(pairs[:, 0], pairs[:, 1], generator.uniform(0, DAYS * 24, len(pairs)))
    return simulate_conversations(matched, draw_habits(seed, np.zeros(people)), seed, DAYS * 24.0)


def make_frames(simulated: SimulatedConversations) -> tuple[pd.DataFrame, pd.DataFrame, pd.Timestamp]:
    """The facts, the outcomes, and the moment at which the simulation ends."""
    facts = make_facts(simulated)
    now = BEGINNING + pd.Timedelta(hours=DAYS * 24)
    return facts, make_outcomes(facts, simulated, now), now


def make_facts(simulated: SimulatedConversations) -> pd.DataFrame:
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
    return pd.DataFrame(
        {
            "conversation_id": [f"c{number}" for number in range(count)],
            "person_a": [f"p{number:05d}" for number in matches.a],
            "person_b": [f"p{number:05d}" for number in matches.b],
            "matched_at": _convert(matches.matched_at),
            "publication_id": np.where(np.arange(count) % 3 > 0, np.arange(count) % 3 + 6.0, np.nan),
            "closed_at": _convert(np.where(np.isfinite(closed), closed, np.nan)),
            "opener": opener,
            "opened_after_h": opened_after,
            "answered_after_h": _fill(answers.groupby("conversation")["since"].first(), count, np.nan) - opened_after,
            "messages_a": counts[:, 0],
            "messages_b": counts[:, 1],
            "turns": _fill(turns, count, 0).astype(np.int64),
            "last_sender": _fill(by["side"].last(), count, -1).astype(np.int8),
            "last_sent_at": _convert(_fill(by["at"].last(), count, np.nan)),
            "reached_5_after_h": _reach(frame, 5, count),
            "reached_20_after_h": _reach(frame, 20, count),
        }
    )


def make_outcomes(facts: pd.DataFrame, simulated: SimulatedConversations, now: pd.Timestamp) -> pd.DataFrame:
    mature = (facts["matched_at"] + pd.Timedelta(hours=MATURE_HOURS)).where(
        facts["closed_at"].isna(), facts["closed_at"]
    )
    known = (mature <= now).to_numpy()
    asked = ~np.isnan(simulated.milestones.asked_at)

    def within(name: str, hours: float) -> Float64Array:
        return np.where(known, (facts[name] <= hours).astype(float), np.nan)

    return facts[["conversation_id", "person_a", "person_b", "matched_at", "opener"]].assign(
        mature=known,
        answered_24h=within("answered_after_h", 24),
        answered_7d=within("answered_after_h", 168),
        reached_5=within("reached_5_after_h", MATURE_HOURS),
        reached_20=within("reached_20_after_h", MATURE_HOURS),
        contact=np.nan,
        met=np.where(known & asked, simulated.met.astype(float), np.nan),
    )


def _reach(frame: pd.DataFrame, each: int, count: int) -> Float64Array:
    number = frame.groupby(["conversation", "side"]).cumcount() + 1
    reached = frame[number == each].groupby("conversation")["since"].agg(["size", "max"])
    return _fill(reached["max"][reached["size"] == 2], count, np.nan)


def _fill(values: "pd.Series[float]", count: int, missing: float) -> Float64Array:
    return values.reindex(range(count), fill_value=missing).to_numpy(np.float64)


def _convert(hours: Float64Array) -> pd.DatetimeIndex:
    return BEGINNING + pd.to_timedelta(hours, unit="h")
