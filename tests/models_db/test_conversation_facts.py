"""The facts of a night replace those of the night before."""

from collections.abc import Iterator

from sqlalchemy import Engine

from models.db.rows.conversation_facts import COLUMNS, store_conversation_facts
from tests.models_db.conftest import BEFORE, fetch, person_id, run

BEGIN = "INSERT INTO app.conversations (id, person_a, person_b) VALUES (:id, :a, :b)"


def make_row(number: int, a: int, b: int, messages: int) -> tuple[object, ...]:
    known: dict[str, object] = {
        "conversation_id": person_id(number),
        "person_a": person_id(a),
        "person_b": person_id(b),
    }
    known |= {"matched_at": BEFORE, "messages_a": messages, "messages_b": 0, "opener": 0, "turns": 1, "last_sender": 0}
    known |= dict.fromkeys(("questions_a", "questions_b", "plan", "contact"), -1)
    return tuple(known.get(name) for name in COLUMNS)


def test_rows_are_added_changed_and_deleted(town: Engine) -> None:
    for number, a, b in ((101, 1, 2), (102, 3, 4), (103, 5, 6)):
        run(town, BEGIN, id=person_id(number), a=person_id(a), b=person_id(b))
    first = [make_row(101, 1, 2, 5), make_row(102, 3, 4, 7), make_row(104, 1, 6, 9)]  # 104 was deleted meanwhile
    assert store_conversation_facts(town, first) == 2
    assert store_conversation_facts(town, [make_row(101, 1, 2, 5), make_row(102, 3, 4, 8)]) == 1
    assert store_conversation_facts(town, [make_row(102, 3, 4, 8), make_row(103, 5, 6, 1)]) == 1
    stored = fetch(town, "SELECT person_a::text, messages_a FROM matching.conversation_facts ORDER BY conversation_id")
    assert stored == [(person_id(3), 8), (person_id(5), 1)]


def test_a_conversation_that_is_deleted_while_its_facts_are_copied_does_not_stop_the_others(town: Engine) -> None:
    for number, a, b in ((101, 1, 2), (102, 3, 4)):
        run(town, BEGIN, id=person_id(number), a=person_id(a), b=person_id(b))

    def make_rows() -> Iterator[tuple[object, ...]]:
        yield make_row(101, 1, 2, 5)
        run(town, "DELETE FROM app.conversations WHERE id = :id", id=person_id(101))
        yield make_row(102, 3, 4, 7)

    assert store_conversation_facts(town, make_rows()) == 1
    assert fetch(town, "SELECT conversation_id::text FROM matching.conversation_facts") == [(person_id(102),)]
