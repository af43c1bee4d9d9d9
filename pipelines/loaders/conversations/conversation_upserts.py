"""The SQL that writes conversations: temporary tables, and an upsert for each table of the app.

An upsert writes only rows that differ and returns how many rows it received, added and changed. Sides are 0 and 1: the
first and the second person of the incoming conversation, whichever id is smaller.
"""

INCOMING = {
    "incoming_conversations": """id uuid, first_key text, second_key text, matched_at timestamptz,
        closed_at timestamptz, closed_side smallint, closed_as text, content_allowed boolean""",
    "incoming_messages": "id uuid, conversation_id uuid, side smallint, sent_at timestamptz, kind text, length int",
    "incoming_texts": "conversation_id uuid, message_id uuid, body text",
    "incoming_outcomes": "conversation_id uuid, side smallint, kind text, answered_at timestamptz",
    "incoming_reports": """id uuid, conversation_id uuid, side smallint, message_id uuid, reason text,
        created_at timestamptz""",
    "incoming_departures": "source_key text",
}

KNOWN = """
CREATE TEMP TABLE known_conversations ON COMMIT DROP AS
SELECT incoming.*, ARRAY[one.id, other.id] AS people
FROM incoming_conversations AS incoming
JOIN app.profiles AS one ON one.source_key = first_key
JOIN app.profiles AS other ON other.source_key = second_key
"""

ROWS = {
    "conversations": """
SELECT id, LEAST(people[1], people[2]) AS person_a, GREATEST(people[1], people[2]) AS person_b,
       matched_at, closed_at, people[closed_side + 1] AS closed_by, closed_as, content_allowed
FROM known_conversations
""",
    "messages": """
SELECT incoming.id, conversation_id, people[side + 1] AS sender_id, sent_at, kind, length
FROM incoming_messages AS incoming JOIN known_conversations AS known ON known.id = conversation_id
""",
    "message_texts": """
SELECT message_id, body FROM incoming_texts JOIN known_conversations AS known ON known.id = conversation_id
""",
    "outcomes": """
SELECT conversation_id, people[side + 1] AS person_id, kind, answered_at
FROM incoming_outcomes JOIN known_conversations AS known ON known.id = conversation_id
""",
    "reports": """
SELECT incoming.id, people[side + 1] AS reporter_id, people[2 - side] AS reported_id, message_id, reason, created_at
FROM incoming_reports AS incoming JOIN known_conversations AS known ON known.id = conversation_id
""",
    "blocks": """
SELECT people[closed_side + 1] AS blocker_id, people[2 - closed_side] AS blocked_id, min(closed_at) AS created_at
FROM known_conversations WHERE closed_as = 'blocked' AND closed_side IS NOT NULL
GROUP BY 1, 2
""",
}
"""The rows of each table of `app`, of conversations between people who exist; the tables that others refer to first."""

COLUMNS = {
    "conversations": (
        ("id",),
        ("person_a", "person_b", "matched_at", "closed_at", "closed_by", "closed_as", "content_allowed"),
    ),
    "messages": (("id",), ("conversation_id", "sender_id", "sent_at", "kind", "length")),
    "message_texts": (("message_id",), ("body",)),
    "outcomes": (("conversation_id", "person_id", "kind"), ("answered_at",)),
    "reports": (("id",), ("reporter_id", "reported_id", "message_id", "reason", "created_at")),
    "blocks": (("blocker_id", "blocked_id"), ("created_at",)),
}
"""The key of each table, and its other columns."""

PAUSE = """
UPDATE app.profiles SET paused = true, updated_at = now()
WHERE NOT paused AND source_key IN (SELECT source_key FROM incoming_departures)
"""


def build_upsert(table: str) -> str:
    """Build the statement that writes the rows of a table."""
    key, others = (list(names) for names in COLUMNS[table])
    named, kept, excluded = (", ".join(f"{prefix}{name}" for name in others) for prefix in ("", "kept.", "excluded."))
    return f"""
WITH incoming AS MATERIALIZED ({ROWS[table]}),
written AS (
    INSERT INTO app.{table} AS kept ({", ".join([*key, *others])})
    SELECT {", ".join([*key, *others])} FROM incoming ORDER BY {", ".join(key)}
    ON CONFLICT ({", ".join(key)}) DO UPDATE SET ({named}) = ROW ({excluded})
    WHERE ({kept}) IS DISTINCT FROM ({excluded})
    RETURNING xmax = 0 AS added)
SELECT (SELECT count(*) FROM incoming), count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added) FROM written
"""  # noqa: S608 - names from the constants above
