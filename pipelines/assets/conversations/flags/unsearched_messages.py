"""The messages of the last day that were not searched for flags yet, in conversations in which both agreed."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.errors import InsufficientPrivilege, UndefinedTable
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models.db.schema.words_role import ROLE
from models.ml.conversations.words.bodies import MAX_CHARACTERS

ENTER, LEAVE = f"SET LOCAL ROLE {ROLE}", "RESET ROLE"
# A clock of the app's that goes backwards by hours hides nothing; one that is ahead waits for its moment.
UNSEARCHED = """
FROM app.messages AS message
JOIN app.conversations AS conversation ON conversation.id = conversation_id AND content_allowed
JOIN app.message_texts AS words ON words.message_id = message.id
WHERE sent_at BETWEEN now() - interval '1 day' AND now() AND sender_id IN (person_a, person_b)
  AND NOT EXISTS (SELECT FROM matching.searched_messages AS searched WHERE searched.message_id = message.id)
"""
READ = f"""
SELECT message.id::text, sender_id::text, left(coalesce(body, ''), {MAX_CHARACTERS}) {UNSEARCHED}
ORDER BY sent_at, message.id LIMIT :most
"""
EXISTS = f"SELECT EXISTS (SELECT {UNSEARCHED})"
# Those that were erased since they were read are gone for good.
REMEMBER = """
INSERT INTO matching.searched_messages (message_id)
SELECT id FROM app.messages WHERE id = ANY (CAST(:ids AS uuid[])) ON CONFLICT DO NOTHING
"""
FORGET = "DELETE FROM matching.searched_messages WHERE searched_at < now() - interval '2 days'"


@dataclass(frozen=True)
class UnsearchedMessages:
    """Messages in memory: ids, senders and the beginnings of their bodies. Nothing of it is kept."""

    ids: list[str]
    senders: list[str]
    bodies: list[str]
    readable: bool = True
    """Whether the role may read `app.message_texts`."""


def read_unsearched(connection: Connection, most: int) -> UnsearchedMessages:
    """Read the oldest unsearched messages as the role that may, in a transaction of its own."""
    connection.execute(text(ENTER))
    try:
        rows = connection.execute(text(READ), {"most": most}).all()
    except DBAPIError as error:
        if not isinstance(error.orig, InsufficientPrivilege | UndefinedTable):
            raise
        return UnsearchedMessages([], [], [], readable=False)
    connection.execute(text(LEAVE))
    return UnsearchedMessages([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


def has_unsearched(connection: Connection) -> bool:
    """Return whether there is a message to search; False where the role may not read."""
    connection.execute(text(ENTER))
    try:
        found = bool(connection.scalar(text(EXISTS)))
    except DBAPIError as error:
        if not isinstance(error.orig, InsufficientPrivilege | UndefinedTable):
            raise
        return False
    connection.execute(text(LEAVE))
    return found


def remember_searched(connection: Connection, ids: Sequence[str]) -> None:
    """Record which messages were searched, and forget those of which nothing new can come."""
    connection.execute(text(REMEMBER), {"ids": list(ids)})
    connection.execute(text(FORGET))
