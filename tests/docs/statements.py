"""How each block of SQL is tried: executed, and its effects compared with what the page says."""

import re
from collections.abc import Callable

import pandas as pd
import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import make_url

from examples.backend import statements as written
from models.db.engines import convert_to_libpq_url
from models.ml.conversations.frames import FACT_TYPES, conform_frame
from models.ml.profiles.frame_contracts import check_interactions, check_profiles
from pipelines.assets.conversations.accepted_answers import read_answers
from pipelines.assets.conversations.accepted_conversations import read_conversations
from pipelines.assets.conversations.message_facts import read_message_facts
from pipelines.assets.conversations.message_words import count_words
from pipelines.assets.extract import read_blocks, read_interactions, read_profiles
from pipelines.assets.impressions.impressions import read_impressions
from tests.docs.conftest import copied
from tests.docs.pages import read_blocks as read_page_blocks
from tests.pipelines.conftest import Place
from tests.serving.conftest import serving, token_for

# The app's own tables, as the page assumes them.
DATING = """
CREATE SCHEMA dating;
CREATE TABLE dating.people AS TABLE app.profiles;
ALTER TABLE dating.people ADD PRIMARY KEY (id);
CREATE TABLE dating.swipes AS TABLE app.interactions;
CREATE TABLE dating.blocks AS TABLE app.blocks;
ALTER TABLE dating.swipes ADD FOREIGN KEY (actor_id) REFERENCES dating.people ON DELETE CASCADE,
                          ADD FOREIGN KEY (target_id) REFERENCES dating.people ON DELETE CASCADE;
"""
DATING_ROLE = """
CREATE ROLE dating_app;
GRANT USAGE ON SCHEMA dating TO dating_app;
GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA dating TO dating_app;
"""
LISTS = "SELECT viewer_id, candidate_ids FROM matching.match_lists ORDER BY viewer_id LIMIT 1"
LISTED = "SELECT FROM matching.match_lists WHERE %(who)s = ANY (candidate_ids)"
LOCKED = "SELECT FROM pg_locks WHERE relation = 'matching.erasure_lock'::regclass AND granted"


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def add_users(sql: str, request: pytest.FixtureRequest) -> None:
    """They fulfil the contract; the change is stamped later than the row."""
    with request.getfixturevalue("databases")() as url:
        place = Place(request.getfixturevalue("tmp_path"), url)
        execute(url, *sql.split(";\n"))
        with place.engine.connect() as connection:
            accepted, rejected = check_profiles(read_profiles(connection))
            decided, refused = check_interactions(read_interactions(connection), frozenset(accepted["profile_id"]))
            assert (len(accepted), len(rejected), len(decided), len(refused)) == (2, 0, 1, 0)
            assert len(read_blocks(connection)) == 1
        assert place.ask("SELECT source_key FROM app.profiles WHERE updated_at > created_at") == [("my-app:1",)]


def replace_tables_by_views(sql: str, request: pytest.FixtureRequest) -> None:
    """The pipeline reads the same, the API shows the same, and an erased user is gone from all of it."""
    reader, databases = request.getfixturevalue("reader"), request.getfixturevalue("databases")
    with copied(reader, databases) as copy, serving(copy.place.database_url, copy.folder / "api.log") as api:
        place = copy.place
        before = extract(place)
        ((viewer, candidates),) = place.ask(LISTS)
        listed = api.shown(viewer, 50)
        assert set(listed) & set(candidates)
        execute(place.database_url, DATING, sql)
        for was, now in zip(before, extract(place), strict=True):
            pd.testing.assert_frame_equal(now, was)
        assert api.shown(viewer, 50) == listed
        done = copy.types(f"matching erase {listed[0]}")
        assert done.returncode == 0, done.stderr
        assert api.shown(viewer, 50) == listed[1:]
        assert place.ask("SELECT FROM dating.people WHERE id = %(who)s", who=listed[0]) == []
        assert place.ask(LISTED, who=listed[0]) == []
        assert api.get("/v1/me/matches", token_for(listed[0])).status_code == 403
        # The app deletes with rights on its own tables only, and takes turns with others who delete.
        with psycopg.connect(convert_to_libpq_url(place.database_url)) as connection:
            connection.execute(DATING_ROLE)
            connection.execute("SET LOCAL ROLE dating_app")
            connection.execute("DELETE FROM dating.people WHERE id = %s", [listed[1]])
            connection.execute("RESET ROLE")
            assert connection.execute(LOCKED).fetchall()
            connection.execute("DROP OWNED BY dating_app")
            connection.execute("DROP ROLE dating_app")
        assert listed[1] not in api.shown(viewer, 50)
        assert place.ask(LISTED, who=listed[1]) == []


def extract(place: Place) -> tuple[pd.DataFrame, ...]:
    with place.engine.connect() as connection:
        profiles = read_profiles(connection).drop(columns="extracted_at")
        return profiles, read_interactions(connection), read_blocks(connection)


def find_own_app_block(begins: str) -> str:
    """Return a block of the page for own apps, as another of its blocks assumes it."""
    blocks = read_page_blocks("docs/guides/connect-your-app.md")
    return next(each.text for each in blocks if each.text.startswith(begins))


def prepare_two_users(url: str) -> None:
    """Add the users of the page, and a publication."""
    execute(url, *find_own_app_block("INSERT INTO app.profiles").split(";\n"))
    execute(url, "INSERT INTO matching.publications (ranker_version, encoder) VALUES ('1', 'letters')")


def write_impressions(sql: str, request: pytest.FixtureRequest) -> None:
    """Both of the batch count, and none of a user who is gone. The example's backend writes the same."""
    batched = re.sub(r"'\[.*\]'", ":batch", sql, flags=re.DOTALL)
    assert " ".join(re.sub(r"= '[0-9a-f-]{36}'", "= :viewer", batched).split()) in read_written()
    with request.getfixturevalue("databases")() as url:
        place = Place(request.getfixturevalue("tmp_path"), url)
        prepare_two_users(url)
        execute(url, sql)
        with place.engine.connect() as connection:
            found = read_impressions(connection)
        assert (found.accepted, found.refused) == (2, {})
        execute(url, "DELETE FROM app.profiles WHERE source_key = 'my-app:2'", sql)
        assert place.ask("SELECT FROM app.views") == []


def read_written() -> set[str]:
    """The statements of the example's backend, each on one line."""
    return {" ".join(value.split()) for name, value in vars(written).items() if name.isupper()}


def compare_with_backend(sql: str, request: pytest.FixtureRequest) -> None:
    """The example's backend runs them; tests/examples tries what they do."""
    said = {" ".join(each.split()) + ";" for each in sql.split(";\n") if each.strip()}
    assert said - read_written() == set()


SCREEN_LOG = """
CREATE TABLE dating.screen_log AS
SELECT me.id AS user_id, other.id AS shown_user_id, '1' AS list_number, screen, 2 AS place, event, now() AS logged_at
FROM dating.people AS me JOIN dating.people AS other ON me.id > other.id,
     unnest('{stack,daily,received,more}'::text[]) AS screen, unnest('{card_shown,card_tapped}'::text[]) AS event
"""


def replace_views_by_log(sql: str, request: pytest.FixtureRequest) -> None:
    """In the place of the view without rows; every card that was shown counts."""
    with request.getfixturevalue("databases")() as url:
        place = Place(request.getfixturevalue("tmp_path"), url)
        prepare_two_users(url)
        execute(url, DATING, find_own_app_block("BEGIN;"), SCREEN_LOG, sql)
        with place.engine.connect() as connection:
            found = read_impressions(connection)
        assert (found.accepted, found.refused) == (4, {})
        places = place.ask("SELECT surface, position FROM app.views ORDER BY surface")
        assert places == [("likes", None), ("list", 2), ("most_compatible", None), ("similar", None)]


def write_conversation(sql: str, request: pytest.FixtureRequest) -> None:
    """All of it counts."""
    with request.getfixturevalue("databases")() as url:
        place = Place(request.getfixturevalue("tmp_path"), url)
        prepare_two_users(url)
        execute(url, sql)
        with place.engine.connect() as connection:
            found = read_conversations(connection)
            assert (len(found.accepted), found.refused) == (1, {})
            assert read_message_facts(connection, found.accepted).accepted == 1
            assert len(read_answers(connection).accepted) == 1


CHAT = """
CREATE TABLE dating.rooms AS
SELECT gen_random_uuid() AS id, a.id AS one_id, b.id AS other_id, true AS one_agrees, true AS other_agrees,
       now() AS opened_at, NULL::timestamptz AS left_at, NULL::uuid AS left_by
FROM dating.people AS a JOIN dating.people AS b ON a.id > b.id;
CREATE TABLE dating.lines AS
SELECT gen_random_uuid() AS id, id AS room_id, one_id AS author_id, now() AS written_at, 'Where do birds sleep?'
       AS words
FROM dating.rooms;
"""


def replace_conversations_by_chat(sql: str, request: pytest.FixtureRequest) -> None:
    """The message counts, and so does its question, since both agree."""
    with request.getfixturevalue("databases")() as url:
        place = Place(request.getfixturevalue("tmp_path"), url)
        prepare_two_users(url)
        execute(url, DATING, find_own_app_block("BEGIN;"), CHAT, sql)
        with place.engine.connect() as connection:
            accepted = read_conversations(connection).accepted
            messages = read_message_facts(connection, accepted)
        with place.engine.connect() as connection:
            nobody = conform_frame(pd.DataFrame(columns=list(FACT_TYPES)), FACT_TYPES)
            counted = count_words(connection, messages.frame, nobody)
        assert (messages.accepted, counted.readable) == (1, True)
        assert counted.counts["questions_b"].tolist() == [1]


def add_role_of_the_api(sql: str, request: pytest.FixtureRequest) -> None:
    """With it the API serves; by itself it may read nothing."""
    with copied(request.getfixturevalue("reader"), request.getfixturevalue("databases")) as copy:
        place = copy.place
        execute(place.database_url, sql)
        role = make_url(place.database_url).set(username="delete_api", password="one-of-your-own")
        url = role.render_as_string(hide_password=False)
        ((viewer, _),) = place.ask(LISTS)
        with serving(url, copy.folder / "api.log") as api:
            assert api.shown(viewer)
        with psycopg.connect(convert_to_libpq_url(url)) as connection, pytest.raises(InsufficientPrivilege):
            connection.execute("SELECT FROM matching.publications")
        execute(place.database_url, "DROP ROLE delete_api")


def add_role_of_reviewers(sql: str, request: pytest.FixtureRequest) -> None:
    """It reads the queue and no message."""
    with request.getfixturevalue("databases")() as url:
        execute(url, sql)
        role = make_url(url).set(username="delete_reviews", password="another-of-your-own")
        with psycopg.connect(convert_to_libpq_url(role.render_as_string(hide_password=False))) as connection:
            assert connection.execute("SELECT FROM matching.review_queue").fetchall() == []
            with pytest.raises(InsufficientPrivilege):
                connection.execute("SELECT FROM app.message_texts")
        execute(url, "DROP ROLE delete_reviews")


def decide_on_reports(sql: str, request: pytest.FixtureRequest) -> None:
    """An upheld report separates the two."""
    with request.getfixturevalue("databases")() as url:
        place = Place(request.getfixturevalue("tmp_path"), url)
        prepare_two_users(url)
        execute(
            url,
            "DELETE FROM app.blocks",
            "INSERT INTO matching.review_queue (person_id, reporter_id, kind, score, rule)"
            " SELECT one.id, other.id, 'report', 1, 'report'"
            " FROM app.profiles AS one JOIN app.profiles AS other ON one.id < other.id",
            sql,
        )
        assert len(place.ask("SELECT FROM matching.separations")) == 1


TRIED: dict[str, Callable[[str, pytest.FixtureRequest], None]] = {
    "INSERT INTO app.profiles": add_users,
    "BEGIN;": replace_tables_by_views,
    "INSERT INTO app.views": write_impressions,
    "CREATE OR REPLACE VIEW app.views AS": replace_views_by_log,
    "INSERT INTO app.conversations": write_conversation,
    "DROP TABLE app.reports, app.outcomes, app.message_texts, app.messages, app.conversations CASCADE;": (
        replace_conversations_by_chat
    ),
    "CREATE ROLE delete_api LOGIN NOINHERIT PASSWORD 'one-of-your-own';": add_role_of_the_api,
    "CREATE ROLE delete_reviews LOGIN PASSWORD 'another-of-your-own';": add_role_of_reviewers,
    "SELECT matching.decide_review": decide_on_reports,
    **dict.fromkeys(
        (
            "SELECT pg_advisory_xact_lock",
            "DELETE FROM app.interactions",
            "INSERT INTO app.blocks",
            "INSERT INTO app.messages",
            "UPDATE app.conversations SET content_allowed = :both WHERE id = :conversation;",
            "UPDATE app.conversations SET closed_at = now",
        ),
        compare_with_backend,
    ),
}
