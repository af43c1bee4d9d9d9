"""Entries of `matching.review_queue`: from flags, reports and blocks; which are open; and when they are removed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from models.ml.conversations.flags.flag_messages import Flag

BLOCKS_TO_REVIEW = 3
"""Different people who blocked one user within 30 days."""
ADD_FLAGS = """
INSERT INTO matching.review_queue (message_id, person_id, kind, score, rule, state)
SELECT message.id, sender_id, flag.kind, flag.score, flag.rule, 'waiting'
FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:scores AS real[]), CAST(:rules AS text[]))
    AS flag (message_id, kind, score, rule)
JOIN app.messages AS message ON message.id = flag.message_id
JOIN app.profiles AS person ON person.id = sender_id
ON CONFLICT (message_id, kind) DO NOTHING
"""
# A reported message is named only if the reported person sent it to the reporter: else a report would open any body.
ADD_REPORTS = """
INSERT INTO matching.review_queue (report_id, message_id, person_id, reporter_id, kind, score, rule)
SELECT report.id, message.id, reported_id, reporter_id, 'report', 1, 'report'
FROM app.reports AS report
JOIN app.profiles AS reporter ON reporter.id = reporter_id
JOIN app.profiles AS reported ON reported.id = reported_id
LEFT JOIN LATERAL (
    SELECT message.id FROM app.messages AS message JOIN app.conversations AS conversation
        ON conversation.id = conversation_id AND reporter_id IN (person_a, person_b)
    WHERE message.id = report.message_id AND sender_id = reported_id
      AND NOT EXISTS (SELECT FROM matching.review_queue WHERE message_id = message.id AND kind = 'report')
    LIMIT 1
) AS message ON true
WHERE report.created_at > now() - interval '30 days' AND reporter_id <> reported_id
  AND NOT EXISTS (SELECT FROM matching.review_queue WHERE report_id = report.id)
ON CONFLICT DO NOTHING
"""
ADD_BLOCKED = """
INSERT INTO matching.review_queue (person_id, kind, score, rule)
SELECT blocked_id, 'blocked', least(1, count(DISTINCT blocker_id) / 10.0), 'blocks'
FROM app.blocks JOIN app.profiles AS person ON person.id = blocked_id
WHERE blocks.created_at > now() - interval '30 days'
GROUP BY blocked_id HAVING count(DISTINCT blocker_id) >= :blocks
ON CONFLICT DO NOTHING
"""
# Reports and blocks are always open: the budget is for what a program found.
OPEN = """
UPDATE matching.review_queue SET state = 'open' WHERE state = 'waiting' AND id IN (
    SELECT id FROM matching.review_queue WHERE state = 'waiting' ORDER BY score DESC, id
    LIMIT greatest(0, :budget - (
        SELECT count(*) FROM matching.review_queue WHERE state = 'open' AND kind NOT IN ('report', 'blocked')))
)
"""
REMOVE = """
DELETE FROM matching.review_queue
WHERE decided_at < now() - interval '30 days' OR state = 'waiting' AND created_at < now() - interval '30 days'
"""
HAS_NEWS = """
SELECT EXISTS (
    SELECT FROM app.blocks JOIN app.profiles AS person ON person.id = blocked_id
    WHERE blocks.created_at > now() - interval '30 days'
      AND NOT EXISTS (SELECT FROM matching.review_queue WHERE kind = 'blocked' AND person_id = blocked_id)
    GROUP BY blocked_id HAVING count(DISTINCT blocker_id) >= :blocks
) OR EXISTS (
    SELECT FROM app.reports AS report
    JOIN app.profiles AS reporter ON reporter.id = reporter_id
    JOIN app.profiles AS reported ON reported.id = reported_id
    WHERE report.created_at > now() - interval '30 days' AND reporter_id <> reported_id
      AND NOT EXISTS (SELECT FROM matching.review_queue WHERE report_id = report.id)
) OR EXISTS (SELECT FROM matching.review_queue WHERE decided_at < now() - interval '30 days')
  OR EXISTS (SELECT FROM matching.review_queue WHERE state = 'waiting') AND :budget > (
    SELECT count(*) FROM matching.review_queue WHERE state = 'open' AND kind NOT IN ('report', 'blocked'))
"""


@dataclass(frozen=True)
class QueueChanges:
    """Numbers of entries that were added and removed."""

    flags: int
    reports: int
    blocked: int
    removed: int


def update_queue(connection: Connection, ids: Sequence[str], flags: Sequence[Flag], budget: int) -> QueueChanges:
    """Add what was flagged, reported and often blocked, open the strongest flags, and remove what was kept long enough.

    Args:
        connection: A connection in a transaction.
        ids: The messages that were searched.
        flags: Their flags; `index` is a place in `ids`.
        budget: Flags that may be open at a time.
    """
    values = {
        "ids": [ids[each.index] for each in flags],
        "kinds": [each.kind for each in flags],
        "scores": [each.score for each in flags],
        "rules": [each.rule for each in flags],
    }
    removed = connection.execute(text(REMOVE)).rowcount
    added = connection.execute(text(ADD_FLAGS), values).rowcount
    reports = connection.execute(text(ADD_REPORTS)).rowcount
    blocked = connection.execute(text(ADD_BLOCKED), {"blocks": BLOCKS_TO_REVIEW}).rowcount
    connection.execute(text(OPEN), {"budget": budget})
    return QueueChanges(added, reports, blocked, removed)


def has_queue_news(connection: Connection, budget: int) -> bool:
    """Return whether a report is not in the queue yet, an entry is to be removed, or a waiting one can be opened."""
    return bool(connection.scalar(text(HAS_NEWS), {"budget": budget, "blocks": BLOCKS_TO_REVIEW}))
