"""Write conversations and what belongs to them into the app tables, idempotently."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection

from pipelines.loaders.conversations import conversation_upserts as sql
from pipelines.loaders.conversations.conversation_records import (
    ConversationRecord,
    ConversationSource,
    derive_message_id,
    derive_report_id,
)
from pipelines.loaders.conversations.conversation_refusals import check_conversations
from pipelines.loaders.records import Counts
from pipelines.loaders.row_copy import copy_rows

UNKNOWN_PEOPLE = "conversation with an unknown person"


def fill_conversations(connection: Connection, source: ConversationSource) -> tuple[dict[str, Counts], Counter[str]]:
    """Insert or update conversations, messages, texts, outcomes, reports and blocks, and pause who left.

    Unchanged rows are not written, and no row is deleted.

    Args:
        connection: In a transaction in which the profiles have been written.
        source: The conversations; they may be between people of earlier loads.

    Returns:
        The rows that were added, changed and unchanged, by table; and what is refused, by reason.

    Raises:
        DatabaseUnavailable: The server was lost.
    """
    accepted, refused = check_conversations(source.conversations)
    for table, columns in sql.INCOMING.items():
        connection.exec_driver_sql(f"CREATE TEMP TABLE {table} ({columns}) ON COMMIT DROP")
    for table, rows in _make_rows(accepted, source.departures):
        copy_rows(connection, table, rows)
    connection.exec_driver_sql(sql.KNOWN)
    connection.exec_driver_sql("ANALYZE known_conversations")
    counts = {table: _upsert(connection, table) for table in sql.ROWS}
    connection.exec_driver_sql(sql.PAUSE)
    unknown = len(accepted) - sum(counts["conversations"])
    return counts, refused + source.refused + Counter({UNKNOWN_PEOPLE: unknown})


def _upsert(connection: Connection, table: str) -> Counts:
    seen, added, changed = connection.exec_driver_sql(sql.build_upsert(table)).one()
    return added, changed, seen - added - changed


def _make_rows(
    conversations: Sequence[ConversationRecord], departures: Sequence[str]
) -> Iterator[tuple[str, Iterable[tuple[object, ...]]]]:
    """Yield the rows of each temporary table, in the order of its columns."""
    yield "incoming_conversations", map(_make_conversation_row, conversations)
    yield "incoming_messages", (row for each in conversations for row in _make_message_rows(each))
    yield "incoming_texts", (row for each in conversations for row in _make_text_rows(each))
    yield "incoming_outcomes", (row for each in conversations for row in _make_outcome_rows(each))
    yield "incoming_reports", (row for each in conversations for row in _make_report_rows(each))
    yield "incoming_departures", ((key,) for key in departures)


def _make_conversation_row(each: ConversationRecord) -> tuple[object, ...]:
    side = None if each.closed_by is None else each.person_keys.index(each.closed_by)
    moments = each.matched_at, each.closed_at
    return (each.conversation_id, *each.person_keys, *moments, side, each.closed_as, each.content_allowed)


def _make_message_rows(each: ConversationRecord) -> Iterator[tuple[object, ...]]:
    conversation_id = each.conversation_id
    for row in each.messages:
        side, message_id = each.person_keys.index(row.sender_key), derive_message_id(conversation_id, row.number)
        yield message_id, conversation_id, side, row.sent_at, row.kind, row.length


def _make_text_rows(each: ConversationRecord) -> Iterator[tuple[object, ...]]:
    conversation_id = each.conversation_id
    for row in each.messages:
        if row.body is not None:
            yield conversation_id, derive_message_id(conversation_id, row.number), row.body


def _make_outcome_rows(each: ConversationRecord) -> Iterator[tuple[object, ...]]:
    conversation_id = each.conversation_id
    for row in each.outcomes:
        yield conversation_id, each.person_keys.index(row.person_key), row.kind, row.answered_at


def _make_report_rows(each: ConversationRecord) -> Iterator[tuple[object, ...]]:
    conversation_id = each.conversation_id
    for index, row in enumerate(each.reports):
        message_id = None if row.message_number is None else derive_message_id(conversation_id, row.message_number)
        side = each.person_keys.index(row.reporter_key)
        yield derive_report_id(conversation_id, index), conversation_id, side, message_id, row.reason, row.created_at
