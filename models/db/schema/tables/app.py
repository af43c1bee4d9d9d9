"""The tables of schema `app` about people: profiles, decisions, blocks and impressions."""

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from models.db.schema.tables.columns import (
    make_id,
    make_json_column,
    make_profile_reference,
    make_timestamp,
    metadata,
)

profiles = Table(
    "profiles",
    metadata,
    make_id(),
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
    make_json_column("texts"),
    Column("interests", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    make_json_column("traits"),
    make_json_column("facts"),
    make_json_column("wants"),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    make_timestamp("created_at"),
    make_timestamp("updated_at"),
    make_timestamp("last_active_at", nullable=True, comment="when the user last opened the app; null: not recorded"),
    schema="app",
)

interactions = Table(
    "interactions",
    metadata,
    make_id(),
    make_profile_reference("actor_id"),
    make_profile_reference("target_id"),
    Column("kind", Text, CheckConstraint("kind IN ('like', 'pass')", name="kind"), nullable=False),
    make_timestamp("created_at"),
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
    make_profile_reference("viewer_id"),
    make_profile_reference("candidate_id"),
    Column("publication_id", BigInteger, comment="the publication that the API named with the candidate; null: none"),
    Column("position", Integer, comment="place in the list as shown, from 1; null: none"),
    Column("surface", Text, nullable=False, comment="list, likes, most_compatible or similar"),
    make_timestamp("shown_at"),
    Index(None, "viewer_id", "shown_at"),
    Index(None, "shown_at"),
    Index(None, "candidate_id"),  # for the foreign key, when a candidate is erased
    schema="app",
)

blocks = Table(
    "blocks",
    metadata,
    make_profile_reference("blocker_id", primary_key=True),
    make_profile_reference("blocked_id", primary_key=True),
    make_timestamp("created_at"),
    Index(None, "blocked_id"),
    schema="app",
)
