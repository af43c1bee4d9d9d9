"""The tables of schema `matching`, which belongs to this backend."""

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from models.db.schema.tables.columns import (
    make_json_column,
    make_profile_reference,
    make_reference,
    make_timestamp,
    metadata,
)

embeddings = Table(
    "embeddings",
    metadata,
    make_profile_reference("profile_id", primary_key=True),
    Column("encoder", Text, primary_key=True),
    Column("content_hash", Text, nullable=False, comment="of the encoder and the texts the embedding was made from"),
    Column("embedding", HALFVEC(), nullable=False),
    make_timestamp("updated_at"),
    Column("texts_hash", BigInteger, comment="jsonb_hash_extended of the texts it was made from; null: to be compared"),
    # Each encoder's vectors have an index of their own, see models.db.rows.embedding_index.
    schema="matching",
)

publications = Table(
    "publications",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('building', 'live', 'retired', 'failed')", name="state"),
        nullable=False,
        server_default=text("'building'"),
    ),
    Column("ranker_version", Text, nullable=False),
    Column("encoder", Text, nullable=False),
    Column("viewer_count", Integer, nullable=False, server_default=text("0")),
    Column("pair_count", BigInteger, nullable=False, server_default=text("0")),
    make_json_column("metrics"),
    make_timestamp("created_at"),
    make_timestamp("activated_at", nullable=True),
    # Guarantees at most one live publication, even with concurrent processes.
    Index("uq_publications_live", "state", unique=True, postgresql_where=text("state = 'live'")),
    schema="matching",
)

match_lists = Table(
    "match_lists",
    metadata,
    Column("publication_id", BigInteger, ForeignKey("matching.publications.id", ondelete="CASCADE"), primary_key=True),
    make_profile_reference("viewer_id", primary_key=True),
    Column("candidate_ids", ARRAY(UUID(as_uuid=False)), nullable=False, comment="best first"),
    Column("p_like", ARRAY(REAL), nullable=False),
    Column("p_liked_back", ARRAY(REAL), nullable=False),
    Column("p_match", ARRAY(REAL), nullable=False),
    Column("reasons", JSONB, nullable=False, comment="one array of {code, detail} a candidate"),
    Column("most_compatible_id", UUID(as_uuid=False), comment="the viewer's most compatible candidate; null: none"),
    Column("most_compatible_p_match", REAL),
    Column("most_compatible_reasons", JSONB, comment="an array of {code, detail}"),
    Column(
        "withheld_ids",
        ARRAY(UUID(as_uuid=False)),
        nullable=False,
        server_default=text("'{}'"),
        comment="people not shown to the viewer while this publication is live: who passed on them before it",
    ),
    Column(
        "likes_ids",
        ARRAY(UUID(as_uuid=False)),
        nullable=False,
        server_default=text("'{}'"),
        comment="senders of pending likes, the viewer's favourite first; empty while likes are secret",
    ),
    Column(
        "likes_p_like",
        ARRAY(REAL),
        nullable=False,
        server_default=text("'{}'"),
        comment="probability that the viewer likes each sender",
    ),
    Column(
        "likes_p_match",
        ARRAY(REAL),
        nullable=False,
        server_default=text("'{}'"),
        comment="p_match of each sender, as on a list: it does not count the like itself",
    ),
    Column(
        "likes_reasons",
        JSONB,
        nullable=False,
        server_default=text("'[]'"),
        comment="one array of {code, detail} a sender",
    ),
    Column(
        "propensities",
        ARRAY(REAL),
        nullable=False,
        server_default=text("'{}'"),
        comment="probability that the candidate of each position stands there; empty: nothing was random",
    ),
    CheckConstraint(
        "num_nulls(most_compatible_id, most_compatible_p_match, most_compatible_reasons) IN (0, 3)",
        name="most_compatible_whole",
    ),
    # The foreign key deletes a viewer's row; the trigger `remove_erased_candidates` takes users out of others' lists.
    Index(None, "viewer_id"),
    postgresql_partition_by="LIST (publication_id)",
    schema="matching",
)

# Numbers only: nothing that anybody wrote. -1 in `questions_a`, `questions_b`, `plan` and `contact`: words not read.
conversation_facts = Table(
    "conversation_facts",
    metadata,
    make_reference("conversation_id", "app.conversations.id", primary_key=True),
    Column("person_a", UUID(as_uuid=False), nullable=False),
    Column("person_b", UUID(as_uuid=False), nullable=False),
    Column("matched_at", DateTime(timezone=True), nullable=False),
    Column("publication_id", BigInteger, comment="the publication that led to the match; null: none"),
    make_timestamp("closed_at", nullable=True),
    Column("closed_as", Text, comment="unmatched, blocked, reported or expired; null: open"),
    Column("opener", SmallInteger, nullable=False, comment="0: person_a wrote first, 1: person_b; -1: nobody wrote"),
    Column("opened_after_h", Double, comment="hours from the match to the first message"),
    Column("answered_after_h", Double, comment="hours from the first message to the first one of the other person"),
    Column("messages_a", BigInteger, nullable=False),
    Column("messages_b", BigInteger, nullable=False),
    Column("turns", BigInteger, nullable=False, comment="runs of messages by one person"),
    Column("median_reply_a_h", Double, comment="hours, of the turns in which person_a answers"),
    Column("median_reply_b_h", Double, comment="hours, of the turns in which person_b answers"),
    Column("longest_gap_h", Double, comment="hours between two messages"),
    Column("last_sender", SmallInteger, nullable=False, comment="0: person_a, 1: person_b; -1: nobody wrote"),
    make_timestamp("last_sent_at", nullable=True),
    Column("reached_5_after_h", Double, comment="hours from the match until both had sent 5 messages"),
    Column("reached_20_after_h", Double, comment="hours from the match until both had sent 20 messages"),
    Column("questions_a", BigInteger, nullable=False),
    Column("questions_b", BigInteger, nullable=False),
    Column("plan", SmallInteger, nullable=False, comment="1: a plan to meet was made, 0: none"),
    Column("contact", SmallInteger, nullable=False, comment="1: a way to reach somebody was given, 0: none"),
    Index(None, "person_a"),
    Index(None, "person_b"),
    schema="matching",
)
