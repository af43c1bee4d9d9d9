"""The tables. Schema `app` is the contract with the app; schema `matching` belongs to this backend.

In production the tables of `app` may be views over the app's own tables, so no reader relies on their constraints.
"""

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

EMBEDDING_DIMENSIONS = 384

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _make_profile_reference(name: str, *, primary_key: bool = False) -> Column[str]:
    """Return a column that references a profile and is deleted with it."""
    cascade = ForeignKey("app.profiles.id", ondelete="CASCADE")
    return Column(name, UUID(as_uuid=False), cascade, primary_key=primary_key, nullable=False)


def _make_timestamp(name: str, *, nullable: bool = False, comment: str | None = None) -> Column[object]:
    """Return a column for a point in time with time zone, which defaults to now unless it is nullable."""
    default = None if nullable else func.now()
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default, comment=comment)


def _make_json_column(name: str, empty: str = "{}") -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text(f"'{empty}'"))


profiles = Table(
    "profiles",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()")),
    Column("source_key", Text, unique=True, comment="where the person comes from, e.g. speed-dating:123"),
    Column("display_name", Text, nullable=False),
    Column("birth_date", Date, nullable=False),
    Column("gender", Text, nullable=False),
    Column("seeks", ARRAY(Text), nullable=False, comment="the genders looked for"),
    Column("age_min", SmallInteger, comment="years; null: no limit"),
    Column("age_max", SmallInteger, comment="years; null: no limit"),
    Column("latitude", Double, comment="degrees; null: unknown"),
    Column("longitude", Double, comment="degrees; null: unknown"),
    Column("max_distance_km", REAL, comment="null: no limit"),
    _make_json_column("texts"),
    Column("interests", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    _make_json_column("traits"),
    _make_json_column("facts"),
    _make_json_column("wants"),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    _make_timestamp("created_at"),
    _make_timestamp("updated_at"),
    _make_timestamp("last_active_at", nullable=True, comment="when the user last opened the app; null: not recorded"),
    schema="app",
)

interactions = Table(
    "interactions",
    metadata,
    Column("id", UUID(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()")),
    _make_profile_reference("actor_id"),
    _make_profile_reference("target_id"),
    Column("kind", Text, CheckConstraint("kind IN ('like', 'pass')", name="kind"), nullable=False),
    _make_timestamp("created_at"),
    Column("publication_id", BigInteger, comment="the publication that showed the target; null: none did"),
    Column("position", Integer, comment="place in the list as shown, from 1"),
    Column("propensity", REAL, comment="probability that the target was shown and looked at there"),
    Column(
        "surface",
        Text,
        comment="where the target was shown: list, likes, most_compatible or similar; null: unknown",
    ),
    CheckConstraint("actor_id <> target_id", name="not_oneself"),
    Index(None, "actor_id", "target_id"),
    Index(None, "target_id"),
    schema="app",
)

# Append only. It has no rules beside the foreign keys: a row that breaks one is refused when it is read, and does not
# stop the rows that are written with it.
views = Table(
    "views",
    metadata,
    _make_profile_reference("viewer_id"),
    _make_profile_reference("candidate_id"),
    Column("publication_id", BigInteger, comment="the publication that the API named with the candidate; null: none"),
    Column("position", Integer, comment="place in the list as shown, from 1; null: none"),
    Column("surface", Text, nullable=False, comment="list, likes, most_compatible or similar"),
    _make_timestamp("shown_at"),
    Index(None, "viewer_id", "shown_at"),
    Index(None, "shown_at"),
    Index(None, "candidate_id"),  # for the foreign key, when a candidate is erased
    schema="app",
)

blocks = Table(
    "blocks",
    metadata,
    _make_profile_reference("blocker_id", primary_key=True),
    _make_profile_reference("blocked_id", primary_key=True),
    _make_timestamp("created_at"),
    Index(None, "blocked_id"),
    schema="app",
)

embeddings = Table(
    "embeddings",
    metadata,
    _make_profile_reference("profile_id", primary_key=True),
    Column("encoder", Text, nullable=False),
    Column("content_hash", Text, nullable=False, comment="of the encoder and the texts the embedding was made from"),
    Column("embedding", HALFVEC(EMBEDDING_DIMENSIONS), nullable=False),
    _make_timestamp("updated_at"),
    Column("texts_hash", BigInteger, comment="jsonb_hash_extended of the texts it was made from; null: to be compared"),
    Index(
        "ix_embeddings_embedding",
        "embedding",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "halfvec_cosine_ops"},
    ),
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
    _make_json_column("metrics"),
    _make_timestamp("created_at"),
    _make_timestamp("activated_at", nullable=True),
    # Guarantees at most one live publication, even with concurrent processes.
    Index("uq_publications_live", "state", unique=True, postgresql_where=text("state = 'live'")),
    schema="matching",
)

match_lists = Table(
    "match_lists",
    metadata,
    Column("publication_id", BigInteger, ForeignKey("matching.publications.id", ondelete="CASCADE"), primary_key=True),
    _make_profile_reference("viewer_id", primary_key=True),
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
    CheckConstraint(
        "num_nulls(most_compatible_id, most_compatible_p_match, most_compatible_reasons) IN (0, 3)",
        name="most_compatible_whole",
    ),
    # The foreign key deletes a viewer's row; the trigger `remove_erased_candidates` takes users out of others' lists.
    Index(None, "viewer_id"),
    postgresql_partition_by="LIST (publication_id)",
    schema="matching",
)
