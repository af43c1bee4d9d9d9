"""Words are read where both agreed, as one role, once; what is counted is kept while consent is."""

import pandas as pd
import pytest
from sqlalchemy import Connection, text

from models.ml.conversations.frames import FACT_TYPES, conform_frame, join_facts
from pipelines.assets.conversations.accepted_conversations import read_conversations
from pipelines.assets.conversations.message_words import CountedWords, count_words
from tests.models_db.conftest import settle
from tests.pipelines.assets.conversations.rows import begin, conversation_id, send, write
from tests.pipelines.assets.conversations.test_contract import read_facts

NOTHING = conform_frame(pd.DataFrame(columns=list(FACT_TYPES)), FACT_TYPES)


@pytest.fixture
def town(connection: Connection) -> Connection:
    """A long conversation with consent, a short one with consent, and one without."""
    settle(connection, range(1, 7))
    for number, allowed in ((1, True), (2, True), (3, False)):
        begin(connection, number, 2 * number - 1, 2 * number, content_allowed=allowed)
    for hour in range(4):
        send(connection, 1, 1 + hour % 2, hour, hour)
        write(connection, hour, "Where do birds sleep?" if hour % 2 else "Nice weather.")
    for number, body in ((10, "My mail is ada@example.org"), (11, "")):
        send(connection, 2, 3, number, number)
        write(connection, number, body)
    send(connection, 3, 5, 1, 20)
    write(connection, 20, "Is this read?")
    return connection


def count(
    connection: Connection, earlier: pd.DataFrame = NOTHING, most: int = 100
) -> tuple[CountedWords, pd.DataFrame]:
    """Count as a night does, and return the facts that it would keep."""
    accepted, messages = read_conversations(connection).accepted, read_facts(connection).frame
    allowed = accepted.loc[accepted["content_allowed"], "conversation_id"]
    found = count_words(connection, messages[messages["conversation_id"].isin(allowed)], earlier, most)
    return found, join_facts(accepted, messages, found.counts)


def list_counts(facts: pd.DataFrame) -> list[list[int]]:
    ordered = facts.sort_values("conversation_id")
    return ordered[["questions_a", "questions_b", "plan", "contact"]].to_numpy().tolist()


NOT_READ = [-1] * 4


def test_words_are_counted_once_and_only_where_both_agreed(town: Connection) -> None:
    first, facts = count(town)
    assert (first.read, first.refused, first.readable) == (6, 1, True)
    assert list_counts(facts) == [[0, 2, 0, 0], [0, 0, 0, 1], NOT_READ]
    assert town.execute(text("SELECT current_user = session_user")).scalar_one()

    again, facts = count(town, facts)
    assert (again.read, list_counts(facts)) == (0, [[0, 2, 0, 0], [0, 0, 0, 1], NOT_READ])
    send(town, 1, 1, 50, 30)
    write(town, 30, "Shall we meet tomorrow at noon?")
    later, facts = count(town, facts)
    assert (later.read, list_counts(facts)[0]) == (1, [1, 2, 1, 0])

    for number, allowed in ((1, False), (3, True)):
        change = "UPDATE app.conversations SET content_allowed = :allowed WHERE id = :id"
        town.execute(text(change), {"allowed": allowed, "id": conversation_id(number)})
    changed, facts = count(town, facts)
    assert (changed.read, changed.refused) == (1, 5)
    assert list_counts(facts) == [NOT_READ, [0, 0, 0, 1], [1, 0, 0, 0]]


def test_a_night_reads_so_many_texts_and_whole_conversations_only(town: Connection) -> None:
    first, facts = count(town, most=3)
    assert (first.read, list_counts(facts)) == (2, [NOT_READ, [0, 0, 0, 1], NOT_READ])
    second, facts = count(town, facts, most=4)
    assert (second.read, list_counts(facts)[:2]) == (4, [[0, 2, 0, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    "change", ["REVOKE ALL ON app.message_texts FROM matching_words", "DROP TABLE app.message_texts"]
)
def test_where_words_cannot_be_read_all_else_is_as_before(town: Connection, change: str) -> None:
    _, facts = count(town)
    town.execute(text(change.replace("ALL ON", "SELECT (message_id, body) ON")))
    with town.begin_nested() as savepoint:
        accepted = read_conversations(town).accepted
        found = count_words(town, facts[facts["conversation_id"].isin(accepted["conversation_id"][:2])], facts)
        savepoint.rollback()
    assert (found.readable, found.read) == (False, 0)
    assert found.counts["questions_b"].tolist() == [2, 0]
