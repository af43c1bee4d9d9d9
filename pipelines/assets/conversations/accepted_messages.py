"""The contract of `app.messages`: which messages count, and why the others are refused.

Messages are read of accepted conversations only. Those are in the temporary table that `stage_conversations` makes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection, text

from models.db.schema.tables.conversations import MESSAGE_KINDS

MAX_MESSAGES = 10_000
"""The most messages of a conversation that count, its first ones: more than people write, and few enough for a bot."""
UNKNOWN, TWICE = "conversation_id is not among the conversations", "id occurs twice"
TOO_MANY = f"more than {MAX_MESSAGES:,} messages of the conversation"
# The first reason that holds is given. The subquery is evaluated once, not for each row.
RULES = {
    "sender_id IS NULL OR sender_id NOT IN (person_a, person_b)": "sender_id is nobody of the conversation",
    "sent_at IS NULL": "sent_at is missing",
    "sent_at < matched_at": "sent_at is before matched_at",
    "sent_at > closed_at": "sent_at is after closed_at",
    "sent_at > (SELECT now() + interval '1 minute')": "sent_at is in the future",
    f"kind IS NULL OR kind NOT IN {MESSAGE_KINDS}": "kind must be text, photo, voice or call",
}
REASONS = dict(enumerate(RULES.values(), start=1))
"""The reason by its number, the refusal, which is 0 for a message that counts."""

STAGE = """
CREATE TEMPORARY TABLE accepted (
    number int, id uuid PRIMARY KEY, person_a uuid, person_b uuid, matched_at timestamptz, closed_at timestamptz
) ON COMMIT DROP
"""
FILL = """
INSERT INTO accepted SELECT ordinality - 1, id, a, b, matched_at, closed_at FROM unnest(
    CAST(:conversation_id AS uuid[]), CAST(:person_a AS uuid[]), CAST(:person_b AS uuid[]),
    CAST(:matched_at AS timestamptz[]), CAST(:closed_at AS timestamptz[])
) WITH ORDINALITY AS staged (id, a, b, matched_at, closed_at, ordinality)
"""
# One row for all conversations that are refused or too old, one for those that do not exist, one for those whose
# messages all count if they keep the contract, and one for each that has too many.
TOTALS = """
SELECT CASE WHEN kind = 'busy' THEN number END, kind, sum(messages)::bigint
FROM (
    SELECT number, messages, CASE
        WHEN accepted.id IS NOT NULL THEN CASE WHEN messages > :most THEN 'busy' ELSE 'whole' END
        WHEN EXISTS (SELECT FROM app.conversations WHERE id = total.id) THEN 'left out'
        ELSE 'unknown' END AS kind
    FROM (SELECT conversation_id AS id, count(*) AS messages FROM app.messages GROUP BY 1) AS total
    LEFT JOIN accepted USING (id)
) AS judged
GROUP BY 1, 2
"""
# One small number in place of conversation and refusal: it is what the windows sort by. A time that is refused may be
# infinite, or before our calendar.
CHECKED = """
    SELECT {width} * number + {refusal} AS key, message.id, (sender_id = person_b)::int AS side,
           CASE WHEN sent_at BETWEEN matched_at AND (SELECT now() + interval '1 minute') THEN sent_at END AS sent_at
    FROM accepted JOIN app.messages AS message ON conversation_id = accepted.id
    WHERE number <> ALL ({busy})
    UNION ALL
    SELECT {width} * number, kept.id, (sender_id = person_b)::int, sent_at
    FROM accepted CROSS JOIN LATERAL (
        SELECT id, sender_id, sent_at FROM app.messages
        WHERE conversation_id = accepted.id AND sent_at >= matched_at AND {refusal} = 0
        ORDER BY sent_at, id LIMIT {most}
    ) AS kept
    WHERE number = ANY ({busy})
"""
WIDTH = len(RULES) + 1


@dataclass(frozen=True)
class MessageTotals:
    """How many messages there are."""

    busy: Mapping[int, int]
    """The messages of each accepted conversation with too many, by its number."""
    whole: int
    """Those of all other accepted conversations."""
    unknown: int
    """Those of no conversation at all."""


def stage_conversations(connection: Connection, conversations: pd.DataFrame) -> None:
    """Copy the accepted conversations to the temporary table `accepted`, which lasts until the transaction ends.

    The number of a conversation is its place in the frame, from 0.
    """
    connection.execute(text(STAGE))
    ids = {name: conversations[name].tolist() for name in ("conversation_id", "person_a", "person_b")}
    moments = {name: _list_moments(conversations[name]) for name in ("matched_at", "closed_at")}
    connection.execute(text(FILL), ids | moments)
    connection.execute(text("ANALYZE accepted"))


def _list_moments(moments: pd.Series) -> list[str | None]:
    words = moments.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    listed: list[str | None] = words.astype(object).where(moments.notna(), None).tolist()
    return listed


def count_messages(connection: Connection, most: int) -> MessageTotals:
    """Count the messages of all conversations, of which the accepted ones are staged and may have `most` each."""
    rows = [tuple(row) for row in connection.execute(text(TOTALS), {"most": most})]
    counts = {kind: messages for _, kind, messages in rows}
    busy = {number: messages for number, kind, messages in rows if kind == "busy"}
    return MessageTotals(busy, counts.get("whole", 0), counts.get("unknown", 0))


def select_checked_messages(busy: Iterable[int], most: int) -> str:
    """Return a query of the messages of the staged conversations.

    Its columns are key (the number of the conversation times WIDTH, plus the refusal), id, side (0: person_a sent it,
    1: person_b) and sent_at. Of the conversations with these `busy` numbers only the first `most` messages that
    keep the contract are read.
    """
    reasons = " ".join(f"WHEN {rule} THEN {number}" for number, rule in enumerate(RULES, start=1))
    numbers = f"'{{{','.join(map(str, busy))}}}'::int[]"
    return CHECKED.format(width=WIDTH, refusal=f"(CASE {reasons} ELSE 0 END)", busy=numbers, most=most)


def count_refused(totals: MessageTotals, counts: Mapping[int, int], in_busy: int) -> dict[str, int]:
    """Count the refused messages by reason.

    Args:
        totals: All messages.
        counts: Messages that the query of `select_checked_messages` returned, each once, by refusal.
        in_busy: Those of them in busy conversations.
    """
    repeats = totals.whole - (sum(counts.values()) - in_busy)
    refused = {REASONS[number]: count for number, count in counts.items() if number}
    refused |= {UNKNOWN: totals.unknown, TWICE: repeats, TOO_MANY: sum(totals.busy.values()) - in_busy}
    return {reason: count for reason, count in refused.items() if count > 0}
