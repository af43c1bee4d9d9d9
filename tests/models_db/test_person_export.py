"""A person's export lists the tables that erasure empties of them, and shows nothing that others decided or wrote."""

import json
from dataclasses import asdict

from sqlalchemy import Connection, Engine, text

from models.db.erasure import erase_profile
from models.db.erasure.person_export import export_person
from models.db.erasure.personal_data import PERSONAL_DATA
from models.db.schema import tables
from tests.models_db.conftest import list_for, person_id, publish_lists, run, settle
from tests.models_db.test_erasure import traces

CONVERSATION, SENT, RECEIVED = (person_id(number) for number in (101, 102, 103))
FACTS = """
INSERT INTO matching.conversation_facts
SELECT * FROM jsonb_populate_record(NULL::matching.conversation_facts, jsonb_build_object(
    'conversation_id', CAST(:conversation AS text), 'person_a', CAST(:me AS text), 'person_b', CAST(:you AS text),
    'matched_at', now(), 'opener', 0, 'messages_a', 1, 'messages_b', 1, 'turns', 2, 'median_reply_a_h', 3.5,
    'median_reply_b_h', 7.25, 'last_sender', 1, 'questions_a', -1, 'questions_b', -1, 'plan', -1, 'contact', -1))
"""
ROWS = [
    "INSERT INTO app.interactions (actor_id, target_id, kind) VALUES (:me, :you, 'like'), (:other, :me, 'pass')",
    "INSERT INTO app.blocks VALUES (:me, :other), (:other, :me)",
    "INSERT INTO app.views (viewer_id, candidate_id, surface) VALUES (:me, :you, 'list'), (:other, :me, 'list')",
    "INSERT INTO matching.embeddings VALUES (:me, 'letters', 'x', CAST(array_fill(0.5, ARRAY[384]) AS halfvec(384)))",
    f"INSERT INTO app.conversations (id, person_a, person_b, closed_by) VALUES ('{CONVERSATION}', :me, :you, :you)",
    f"INSERT INTO app.messages VALUES ('{SENT}', '{CONVERSATION}', :me), ('{RECEIVED}', '{CONVERSATION}', :you)",
    f"INSERT INTO app.message_texts VALUES ('{SENT}', 'I said'), ('{RECEIVED}', 'you said')",
    f"INSERT INTO app.outcomes VALUES ('{CONVERSATION}', :me, 'met'), ('{CONVERSATION}', :you, 'not_met')",
    "INSERT INTO app.reports (reporter_id, reported_id, reason) VALUES (:me, :you, 'mine'), (:you, :me, 'yours')",
    FACTS,
    "INSERT INTO matching.review_queue (person_id, reporter_id, kind, score, rule) VALUES (:you, :me, 'report', 1, '')",
    f"INSERT INTO matching.searched_messages VALUES ('{SENT}'), ('{RECEIVED}')",
    "INSERT INTO matching.upheld_reports VALUES (:me, :you), (:you, :other)",
    "INSERT INTO app.rate_opt_outs (person_id) VALUES (:me)",
    "INSERT INTO matching.experiment_assignments SELECT 'x', 1, id, 'b', id FROM app.profiles WHERE id IN (:me, :you)",
]


def know_everywhere(town: Engine) -> None:
    """Write rows by person 1 and about person 1 into every table."""
    publish_lists(
        town, [list_for(1, [4, 2], most_compatible=4, withheld=[6]), list_for(2, [1]), list_for(3, [2], withheld=[1])]
    )
    for row in ROWS:
        run(town, row, me=person_id(1), you=person_id(2), other=person_id(6), conversation=CONVERSATION)


def test_the_export_lists_what_erasure_erases(town: Engine) -> None:
    know_everywhere(town)
    with town.begin() as connection:
        likes = "UPDATE matching.match_lists SET likes_ids = ARRAY[CAST(:id AS uuid)] WHERE viewer_id = :viewer"
        connection.execute(text(likes), {"id": person_id(1), "viewer": person_id(3)})
        exported = export_person(connection, person_id(1))
        erased = asdict(erase_profile(connection, person_id(1)))
        assert traces(connection, 1) == 0
    counts = {name: count for name, count in erased.items() if name != "profile_id"}
    assert {*exported} == {*counts, "profile"} == {*PERSONAL_DATA}
    assert min(counts.values()) > 0
    assert {name for name, rows in exported.items() if not rows} == {"places", "withheld", "likes"}
    named = {rows.relation for rows in PERSONAL_DATA.values()}
    assert {f"{table.schema}.{table.name}" for table in tables.metadata.sorted_tables} - named == {
        "matching.publications",
        "matching.town_insights",
    }


def test_the_export_says_nothing_of_what_others_decided_or_wrote(town: Engine) -> None:
    know_everywhere(town)
    with town.connect() as connection:
        exported = export_person(connection, person_id(1))
    words = json.dumps(exported)
    assert [word in words for word in ("I said", "mine", "3.5")] == [True] * 3
    assert [word in words for word in ("you said", "yours", "7.25", '"closed_by"', "not_met", "Person 2")] == [
        False
    ] * 6
    decided_by = [row["actor_id"] for row in exported["interactions"]] + [
        row["blocker_id"] for row in exported["blocks"]
    ]
    assert decided_by == [person_id(1)] * 2
    assert "withheld_ids" not in exported["lists"][0]


def test_the_app_deletes_a_conversation_and_its_facts_go(town: Engine) -> None:
    know_everywhere(town)
    run(town, "DELETE FROM app.conversations")
    with town.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM matching.conversation_facts")).scalar_one()
    assert left == 0


def test_facts_go_with_a_person_where_there_is_no_foreign_key(connection: Connection) -> None:
    """As where `app.conversations` is a view: the trigger on the table of people removes them."""
    settle(connection, (1, 2, 3))
    connection.execute(
        text("ALTER TABLE matching.conversation_facts DROP CONSTRAINT fk_conversation_facts_conversation_id")
    )
    for me, you in ((1, 2), (2, 3)):
        row = {"me": person_id(me), "you": person_id(you), "conversation": person_id(100 + me)}
        connection.execute(text(FACTS), row)
    connection.execute(text("DELETE FROM app.profiles WHERE id = :id"), {"id": person_id(1)})
    assert connection.execute(text("SELECT person_b::text FROM matching.conversation_facts")).scalars().all() == [
        person_id(3)
    ]
