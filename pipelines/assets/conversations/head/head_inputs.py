"""What the outcome head is trained on and predicts from, read from the store and the database."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.conversations.head.outcome_head import OutcomeHead, Past, rate_people
from models.ml.conversations.head.outcome_inputs import (
    OUTCOMES,
    RECENT,
    build_context,
    collect_past,
    count_recent_matches,
    number_people,
    to_nanoseconds,
)
from models.ml.conversations.head.profile_log_odds import compute_profile_log_odds
from models.ml.profiles.id_lookup import find_positions
from models.ml.scoring.scoring_context import ScoringContext
from pipelines.resources import ShardStore
from pipelines.store.frame_store import convert_from_table, read_table

FRAME = "conversation_outcomes"
PAIRS_PER_BATCH = 262_144
OPT_OUTS = "SELECT person_id::text FROM app.rate_opt_outs"
# As of the facts of the last extraction, whose conversations without a message are as old as the match.
OPEN = """
SELECT person::text, count(*) FROM matching.conversation_facts, unnest(ARRAY[person_a, person_b]) AS person
WHERE closed_at IS NULL AND coalesce(last_sent_at, matched_at) > now() - make_interval(days => :days)
GROUP BY person
"""


@dataclass(frozen=True)
class PastConversations:
    """The conversations of n users by position, as far as they are known.

    Attributes:
        outcomes: The frame `conversation_outcomes`.
        person: Positions of both people of each, int64 (k, 2), -1 for users without an accepted profile.
        past: Their outcomes, without those of users who have opted out.
    """

    outcomes: pd.DataFrame
    person: Int64Array
    past: Past

    def count_recent(self, people: int, now: int) -> Float64Array:
        """Count the recent matches of each user at a moment in nanoseconds, float64 (people,)."""
        begun, over = (to_nanoseconds(self.outcomes[name]) for name in ("matched_at", "matured_at"))
        everybody = np.arange(people, dtype=np.int64)[:, None]
        return count_recent_matches(self.person, begun, over, everybody, np.full(people, now))[:, 0]


def read_past_conversations(store: ShardStore, connection: Connection, ids: pd.Index) -> PastConversations:
    """Read the past conversations of users; none where the frame does not exist."""
    try:
        outcomes = convert_from_table(read_table(store.get_frame_path(FRAME)))
    except FileNotFoundError:
        outcomes = make_no_outcomes()
    person = number_people(outcomes, ids)
    return PastConversations(outcomes, person, collect_past(outcomes, person, read_opt_outs(connection, ids)))


def make_no_outcomes() -> pd.DataFrame:
    """Make the frame of no conversations, with the columns that the head reads."""
    moment = pd.DatetimeIndex([], tz="UTC")
    columns = {"person_a": [], "person_b": [], "matched_at": moment, "matured_at": moment, "mature": np.empty(0, bool)}
    return pd.DataFrame({**columns, **{name: np.empty(0) for name in OUTCOMES}})


def read_opt_outs(connection: Connection, ids: pd.Index) -> BoolArray:
    """Read which users have opted out of rates of their conversations, bool (n,)."""
    silent, rows = np.zeros(len(ids), bool), find_positions(connection.scalars(text(OPT_OUTS)).all(), ids)
    silent[rows[rows >= 0]] = True
    return silent


def read_open_conversations(connection: Connection, ids: pd.Index) -> Int64Array:
    """Read the number of open conversations of each user, int64 (n,): not closed, and not silent for RECENT."""
    found = connection.execute(text(OPEN), {"days": int(RECENT.astype("timedelta64[D]").astype(int))}).all()
    counts, rows = np.zeros(len(ids), np.int64), find_positions([person for person, _ in found], ids)
    counts[rows[rows >= 0]] = np.array([count for _, count in found], np.int64)[rows >= 0]
    return counts


def predict_pairs(
    head: OutcomeHead, known: PastConversations, users: ScoringContext, viewer: Int64Array, candidate: Int64Array
) -> Float32Array:
    """Predict the probability that the conversation of each of n pairs would go on, as of now, float32 (n,)."""
    people, now = len(users.profiles), pd.Timestamp.now("UTC").value
    rates = rate_people(head.priors, known.past, np.arange(people, dtype=np.int64), np.full(1, now, np.int64))
    recent, found = known.count_recent(people, now), np.empty(len(viewer), np.float32)
    for start in range(0, len(viewer), PAIRS_PER_BATCH):
        rows = slice(start, start + PAIRS_PER_BATCH)
        person = np.column_stack([viewer[rows], candidate[rows]])
        log_odds = compute_profile_log_odds(users.ranker, users.profiles, person)
        context = build_context(log_odds, recent[person])
        found[rows] = head.predict(rates[person[:, 0]] + rates[person[:, 1]], context)
    return found
