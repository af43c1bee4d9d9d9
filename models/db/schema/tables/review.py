"""The tables of schema `matching` about flags for reviewers. None holds a word that anybody wrote."""

from sqlalchemy import REAL, BigInteger, CheckConstraint, Column, Identity, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from models.db.schema.tables.columns import make_profile_reference, make_reference, make_timestamp, metadata

FLAG_KINDS = ("abuse", "advertisement", "scam", "threat", "under_age")
"""Of messages."""
REVIEW_KINDS = (*FLAG_KINDS, "report", "blocked")
REVIEW_STATES = ("waiting", "open", "upheld", "dismissed")

review_queue = Table(
    "review_queue",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    make_reference("message_id", "app.messages.id", nullable=True),
    Column("report_id", UUID(as_uuid=False), unique=True, comment="the row of app.reports; null: no report"),
    make_profile_reference("person_id"),
    make_reference("reporter_id", "app.profiles.id", nullable=True),
    Column("kind", Text, CheckConstraint(f"kind IN {REVIEW_KINDS}", name="kind"), nullable=False),
    Column("score", REAL, nullable=False, comment="0 to 1; the highest are opened first"),
    Column("rule", Text, nullable=False, comment="what flagged it: the name of a rule, or classifier"),
    make_timestamp("created_at"),
    Column(
        "state", Text, CheckConstraint(f"state IN {REVIEW_STATES}", name="state"), nullable=False, server_default="open"
    ),
    Column("decided_by", Text),
    make_timestamp("decided_at", nullable=True),
    CheckConstraint("(decided_at IS NULL) = (state IN ('waiting', 'open'))", name="decided_whole"),
    Index("uq_review_queue_message_id_kind", "message_id", "kind", unique=True),
    Index("uq_review_queue_blocked", "person_id", unique=True, postgresql_where=text("kind = 'blocked'")),
    Index(None, "person_id"),
    Index(None, "reporter_id"),
    schema="matching",
)

# Which messages of the last two days were searched for flags.
searched_messages = Table(
    "searched_messages",
    metadata,
    make_reference("message_id", "app.messages.id", primary_key=True),
    make_timestamp("searched_at"),
    schema="matching",
)

# A reviewer upheld the report of one person about another: neither sees the other, as after a block.
upheld_reports = Table(
    "upheld_reports",
    metadata,
    make_profile_reference("reporter_id", primary_key=True),
    make_profile_reference("reported_id", primary_key=True),
    make_timestamp("decided_at"),
    Index(None, "reported_id"),
    schema="matching",
)
