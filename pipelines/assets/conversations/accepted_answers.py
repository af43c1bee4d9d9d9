"""The contract of `app.outcomes`: which answers to "did you meet?" count, and why the others are refused."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection

from models.db.schema.tables.conversations import OUTCOME_KINDS
from pipelines.assets.extract import copy_rows

# The first reason that holds is given. The subquery is evaluated once, not for each row.
RULES = {
    "conversation.id IS NULL": "conversation_id is not among the conversations",
    "person_id IS NULL OR person_id NOT IN (person_a, person_b)": "person_id is nobody of the conversation",
    f"outcome.kind IS NULL OR outcome.kind NOT IN {OUTCOME_KINDS}": "kind must be met, meet_again, not_met or together",
    "answered_at IS NULL": "answered_at is missing",
    "answered_at < matched_at": "answered_at is before matched_at",
    "answered_at > (SELECT now() + interval '1 minute')": "answered_at is in the future",
}
CHECKED = """
SELECT conversation_id, person_id, CASE WHEN reason IS NULL THEN outcome.kind END AS kind, reason
FROM app.outcomes AS outcome
LEFT JOIN app.conversations AS conversation ON conversation.id = conversation_id
CROSS JOIN LATERAL (SELECT CASE {reasons} END AS reason) AS verdict
"""
KINDS = dict.fromkeys(("conversation_id", "person_id", "kind", "reason"), pa.string())


@dataclass(frozen=True)
class CheckedAnswers:
    """The answers that keep the contract, and the number of others by reason."""

    accepted: pd.DataFrame
    """Columns conversation_id, person_id and kind, each combination once."""
    refused: Mapping[str, int]


def read_answers(connection: Connection) -> CheckedAnswers:
    """Read and check all answers. An answer that is there twice is one answer."""
    reasons = " ".join(f"WHEN {rule} THEN '{reason}'" for rule, reason in RULES.items())
    found = copy_rows(connection, CHECKED.format(reasons=reasons), KINDS)
    accepted = found.loc[found["reason"].isna(), ["conversation_id", "person_id", "kind"]].drop_duplicates()
    counts = found["reason"].dropna().value_counts()
    return CheckedAnswers(accepted, {str(reason): int(count) for reason, count in counts.items()})
