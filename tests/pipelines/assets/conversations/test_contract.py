"""What of conversations, messages and answers counts, and why the rest does not."""

from typing import Any

import pytest
from sqlalchemy import Connection, text

from pipelines.assets.conversations import accepted_answers, accepted_conversations, accepted_messages
from pipelines.assets.conversations.accepted_answers import read_answers
from pipelines.assets.conversations.accepted_conversations import read_conversations
from pipelines.assets.conversations.message_facts import MessageFacts, read_message_facts
from tests.models_db.conftest import person_id, settle
from tests.pipelines.assets.conversations.rows import (
    answer,
    at,
    begin,
    conversation_id,
    message_id,
    remove_constraints,
    send,
)


@pytest.fixture
def town(connection: Connection) -> Connection:
    """Six people, one publication, and tables without constraints."""
    settle(connection, range(1, 7))
    connection.execute(
        text(
            "INSERT INTO matching.publications (id, ranker_version, encoder) OVERRIDING SYSTEM VALUE"
            " VALUES (1, '1', 'letters')"
        )
    )
    remove_constraints(connection)
    return connection


BAD_CONVERSATIONS = [
    ({"id": None}, "id is missing"),
    ({"person_b": person_id(99)}, "person_b is not among the profiles"),
    ({"person_a": None}, "person_a is not among the profiles"),
    ({"person_b": person_id(3)}, "person_a and person_b are the same person"),
    ({"person_a": person_id(4), "person_b": person_id(3)}, "person_a must be less than person_b"),
    ({"matched_at": None}, "matched_at is missing"),
    ({"matched_at": "now() + interval '61 seconds'"}, "matched_at is in the future"),
    ({"matched_at": "'infinity'"}, "matched_at is in the future"),
    ({"publication_id": 2}, "publication_id is of no publication"),
    ({"closed_at": "now() + interval '61 seconds'"}, "closed_at is in the future"),
    ({"closed_at": at(-1)}, "closed_at is before matched_at"),
    ({"closed_as": "expired"}, "closed_as is set and closed_at is missing"),
    ({"closed_at": at(1), "closed_as": "un\nmatched"}, "closed_as must be unmatched, blocked, reported or expired"),
    ({"closed_at": at(1), "closed_by": person_id(1)}, "closed_by is nobody of the conversation"),
    ({"id": conversation_id(1)}, "id occurs twice"),
    ({"person_a": person_id(1), "person_b": person_id(2)}, "the pair has an earlier conversation"),
]


@pytest.mark.parametrize(("cells", "reason"), BAD_CONVERSATIONS)
def test_a_bad_conversation_is_refused(town: Connection, cells: dict[str, object], reason: str) -> None:
    begin(town, 1, matched_at=at(-1), publication_id=1, closed_at=at(9), closed_by=person_id(1), closed_as="blocked")
    begin(town, 2, 3, 4, **cells)
    begin(town, 3, 5, 6, content_allowed=None)
    found = read_conversations(town)
    assert found.refused == {reason: 1}
    assert found.accepted["conversation_id"].tolist() == [conversation_id(1), conversation_id(3)]
    assert found.accepted["content_allowed"].tolist() == [False, False]


def test_each_reason_is_tried() -> None:
    tried = {reason for _, reason in (*BAD_CONVERSATIONS, *BAD_MESSAGES, *BAD_ANSWERS)}
    contracts = (accepted_conversations.RULES, accepted_messages.RULES, accepted_answers.RULES)
    assert {reason for rules in contracts for reason in rules.values()} <= tried


def test_old_conversations_are_not_read(town: Connection) -> None:
    for number, days in ((1, 179), (2, 181)):
        begin(town, number, 2 * number, 5 + number, matched_at=f"now() - interval '{days} days'")
    found = read_conversations(town)
    assert found.accepted["conversation_id"].tolist() == [conversation_id(1)]
    assert found.refused == {}


BAD_MESSAGES = [
    ({"sender_id": person_id(3)}, "sender_id is nobody of the conversation"),
    ({"sender_id": None}, "sender_id is nobody of the conversation"),
    ({"sent_at": None}, "sent_at is missing"),
    ({"sent_at": at(-0.01)}, "sent_at is before matched_at"),
    ({"sent_at": "'-infinity'"}, "sent_at is before matched_at"),
    ({"sent_at": at(101)}, "sent_at is after closed_at"),
    (
        {"conversation_id": conversation_id(2), "sender_id": person_id(3), "sent_at": "'infinity'"},
        "sent_at is in the future",
    ),
    ({"kind": "letter"}, "kind must be text, photo, voice or call"),
    ({"kind": None}, "kind must be text, photo, voice or call"),
    ({"id": message_id(1)}, accepted_messages.TWICE),
    ({"conversation_id": conversation_id(9)}, accepted_messages.UNKNOWN),
]


@pytest.mark.parametrize(("cells", "reason"), BAD_MESSAGES)
def test_a_bad_message_is_refused(town: Connection, cells: dict[str, object], reason: str) -> None:
    begin(town, 1, closed_at=at(100))
    begin(town, 2, 3, 4)
    begin(town, 3, 6, 5)  # refused: what is in it is not read
    send(town, 1, 1, 2, 1)
    send(town, 1, 1, 2, 2, **cells)
    send(town, 1, 2, 5, 3, kind="photo")
    send(town, 3, 5, 1, 4)
    found = read_facts(town)
    assert (found.accepted, found.refused) == (2, {reason: 1})
    (first,) = found.frame.to_dict("records")
    assert first["messages_a"] == first["messages_b"] == 1
    assert (first["opened_after_h"], first["answered_after_h"]) == (2, 3)


def test_of_very_many_messages_the_first_count(town: Connection) -> None:
    for number, (a, b) in enumerate(((1, 2), (3, 4)), start=1):
        begin(town, number, a, b)
        for hour in range(8):
            send(town, number, (a, b)[hour % 2], hour, 10 * number + hour)
    send(town, 1, 3, 0.5, 1)
    send(town, 1, 1, -1, 2)
    found = read_facts(town, most=8)
    assert (found.accepted, found.refused) == (16, {"more than 10,000 messages of the conversation": 2})
    assert found.frame["turns"].tolist() == [8, 8]
    found = read_facts(town, most=3)
    assert found.frame["turns"].tolist() == [3, 3]
    assert found.accepted + sum(found.refused.values()) == 18


BAD_ANSWERS = [
    ({"conversation_id": conversation_id(9)}, "conversation_id is not among the conversations"),
    ({"person_id": person_id(3)}, "person_id is nobody of the conversation"),
    ({"person_id": None}, "person_id is nobody of the conversation"),
    ({"kind": "kissed\n"}, "kind must be met, meet_again, not_met or together"),
    ({"kind": None}, "kind must be met, meet_again, not_met or together"),
    ({"answered_at": None}, "answered_at is missing"),
    ({"answered_at": at(-1)}, "answered_at is before matched_at"),
    ({"answered_at": "'infinity'"}, "answered_at is in the future"),
]


@pytest.mark.parametrize(("cells", "reason"), BAD_ANSWERS)
def test_a_bad_answer_is_refused(town: Connection, cells: dict[str, Any], reason: str) -> None:
    begin(town, 1)
    for _ in range(2):
        answer(town, 1, 1, "met")
    row: dict[str, Any] = {"kind": "met"} | cells
    answer(town, 1, 2, **row)
    found = read_answers(town)
    assert found.refused == {reason: 1}
    assert found.accepted.to_numpy().tolist() == [[conversation_id(1), person_id(1), "met"]]


def read_facts(connection: Connection, most: int = accepted_messages.MAX_MESSAGES) -> MessageFacts:
    """Read the facts; the temporary table lasts until the transaction ends, which is the test's."""
    connection.execute(text("DROP TABLE IF EXISTS accepted"))
    return read_message_facts(connection, read_conversations(connection).accepted, most)
