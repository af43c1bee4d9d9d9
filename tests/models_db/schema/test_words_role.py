"""Who can read what people wrote: one role, of the conversations it needs, and no plan reveals it to others."""

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from models.db.schema import reader_role, words_role

ANALYST = "analyst_of_the_test"
BODIES = (
    "SELECT body FROM app.message_texts",
    "SELECT count(body) FROM app.message_texts",
    "EXPLAIN SELECT FROM app.message_texts WHERE body LIKE 'a%'",
    "EXPLAIN (ANALYZE, VERBOSE) SELECT body FROM app.message_texts",
    "COPY (SELECT body FROM app.message_texts) TO STDOUT",
    "SELECT FROM app.messages",
)


@pytest.fixture
def analyst(connection: Connection) -> str:
    """A role that reads all of schema matching, as an analyst does."""
    for statement in (
        f"CREATE ROLE {ANALYST}",
        f"GRANT USAGE ON SCHEMA app, matching TO {ANALYST}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA matching TO {ANALYST}",
        f"GRANT SELECT ON app.profiles, app.interactions TO {ANALYST}",
    ):
        connection.execute(text(statement))
    return ANALYST


@pytest.mark.parametrize("statement", BODIES)
def test_neither_the_reader_nor_an_analyst_reads_words(connection: Connection, analyst: str, statement: str) -> None:
    for role in (reader_role.ROLE, analyst):
        with connection.begin_nested() as savepoint:
            connection.execute(text(f"SET LOCAL ROLE {role}"))
            with pytest.raises(ProgrammingError) as refused:
                connection.execute(text(statement))
            assert isinstance(refused.value.orig, InsufficientPrivilege)
            savepoint.rollback()


def test_the_role_reads_words_and_nothing_else(connection: Connection) -> None:
    readable = """
        SELECT c.oid::regclass::text, array_agg(attname::text ORDER BY attname) FROM pg_class AS c
        JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
        WHERE relnamespace IN ('app'::regnamespace, 'matching'::regnamespace) AND relkind IN ('r', 'v', 'p')
          AND has_column_privilege(:role, c.oid, attnum, 'SELECT') GROUP BY 1
    """
    found = dict(tuple(row) for row in connection.execute(text(readable), {"role": words_role.ROLE}))
    assert found == {
        "app.conversations": ["closed_at", "content_allowed", "id", "matched_at", "person_a", "person_b"],
        "app.message_texts": ["body", "message_id"],
        "app.messages": ["conversation_id", "id", "kind", "sender_id", "sent_at"],
        "matching.searched_messages": ["message_id", "searched_at"],
    }
    (may_log_in,) = connection.execute(
        text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role"), {"role": words_role.ROLE}
    ).one()
    assert not may_log_in
