"""The facts of conversations from who spoke when, in one query of windows over the messages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

from models.ml.conversations.frames import MESSAGE_TYPES, conform_frame
from pipelines.assets.conversations.accepted_conversations import localize
from pipelines.assets.conversations.accepted_messages import (
    MAX_MESSAGES,
    WIDTH,
    count_messages,
    count_refused,
    select_checked_messages,
    stage_conversations,
)
from pipelines.assets.extract import copy_rows

# Without these PostgreSQL sorts on disk and compiles longer than it runs. They hold until the transaction ends.
SETTINGS = ("SET LOCAL work_mem = '64MB'", "SET LOCAL jit = off")
# A message that is there twice, as from a view with a wrong join, is one message. `each` is what both have sent at
# least. A reply is the first message of a turn after the first one; its time counts from the last message before.
FACTS = """
SELECT key, count(*) AS messages, count(*) FILTER (WHERE side = 1) AS messages_b,
       count(*) FILTER (WHERE side IS DISTINCT FROM before) AS turns,
       min(side) FILTER (WHERE before IS NULL) AS opener,
       min(sent_at) AT TIME ZONE 'UTC' AS opened_at, max(sent_at) AT TIME ZONE 'UTC' AS last_sent_at,
       greatest(min(sent_at) FILTER (WHERE side = 0), min(sent_at) FILTER (WHERE side = 1))
           AT TIME ZONE 'UTC' AS both_at,
       {reply_a} AS median_reply_a_h, {reply_b} AS median_reply_b_h, {gap} AS longest_gap_h,
       min(sent_at) FILTER (WHERE each >= 5) AT TIME ZONE 'UTC' AS reached_5_at,
       min(sent_at) FILTER (WHERE each >= 20) AT TIME ZONE 'UTC' AS reached_20_at
FROM (
    SELECT key, side, sent_at, sent_at - lag(sent_at) OVER said AS gap, lag(side) OVER said AS before,
           least(sum(side) OVER said, row_number() OVER said - sum(side) OVER said) AS each
    FROM (SELECT DISTINCT ON (key, sent_at, id) * FROM ({messages}) AS checked) AS message
    WINDOW said AS (PARTITION BY key ORDER BY sent_at, id ROWS UNBOUNDED PRECEDING)
) AS spoken
GROUP BY key
"""
HOURS = "extract(epoch FROM {}) / 3600"
REPLY = "percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FILTER (WHERE side = {} AND before <> side)"
SPANS = {"reply_a": REPLY.format(0), "reply_b": REPLY.format(1), "gap": "max(gap)"}
COUNTS = ("key", "messages", "messages_b", "turns", "opener")
SPAN_COLUMNS = ("median_reply_a_h", "median_reply_b_h", "longest_gap_h")
MOMENTS = ("opened_at", "last_sent_at", "both_at", "reached_5_at", "reached_20_at")
KINDS = {
    **dict.fromkeys(COUNTS, pa.int64()),
    **dict.fromkeys(SPAN_COLUMNS, pa.float64()),
    **dict.fromkeys(MOMENTS, pa.timestamp("us")),
}


@dataclass(frozen=True)
class MessageFacts:
    """The facts of the conversations in which somebody wrote."""

    frame: pd.DataFrame
    """conversation_id and the columns of MESSAGE_TYPES."""
    accepted: int
    """Messages that count."""
    refused: Mapping[str, int]
    """The other messages, by reason."""


def read_message_facts(connection: Connection, conversations: pd.DataFrame, most: int = MAX_MESSAGES) -> MessageFacts:
    """Read the facts of accepted conversations, of at most `most` messages each."""
    for setting in SETTINGS:
        connection.execute(text(setting))
    stage_conversations(connection, conversations)
    totals = count_messages(connection, most)
    rows = localize(copy_rows(connection, select_facts(totals.busy, most), KINDS), *MOMENTS)
    number, refusal = rows["key"] // WIDTH, rows["key"] % WIDTH
    sums = rows["messages"].groupby(refusal).sum()
    counts: dict[int, int] = dict(zip(sums.index.tolist(), sums.tolist(), strict=True))
    in_busy = int(rows.loc[number.isin([*totals.busy]), "messages"].sum())
    counted = rows[refusal == 0].set_index(number[refusal == 0])
    facts = _compute_facts(conversations.join(counted, how="inner"))
    return MessageFacts(facts, counts.get(0, 0), count_refused(totals, counts, in_busy))


def select_facts(busy: Iterable[int], most: int) -> str:
    """Return the query of the facts: a row for each conversation and refusal. For the arguments see `CHECKED`."""
    spans = {name: HOURS.format(span) for name, span in SPANS.items()}
    return FACTS.format(messages=select_checked_messages(busy, most), **spans)


def _compute_facts(rows: pd.DataFrame) -> pd.DataFrame:
    """Compute the facts from conversations and their rows of FACTS."""

    def measure(until: str, since: str) -> pd.Series:
        hours: pd.Series = (rows[until] - rows[since]).dt.total_seconds() / 3600
        return hours

    return conform_frame(
        rows.assign(
            messages_a=rows["messages"] - rows["messages_b"],
            opened_after_h=measure("opened_at", "matched_at"),
            answered_after_h=measure("both_at", "opened_at").where(rows["turns"] > 1),
            last_sender=(rows["opener"] + rows["turns"] - 1) % 2,  # turns alternate
            reached_5_after_h=measure("reached_5_at", "matched_at"),
            reached_20_after_h=measure("reached_20_at", "matched_at"),
        ),
        {"conversation_id": "str", **MESSAGE_TYPES},
    )
