"""Rows of the app's conversations, written as an app does; times are SQL."""

import uuid

from sqlalchemy import Connection, text

from tests.models_db.conftest import person_id

BEGIN = """
INSERT INTO app.conversations (id, person_a, person_b, matched_at, publication_id, closed_at, closed_by, closed_as,
                               content_allowed)
VALUES (:id, :person_a, :person_b, {matched_at}, :publication_id, {closed_at}, :closed_by, :closed_as, :content_allowed)
"""
SEND = """
INSERT INTO app.messages (id, conversation_id, sender_id, sent_at, kind)
VALUES (:id, :conversation_id, :sender_id, {sent_at}, :kind)
"""
WRITE = "INSERT INTO app.message_texts (message_id, body) VALUES (:message, :body)"
ANSWER = """
INSERT INTO app.outcomes (conversation_id, person_id, kind, answered_at)
VALUES (:conversation_id, :person_id, :kind, {answered_at})
"""
# As views of the app's own, these have no constraint.
LAWLESS = (
    "ALTER TABLE app.conversations DROP CONSTRAINT pk_conversations CASCADE",
    *(
        f"ALTER TABLE app.conversations DROP CONSTRAINT {name}"
        for name in (
            "fk_conversations_person_a",
            "fk_conversations_person_b",
            "ck_conversations_closed_as",
            "ck_conversations_in_order",
        )
    ),
    "ALTER TABLE app.messages DROP CONSTRAINT pk_messages CASCADE",
    *(
        f"ALTER TABLE app.outcomes DROP CONSTRAINT {name}"
        for name in ("pk_outcomes", "fk_outcomes_person_id", "ck_outcomes_kind")
    ),
    *(
        f"ALTER TABLE app.conversations ALTER {name} DROP NOT NULL"
        for name in ("id", "person_a", "person_b", "matched_at", "content_allowed")
    ),
    *(f"ALTER TABLE app.messages ALTER {name} DROP NOT NULL" for name in ("sender_id", "sent_at", "kind")),
    *(f"ALTER TABLE app.outcomes ALTER {name} DROP NOT NULL" for name in ("person_id", "kind", "answered_at")),
)


def conversation_id(number: int) -> str:
    return str(uuid.UUID(int=1000 + number))


def message_id(number: int) -> str:
    return str(uuid.UUID(int=1_000_000 + number))


def begin(connection: Connection, number: int, a: int = 1, b: int = 2, **cells: object) -> None:
    """Begin a conversation of two people ten days ago, unless `cells` say otherwise."""
    row: dict[str, object] = {"id": conversation_id(number), "person_a": person_id(a), "person_b": person_id(b)}
    row |= {"matched_at": "now() - interval '10 days'", "publication_id": None, "closed_at": None, "closed_by": None}
    _insert(connection, BEGIN, row | {"closed_as": None, "content_allowed": False} | cells, "matched_at", "closed_at")


def send(connection: Connection, conversation: int, sender: int, hours: float, number: int, **cells: object) -> None:
    """Send a message so many hours after the match of a conversation that began ten days ago."""
    row: dict[str, object] = {"id": message_id(number), "conversation_id": conversation_id(conversation)}
    row |= {"sender_id": person_id(sender), "sent_at": at(hours), "kind": "text"} | cells
    _insert(connection, SEND, row, "sent_at")


def write(connection: Connection, number: int, body: str) -> None:
    connection.execute(text(WRITE), {"message": message_id(number), "body": body})


def answer(connection: Connection, conversation: int, person: int, kind: str | None, **cells: object) -> None:
    row: dict[str, object] = {"conversation_id": conversation_id(conversation), "person_id": person_id(person)}
    _insert(connection, ANSWER, row | {"kind": kind, "answered_at": "now()"} | cells, "answered_at")


def at(hours: float) -> str:
    return f"now() - interval '10 days' + interval '{hours} hours'"


def remove_constraints(connection: Connection) -> None:
    for statement in LAWLESS:
        connection.execute(text(statement))


def _insert(connection: Connection, statement: str, row: dict[str, object], *times: str) -> None:
    moments = {name: row.pop(name) for name in times}
    sql = {name: "NULL" if moment is None else str(moment) for name, moment in moments.items()}
    connection.execute(text(statement.format(**sql)), row)
