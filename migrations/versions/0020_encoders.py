"""Vectors of several encoders beside each other, each with an index of its own, read by the publication's encoder.

Revision: 0020, after 0019
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import psycopg
import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import HALFVEC

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"
INDEX, KEY = "ix_embeddings_embedding", "pk_embeddings"
NEIGHBOURS = "matching.neighbours(uuid, int, uuid[], bigint[]{})"
ANSWER_ALIKE = "matching.answer_alike(uuid, uuid, jsonb, jsonb{})"
BY_ENCODER, PUBLISHED = ", text", ", publication.encoder"
# The calls in the functions that answer the API, up to the parenthesis that closes them.
CALLS = (r"matching\.neighbours\(viewer[^()]*", r"matching\.answer_alike\([^()]*")
READERS = """
SELECT pg_get_functiondef(oid) FROM pg_proc
WHERE pronamespace IN ('matching'::regnamespace, 'matching_api'::regnamespace) AND prokind = 'f'
  AND prosrc ~ 'matching\\.(neighbours|answer_alike)\\('
"""
MAKE_INDEXES = """
SELECT format('CREATE INDEX ix_embeddings_%s ON matching.embeddings USING hnsw'
    ' ((embedding::{vector}.halfvec(384)) {vector}.halfvec_cosine_ops) WHERE encoder = %L',
    left(md5(encoder), 12), encoder)
FROM matching.embeddings GROUP BY encoder
"""
# The encoder whose vectors stay, of those with 384 dimensions: the live publication's, else that of the most.
STAYS = """
SELECT encoder FROM matching.embeddings WHERE {vector}.vector_dims(embedding) = 384
GROUP BY encoder
ORDER BY encoder = (SELECT encoder FROM matching.publications WHERE state = 'live') DESC NULLS LAST, count(*) DESC
LIMIT 1
"""
DROP_INDEXES = """
SELECT 'DROP INDEX ' || indexrelid::regclass FROM pg_index
WHERE indrelid = 'matching.embeddings'::regclass AND indpred IS NOT NULL
"""


def upgrade() -> None:
    op.drop_index(INDEX, table_name="embeddings", schema="matching")
    _set_key("profile_id", "encoder")
    op.alter_column("embeddings", "embedding", type_=HALFVEC(), schema="matching")
    for statement in op.get_bind().scalars(sa.text(MAKE_INDEXES)).all():
        _run(statement)
    _run((SQL / "0020_encoders.sql").read_text())
    _replace_calls(lambda call: call + PUBLISHED)
    _drop("")
    _restrict(BY_ENCODER)


def downgrade() -> None:
    connection, vector = op.get_bind(), _find_extension()
    for statement in connection.scalars(sa.text(DROP_INDEXES)).all():
        connection.exec_driver_sql(statement)
    stays = connection.scalar(sa.text(STAYS.format(vector=vector)))
    connection.execute(
        sa.text("DELETE FROM matching.embeddings WHERE encoder IS DISTINCT FROM :stays"), {"stays": stays}
    )
    _set_key("profile_id")
    op.alter_column("embeddings", "embedding", type_=HALFVEC(384), schema="matching")
    op.create_index(
        INDEX,
        "embeddings",
        ["embedding"],
        schema="matching",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "halfvec_cosine_ops"},
    )
    _run((SQL / "0009_neighbours.sql").read_text().partition("\n-- As in 0006")[2].partition("\n")[2] + ";")
    reasons = (SQL / "0009_reasons.sql").read_text()
    _run(reasons[reasons.index("CREATE FUNCTION matching.answer_alike") : reasons.index("-- The details of a reason")])
    _replace_calls(lambda call: call.removesuffix(PUBLISHED))
    _drop(BY_ENCODER)
    op.execute("DROP FUNCTION matching.embedding_index(text)")
    _restrict("")


def _set_key(*columns: str) -> None:
    op.drop_constraint(KEY, "embeddings", schema="matching")
    op.create_primary_key(KEY, "embeddings", list(columns), schema="matching")


def _replace_calls(change: Callable[[str], str]) -> None:
    """Define the functions that answer the API again, with changed calls."""
    connection = op.get_bind()
    for definition in connection.scalars(sa.text(READERS)).all():
        changed = definition
        for call in CALLS:
            changed = re.sub(call, lambda found: change(found[0]), changed)
        if changed != definition:
            _run(changed)


def _drop(parameter: str) -> None:
    for function in (NEIGHBOURS, ANSWER_ALIKE):
        op.execute(f"DROP FUNCTION {function.format(parameter)}")


def _restrict(parameter: str) -> None:
    """Take the right to find neighbours from everybody but the owner, as 0004 did."""
    op.execute(f"REVOKE ALL ON FUNCTION {NEIGHBOURS.format(parameter)} FROM PUBLIC")


def _find_extension() -> str:
    """Return the schema of pgvector, and load it, which makes the settings of its indexes known."""
    connection = op.get_bind()
    vector = connection.exec_driver_sql(
        "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'"
    ).scalar_one()
    connection.exec_driver_sql(f"SELECT '[1]'::{vector}.halfvec")
    return str(vector)


def _run(statement: str) -> None:
    """Run a statement as it is: in one of SQLAlchemy's a colon or a percent sign would mean something else."""
    driver = cast("psycopg.Connection", op.get_bind().connection.driver_connection)
    driver.execute(statement.replace("{vector}", _find_extension()).encode())
