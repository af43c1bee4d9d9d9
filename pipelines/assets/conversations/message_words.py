"""The one place where words are read: of conversations in which both agreed, as the role that may, counted and dropped.

A text is in memory until it is counted. Each night reads what was sent since the last one.
"""

from dataclasses import dataclass

import pandas as pd
from psycopg.errors import InsufficientPrivilege, UndefinedTable
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models.db.schema.words_role import ROLE
from models.ml.conversations.frames import NOT_READ
from models.ml.conversations.word_counts import COLUMNS, add_counts, count_in_texts
from models.ml.conversations.words.bodies import MAX_CHARACTERS

MAX_TEXTS = 10_000
"""Texts that one night reads. A conversation of which it could read only a part waits for the next night; one with more
texts than this is not read."""
REFUSED = "the conversation does not allow content"
ENTER, LEAVE = f"SET LOCAL ROLE {ROLE}", "RESET ROLE"
TEXTS = """
SELECT asked.id::text AS conversation_id, (sender_id = person_b)::int AS side, left(body, :characters) AS body
FROM unnest(CAST(:ids AS uuid[]), CAST(:since AS timestamptz[])) WITH ORDINALITY AS asked (id, since, number)
JOIN app.conversations AS conversation ON conversation.id = asked.id AND content_allowed
JOIN app.messages AS message ON message.conversation_id = conversation.id
JOIN app.message_texts ON message_id = message.id
WHERE body IS NOT NULL AND sender_id IN (person_a, person_b) AND (since IS NULL OR sent_at > since)
  AND sent_at BETWEEN matched_at AND least(closed_at, now())
ORDER BY number LIMIT :most
"""
COUNT_REFUSED = """
SELECT count(*) FROM app.message_texts JOIN app.messages AS message ON message_id = message.id
JOIN app.conversations AS conversation ON conversation_id = conversation.id
WHERE content_allowed IS NOT TRUE
"""


@dataclass(frozen=True)
class CountedWords:
    """What was counted of the conversations whose words may be and could be read."""

    counts: pd.DataFrame
    """A frame of `word_counts.COLUMNS`."""
    read: int
    """Texts that were read."""
    refused: int
    """Texts in conversations without consent. They are counted and not read."""
    readable: bool
    """Whether the role may read `app.message_texts`."""


def count_words(
    connection: Connection, facts: pd.DataFrame, earlier: pd.DataFrame, most: int = MAX_TEXTS
) -> CountedWords:
    """Count the words of conversations in a transaction of the caller's that does nothing else.

    Args:
        connection: A connection in a transaction.
        facts: Facts of the messages of the conversations whose content is allowed. Those with few messages are read
            first, so that one with very many does not hold up the others.
        earlier: The facts of an earlier night, whose counts are kept and added to.
        most: Texts to read.
    """
    known = earlier[(earlier["plan"] >= 0) & earlier["conversation_id"].isin(facts["conversation_id"])]
    try:
        texts, complete, refused = _read_texts(connection, _find_since(facts, known), most)
    except DBAPIError as error:
        if not isinstance(error.orig, InsufficientPrivilege | UndefinedTable):
            raise
        return CountedWords(known[list(COLUMNS)], 0, 0, readable=False)
    planned = pd.Index(known.loc[known["plan"] == 1, "conversation_id"])
    empty = pd.DataFrame({"conversation_id": complete}).assign(**dict.fromkeys(NOT_READ, 0))
    counts = add_counts(add_counts(known[list(COLUMNS)], empty), count_in_texts(texts, planned))
    return CountedWords(counts, len(texts), refused, readable=True)


def _find_since(facts: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Return from when on each conversation's words are to be read, NaT: from the first; without those fully read."""
    facts = facts.iloc[(facts["messages_a"] + facts["messages_b"]).argsort()].set_index("conversation_id")
    since, last = known.set_index("conversation_id")["last_sent_at"].reindex(facts.index), facts["last_sent_at"]
    return since[(last > since) | since.isna()]


def _read_texts(connection: Connection, since: pd.Series, most: int) -> tuple[pd.DataFrame, list[str], int]:
    """Read texts, and return them, the ids of the conversations that were read to their end, and the refused texts."""
    moments = [None if pd.isna(moment) else moment.isoformat() for moment in since]
    connection.execute(text(ENTER))
    asked = {"ids": since.index.tolist(), "since": moments, "most": most + 1, "characters": MAX_CHARACTERS}
    found = connection.execute(text(TEXTS), asked)
    texts = pd.DataFrame(found.all(), columns=["conversation_id", "side", "body"])
    refused = int(connection.execute(text(COUNT_REFUSED)).scalar_one())
    connection.execute(text(LEAVE))
    complete = since.index.tolist()
    if len(texts) > most:
        cut = complete.index(texts["conversation_id"].iloc[-1])
        complete = complete[:cut]
        texts = texts[texts["conversation_id"].isin(complete)]
    return texts, complete, refused
