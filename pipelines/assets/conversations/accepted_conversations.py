"""The contract of `app.conversations`: which conversations count, and why the others are refused.

The SQL is here and not in a view of the database for the reason that `pipelines.assets.impressions.accepted_views` has.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection

from models.db.schema.tables.conversations import CLOSED_AS
from models.ml.conversations.frames import CONVERSATION_TYPES, conform_frame
from pipelines.assets.extract import copy_rows
from pipelines.assets.impressions.accepted_views import NEWEST_PUBLICATION

RETENTION_DAYS = 180
"""A conversation whose match is older is not read, and its facts are deleted."""
ID_TWICE, PAIR_TWICE = "id occurs twice", "the pair has an earlier conversation"
# The first reason that holds is given. The subqueries are evaluated once, not for each row.
RULES = {
    "conversation.id IS NULL": "id is missing",
    "person_a = person_b": "person_a and person_b are the same person",
    "a.id IS NULL": "person_a is not among the profiles",
    "b.id IS NULL": "person_b is not among the profiles",
    "person_a > person_b": "person_a must be less than person_b",
    "matched_at IS NULL": "matched_at is missing",
    "matched_at > (SELECT now() + interval '1 minute')": "matched_at is in the future",
    f"publication_id NOT BETWEEN 1 AND {NEWEST_PUBLICATION}": "publication_id is of no publication",
    "closed_at > (SELECT now() + interval '1 minute')": "closed_at is in the future",
    "closed_at < matched_at": "closed_at is before matched_at",
    "closed_at IS NULL AND closed_as IS NOT NULL": "closed_as is set and closed_at is missing",
    f"closed_as NOT IN {CLOSED_AS}": "closed_as must be unmatched, blocked, reported or expired",
    "closed_by NOT IN (person_a, person_b)": "closed_by is nobody of the conversation",
}
# The stamps are in UTC, without a zone. Those of refused rows may be infinite.
CHECKED = """
SELECT conversation.id AS conversation_id, person_a, person_b, publication_id, reason,
       CASE WHEN reason IS NULL THEN matched_at AT TIME ZONE 'UTC' END AS matched_at,
       CASE WHEN reason IS NULL THEN closed_at AT TIME ZONE 'UTC' END AS closed_at,
       CASE WHEN reason IS NULL THEN closed_as END AS closed_as,
       coalesce(content_allowed, false)::int AS content_allowed
FROM app.conversations AS conversation
LEFT JOIN (SELECT DISTINCT id FROM app.profiles) AS a ON a.id = person_a
LEFT JOIN (SELECT DISTINCT id FROM app.profiles) AS b ON b.id = person_b
CROSS JOIN LATERAL (SELECT CASE {reasons} END AS reason) AS verdict
WHERE matched_at IS NULL OR matched_at >= now() - interval '{days} days'
ORDER BY conversation.matched_at, conversation.id
"""
KINDS = {
    **dict.fromkeys(("conversation_id", "person_a", "person_b", "closed_as", "reason"), pa.string()),
    **dict.fromkeys(("matched_at", "closed_at"), pa.timestamp("us")),
    "publication_id": pa.float64(),
    "content_allowed": pa.int8(),
}


@dataclass(frozen=True)
class CheckedConversations:
    """The conversations of the last RETENTION_DAYS days that keep the contract, and the number of others by reason."""

    accepted: pd.DataFrame
    """Columns and types of CONVERSATION_TYPES, in order of match."""
    refused: Mapping[str, int]


def read_conversations(connection: Connection) -> CheckedConversations:
    """Read the conversations and check them. Of several conversations of a pair, the first one counts."""
    reasons = " ".join(f"WHEN {rule} THEN '{reason}'" for rule, reason in RULES.items())
    query = CHECKED.format(reasons=reasons, days=RETENTION_DAYS)
    found = localize(copy_rows(connection, query, KINDS), "matched_at", "closed_at")
    found = _refuse_repeats(found, ["conversation_id"], ID_TWICE)
    found = _refuse_repeats(found, ["person_a", "person_b"], PAIR_TWICE)
    refused = found["reason"].dropna().value_counts()
    accepted = conform_frame(found[found["reason"].isna()], CONVERSATION_TYPES)
    return CheckedConversations(accepted, {str(reason): int(count) for reason, count in refused.items()})


def localize(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Return a frame of `copy_rows` with the zone UTC in these columns."""
    return frame.assign(**{name: frame[name].dt.tz_localize("UTC") for name in names})


def _refuse_repeats(found: pd.DataFrame, columns: list[str], reason: str) -> pd.DataFrame:
    """Give this reason to accepted rows that equal an earlier accepted one in these columns."""
    repeats = found[found["reason"].isna()].duplicated(columns)
    found.loc[repeats.index[repeats], "reason"] = reason
    return found
