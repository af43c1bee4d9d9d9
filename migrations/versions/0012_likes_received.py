"""Pending likes of each viewer in a publication, and the function that returns them.

Revision: 0012, after 0011
"""

from pathlib import Path
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.db.schema.reader_role import ROLE

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"
COLUMNS: dict[str, tuple[sa.types.TypeEngine[Any], str, str]] = {
    "likes_ids": (
        postgresql.ARRAY(sa.UUID(as_uuid=False)),
        "'{}'",
        "senders of pending likes, the viewer's favourite first; empty while likes are secret",
    ),
    "likes_p_like": (postgresql.ARRAY(sa.REAL()), "'{}'", "probability that the viewer likes each sender"),
    "likes_p_match": (
        postgresql.ARRAY(sa.REAL()),
        "'{}'",
        "p_match of each sender, as on a list: it does not count the like itself",
    ),
    "likes_reasons": (postgresql.JSONB(), "'[]'", "one array of {code, detail} a sender"),
}

# Publications of earlier versions were made while likes were secret.
STAMP = """
UPDATE matching.publications SET metrics = metrics || '{"likes": "secret"}' WHERE state IN ('live', 'retired')
"""

ERASED_SENDERS = {
    "likes": """,
    (likes_ids, likes_p_like, likes_p_match, likes_reasons) = (
        SELECT coalesce(array_agg(kept.id ORDER BY kept.place), '{}'),
               coalesce(array_agg(kept.p_like ORDER BY kept.place), '{}'),
               coalesce(array_agg(kept.p_match ORDER BY kept.place), '{}'),
               coalesce(jsonb_agg(list.likes_reasons -> (kept.place - 1)::int ORDER BY kept.place), '[]')
        FROM unnest(list.likes_ids, list.likes_p_like, list.likes_p_match)
             WITH ORDINALITY AS kept (id, p_like, p_match, place)
        WHERE kept.id NOT IN (SELECT id FROM gone))""",
    "where_likes": """
       OR list.likes_ids && (SELECT array_agg(id) FROM gone)""",
}

# Rows (candidate_id, chance, reasons, place, source) of the statement. Likes that arrived since the publication follow
# those of it, so their places begin after the last one.
LIKES = """
    SELECT sender, ranked.p_match, ranked.reasons, ranked.place, 'like'
    FROM matching.find_likers(viewer)
    JOIN ROWS FROM (unnest(list.likes_ids), unnest(list.likes_p_match), jsonb_array_elements(list.likes_reasons))
        WITH ORDINALITY AS ranked (id, p_match, reasons, place) ON ranked.id = sender
    WHERE matching.may_tell_likes()
    UNION ALL
    SELECT sender, pair.p_match, pair.reasons, coalesce(cardinality(list.likes_ids), 0) + recency, 'like'
    FROM matching.find_likers(viewer)
    LEFT JOIN LATERAL matching.find_published_pair(viewer, sender, publication.id) AS pair ON true
    WHERE matching.may_tell_likes() AND sender = ANY (list.likes_ids) IS NOT TRUE"""

LIVE = "publication.state = 'live'"
BEGUN = """publication.id = begun AND matching.is_readable(publication)
    AND to_regclass('matching.match_lists_' || publication.id) IS NOT NULL"""


def _make_statement(publication: str, listed: str, most: str) -> str:
    statement = (SQL / "0009_statement.sql").read_text().partition("\nSELECT")[2]
    parts = {"publication": publication, "listed": listed, "most": most, "only": "true", "withheld": ""}
    return "SELECT" + _fill(statement, parts)


def _fill(text: str, parts: dict[str, str]) -> str:
    """Put the parts in place of their names in braces. Other braces are arrays and templates of SQL."""
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part)
    return text


STATEMENTS = {
    "live likes": _make_statement(LIVE, LIKES, "most"),
    "begun likes": _make_statement(BEGUN, LIKES, "most"),
    "one like": _make_statement(LIVE, f"SELECT * FROM ({LIKES}) AS likes WHERE sender = candidate", "1"),  # noqa: S608 -- of constants
}

SETTINGS = (
    "search_path = pg_catalog, pg_temp",
    "client_min_messages = error",
    "plan_cache_mode = force_generic_plan",
    "jit = off",
    "TimeZone = 'UTC'",
)
READS = (
    "matching_api.read_likes(uuid, int, jsonb, bigint[], bigint)",
    "matching_api.read_like(uuid, uuid, jsonb)",
)


def upgrade() -> None:
    for name, (kind, default, comment) in COLUMNS.items():
        column = sa.Column(name, kind, server_default=sa.text(default), nullable=False, comment=comment)
        op.add_column("match_lists", column, schema="matching")
    _run("0012_erasure.sql", ERASED_SENDERS)
    _run("0012_likes.sql", STATEMENTS)
    for function in READS:
        op.execute(f"ALTER FUNCTION {function} SECURITY DEFINER")
        for setting in SETTINGS:
            op.execute(f"ALTER FUNCTION {function} SET {setting}")
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {ROLE}")
    op.execute(STAMP)


def downgrade() -> None:
    for function in READS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP FUNCTION matching.find_published_pair")
    op.execute("DROP FUNCTION matching.find_likers")
    op.execute("DROP FUNCTION matching.may_tell_likes")
    _run("0012_erasure.sql", dict.fromkeys(ERASED_SENDERS, ""))
    # Rows that hold nothing else were no lists before.
    op.execute(
        "DELETE FROM matching.match_lists WHERE candidate_ids = '{}' AND withheld_ids = '{}' AND likes_ids <> '{}'"
    )
    for name in reversed(COLUMNS):
        op.drop_column("match_lists", name, schema="matching")
    op.execute("UPDATE matching.publications SET metrics = metrics - 'likes'")


def _run(file: str, parts: dict[str, str]) -> None:
    """Run a file as it is: in a statement of SQLAlchemy's a colon or a percent sign would mean something else."""
    driver = cast("psycopg.Connection", op.get_bind().connection.driver_connection)
    driver.execute(_fill((SQL / file).read_text(), parts).encode())
