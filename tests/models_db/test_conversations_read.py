"""Conversations are read from views of the app as from tables."""

from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from tests.models_db.conftest import person_id, settle

SQL = Path(__file__).parents[2] / "migrations" / "sql"
TABLES = "app.reports, app.outcomes, app.message_texts, app.messages, app.conversations"
# The app has one table of messages, and a conversation is what two people wrote.
VIEWS = """
CREATE TABLE app.post (talk uuid, author uuid, reader uuid, at timestamptz);
CREATE OR REPLACE VIEW app.conversations AS
SELECT talk AS id, least(author, reader) AS person_a, greatest(author, reader) AS person_b,
    at - interval '1 hour' AS matched_at, NULL::bigint AS publication_id, NULL::timestamptz AS closed_at,
    NULL::uuid AS closed_by, NULL::text AS closed_as, false AS content_allowed
FROM app.post;
CREATE OR REPLACE VIEW app.messages AS
SELECT talk AS id, talk AS conversation_id, author AS sender_id, at AS sent_at,
    NULL::text AS kind, NULL::integer AS length
FROM app.post;
"""
READ = text("SELECT matches FROM matching_api.read_conversations(:me, 9, '{}', '{}')")


def test_views_without_rows_are_an_empty_page_and_others_are_read(connection: Connection) -> None:
    settle(connection, range(1, 3))
    connection.exec_driver_sql(f"DROP TABLE {TABLES} CASCADE")
    connection.exec_driver_sql((SQL / "0014_empty_views.sql").read_text())
    me, him = UUID(person_id(1)), UUID(person_id(2))
    assert connection.scalar(READ, {"me": me}) == "[]"
    connection.exec_driver_sql(VIEWS)
    post = text("INSERT INTO app.post VALUES (:talk, :him, :me, now() - interval '1 minute')")
    connection.execute(post, {"talk": (talk := uuid4()), "him": him, "me": me})
    found = connection.scalar(READ, {"me": me})
    assert f'"{talk}"' in found
    assert '"turn" : "mine"' in found
    assert '"turn" : "theirs"' in connection.scalar(READ, {"me": him})
