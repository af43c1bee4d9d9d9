"""The tables of schemas `app` and `matching`.

Revision: 0001, the first
"""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.execute("CREATE SCHEMA IF NOT EXISTS app")
    # Schema matching comes and goes with the version table (models/db/version_table.py).
    op.create_table(
        "profiles",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=True, comment="where the person comes from, e.g. speed-dating:123"),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("gender", sa.Text(), nullable=False),
        sa.Column("seeks", postgresql.ARRAY(sa.Text()), nullable=False, comment="the genders looked for"),
        sa.Column("age_min", sa.SmallInteger(), nullable=True, comment="years; null: no limit"),
        sa.Column("age_max", sa.SmallInteger(), nullable=True, comment="years; null: no limit"),
        sa.Column("latitude", sa.Double(), nullable=True, comment="degrees; null: unknown"),
        sa.Column("longitude", sa.Double(), nullable=True, comment="degrees; null: unknown"),
        sa.Column("max_distance_km", sa.REAL(), nullable=True, comment="null: no limit"),
        sa.Column("texts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("interests", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("traits", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("wants", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("source_key", name=op.f("uq_profiles_source_key")),
        schema="app",
    )
    op.create_table(
        "publications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'building'"), nullable=False),
        sa.Column("ranker_version", sa.Text(), nullable=False),
        sa.Column("encoder", sa.Text(), nullable=False),
        sa.Column("viewer_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("pair_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('building', 'live', 'retired', 'failed')", name=op.f("ck_publications_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publications")),
        schema="matching",
    )
    op.create_index(
        "uq_publications_live",
        "publications",
        ["state"],
        unique=True,
        schema="matching",
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "blocks",
        sa.Column("blocker_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("blocked_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["blocked_id"], ["app.profiles.id"], name=op.f("fk_blocks_blocked_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["blocker_id"], ["app.profiles.id"], name=op.f("fk_blocks_blocker_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("blocker_id", "blocked_id", name=op.f("pk_blocks")),
        schema="app",
    )
    op.create_index(op.f("ix_blocks_blocked_id"), "blocks", ["blocked_id"], unique=False, schema="app")
    op.create_table(
        "interactions",
        sa.Column("id", sa.UUID(as_uuid=False), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("actor_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("target_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "publication_id",
            sa.BigInteger(),
            nullable=True,
            comment="the publication that showed the target; null: none did",
        ),
        sa.Column("position", sa.Integer(), nullable=True, comment="place in the list as shown, from 1"),
        sa.Column(
            "propensity", sa.REAL(), nullable=True, comment="probability that the target was shown and looked at there"
        ),
        sa.CheckConstraint("kind IN ('like', 'pass')", name=op.f("ck_interactions_kind")),
        sa.CheckConstraint("actor_id <> target_id", name=op.f("ck_interactions_not_oneself")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["app.profiles.id"], name=op.f("fk_interactions_actor_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["app.profiles.id"], name=op.f("fk_interactions_target_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interactions")),
        schema="app",
    )
    op.create_index(
        op.f("ix_interactions_actor_id_target_id"),
        "interactions",
        ["actor_id", "target_id"],
        unique=False,
        schema="app",
    )
    op.create_index(op.f("ix_interactions_target_id"), "interactions", ["target_id"], unique=False, schema="app")
    op.create_table(
        "embeddings",
        sa.Column("profile_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("encoder", sa.Text(), nullable=False),
        sa.Column(
            "content_hash",
            sa.Text(),
            nullable=False,
            comment="of the encoder and the texts the embedding was made from",
        ),
        sa.Column("embedding", HALFVEC(384), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["app.profiles.id"], name=op.f("fk_embeddings_profile_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_embeddings")),
        schema="matching",
    )
    op.create_index(
        "ix_embeddings_embedding",
        "embeddings",
        ["embedding"],
        unique=False,
        schema="matching",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "halfvec_cosine_ops"},
    )
    op.create_table(
        "match_lists",
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("viewer_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("candidate_ids", postgresql.ARRAY(sa.UUID(as_uuid=False)), nullable=False, comment="best first"),
        sa.Column("p_like", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("p_liked_back", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("p_match", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column(
            "reasons",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="one array of {code, detail} a candidate",
        ),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["matching.publications.id"],
            name=op.f("fk_match_lists_publication_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["viewer_id"], ["app.profiles.id"], name=op.f("fk_match_lists_viewer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("publication_id", "viewer_id", name=op.f("pk_match_lists")),
        schema="matching",
        postgresql_partition_by="LIST (publication_id)",
    )
    op.create_index(op.f("ix_match_lists_viewer_id"), "match_lists", ["viewer_id"], unique=False, schema="matching")


def downgrade() -> None:
    op.drop_index(op.f("ix_match_lists_viewer_id"), table_name="match_lists", schema="matching")
    op.drop_table("match_lists", schema="matching")
    op.drop_index(
        "ix_embeddings_embedding",
        table_name="embeddings",
        schema="matching",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "halfvec_cosine_ops"},
    )
    op.drop_table("embeddings", schema="matching")
    op.drop_index(op.f("ix_interactions_target_id"), table_name="interactions", schema="app")
    op.drop_index(op.f("ix_interactions_actor_id_target_id"), table_name="interactions", schema="app")
    op.drop_table("interactions", schema="app")
    op.drop_index(op.f("ix_blocks_blocked_id"), table_name="blocks", schema="app")
    op.drop_table("blocks", schema="app")
    op.drop_index(
        "uq_publications_live", table_name="publications", schema="matching", postgresql_where=sa.text("state = 'live'")
    )
    op.drop_table("publications", schema="matching")
    op.drop_table("profiles", schema="app")
    op.execute("DROP SCHEMA app")
    # The extension stays: others may use it.
