"""Writing conversations into the app tables of a real database."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from pipelines.loaders.app_tables import derive_profile_id, fill_app_tables
from pipelines.loaders.conversations.conversation_records import (
    ConversationRecord,
    ConversationSource,
    MessageRecord,
    OutcomeRecord,
    ReportRecord,
)
from pipelines.loaders.conversations.conversation_tables import UNKNOWN_PEOPLE
from pipelines.loaders.records import LoadReport, Person

MATCHED = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = [Person(key, key, date(1990, 1, 1), "woman", ("man",)) for key in "abc"]
TALKED = ConversationRecord(
    "talked",
    ("b", "a"),
    MATCHED,
    content_allowed=True,
    messages=[
        MessageRecord(1, "b", MATCHED + DAY, length=2, body="hi"),
        MessageRecord(2, "a", MATCHED + 2 * DAY, "voice", 9),
    ],
    outcomes=[OutcomeRecord("a", "met", MATCHED + 9 * DAY)],
)
BLOCKED = ConversationRecord(
    "blocked",
    ("a", "c"),
    MATCHED,
    MATCHED + 3 * DAY,
    "c",
    "blocked",
    messages=[MessageRecord(1, "a", MATCHED + DAY, length=5)],
    reports=[ReportRecord("c", "insult", MATCHED + 3 * DAY, 1)],
)
STRANGE = ConversationRecord("strange", ("a", "z"), MATCHED, messages=[MessageRecord(1, "z", MATCHED + DAY)])


@pytest.fixture
def engine(database_url: str) -> Engine:
    return create_engine(database_url, poolclass=NullPool)


def load(engine: Engine, *conversations: ConversationRecord, departures: tuple[str, ...] = ()) -> LoadReport:
    return fill_app_tables(engine, PEOPLE, (), conversations=ConversationSource(conversations, departures))


def test_rows_are_written_once_and_changed_only_where_they_differ(engine: Engine) -> None:
    first = load(engine, TALKED, BLOCKED, STRANGE)
    expected = {"conversations": 2, "messages": 3, "message_texts": 1, "outcomes": 1, "reports": 1, "blocks": 1}
    assert first.conversations == {table: (count, 0, 0) for table, count in expected.items()}
    assert first.refused == Counter({UNKNOWN_PEOPLE: 1})
    again = load(engine, TALKED, BLOCKED, STRANGE)
    assert again.conversations == {table: (0, 0, count) for table, count in expected.items()}
    longer = replace(TALKED.messages[0], body="hello", length=5)
    changed = load(engine, replace(TALKED, messages=[longer, *TALKED.messages[1:]]), BLOCKED)
    assert changed.conversations["messages"] == (0, 1, 2)
    assert changed.conversations["message_texts"] == (0, 1, 0)
    assert changed.conversations["conversations"] == (0, 0, 2)


def test_rows_name_the_right_people(engine: Engine) -> None:
    load(engine, TALKED, BLOCKED, departures=("b",))
    a, b, c = (derive_profile_id(key) for key in "abc")
    queries = {
        "SELECT person_a::text, person_b::text, closed_by::text FROM app.conversations ORDER BY closed_at DESC": [
            (*sorted((a, b)), None),
            (*sorted((a, c)), c),
        ],
        "SELECT sender_id::text, kind, length, body FROM app.messages LEFT JOIN app.message_texts ON id = message_id "
        "ORDER BY length": [(b, "text", 2, "hi"), (a, "text", 5, None), (a, "voice", 9, None)],
        "SELECT person_id::text, kind FROM app.outcomes": [(a, "met")],
        "SELECT reporter_id::text, reported_id::text, reason, sender_id::text FROM app.reports "
        "JOIN app.messages AS message ON message.id = message_id": [(c, a, "insult", a)],
        "SELECT blocker_id::text, blocked_id::text FROM app.blocks": [(c, a)],
        "SELECT source_key FROM app.profiles WHERE paused": [("b",)],
    }
    with engine.connect() as connection:
        for query, rows in queries.items():
            assert [tuple(row) for row in connection.execute(text(query))] == rows, query


def test_a_load_without_conversations_reports_none(engine: Engine) -> None:
    assert fill_app_tables(engine, PEOPLE, ()).conversations == {}
