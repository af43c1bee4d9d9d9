"""The tables of schema `app` about what follows a match: conversations, messages, outcomes and reports.

All are optional. `messages` has no text. What somebody wrote is in `message_texts` alone, for conversations in which
both agreed, and one role reads it: `models/db/schema/words_role.py`.
"""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from models.db.schema.tables.columns import make_id, make_profile_reference, make_reference, make_timestamp, metadata

CLOSED_AS = ("unmatched", "blocked", "reported", "expired")
MESSAGE_KINDS = ("text", "photo", "voice", "call")
OUTCOME_KINDS = ("met", "meet_again", "not_met", "together")

conversations = Table(
    "conversations",
    metadata,
    make_id(),
    make_profile_reference("person_a"),
    make_profile_reference("person_b"),
    make_timestamp("matched_at"),
    Column("publication_id", BigInteger, comment="the publication that led to the match; null: none"),
    make_timestamp("closed_at", nullable=True, comment="null: open"),
    Column("closed_by", UUID(as_uuid=False), comment="who closed it; null: open, or nobody did"),
    Column("closed_as", Text, CheckConstraint(f"closed_as IN {CLOSED_AS}", name="closed_as")),
    Column(
        "content_allowed",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="both people agreed that their words are counted",
    ),
    CheckConstraint("person_a < person_b", name="in_order"),
    Index(None, "person_a"),
    Index(None, "person_b"),
    schema="app",
)

# Append only. It has no rules beside the foreign key: a row that breaks one is refused when it is read, and does not
# stop the rows that are written with it.
messages = Table(
    "messages",
    metadata,
    make_id(),
    make_reference("conversation_id", "app.conversations.id"),
    Column("sender_id", UUID(as_uuid=False), nullable=False),
    make_timestamp("sent_at"),
    Column("kind", Text, nullable=False, server_default=text("'text'"), comment="text, photo, voice or call"),
    Column("length", Integer, comment="characters of a text, seconds of a voice message or a call; null: unknown"),
    Index(None, "conversation_id", "sent_at"),
    # Without an order, so that who wrote last is found by conversation and not along the time.
    Index(None, "sent_at", postgresql_using="brin"),
    Index(None, "conversation_id", "sender_id", "sent_at"),  # when each of the two last wrote, however much
    schema="app",
)

message_texts = Table(
    "message_texts",
    metadata,
    make_reference("message_id", "app.messages.id", primary_key=True),
    Column("body", Text, nullable=False),
    schema="app",
)

outcomes = Table(
    "outcomes",
    metadata,
    make_reference("conversation_id", "app.conversations.id", primary_key=True),
    make_profile_reference("person_id", primary_key=True),
    Column("kind", Text, CheckConstraint(f"kind IN {OUTCOME_KINDS}", name="kind"), primary_key=True),
    make_timestamp("answered_at"),
    Index(None, "person_id"),
    schema="app",
)

reports = Table(
    "reports",
    metadata,
    make_id(),
    make_profile_reference("reporter_id"),
    make_profile_reference("reported_id"),
    Column("message_id", UUID(as_uuid=False), comment="the message that was reported; null: the person"),
    Column("reason", Text, nullable=False),
    make_timestamp("created_at"),
    Index(None, "reporter_id"),
    Index(None, "reported_id"),
    schema="app",
)

# Rates of their conversations are a judgement on people, so anybody may ask that theirs are not used.
rate_opt_outs = Table(
    "rate_opt_outs",
    metadata,
    make_profile_reference("person_id", primary_key=True),
    make_timestamp("created_at"),
    schema="app",
)
