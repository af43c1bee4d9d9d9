"""How each block of SQL is tried: executed, and looked at what it did."""

from collections.abc import Callable
from uuid import UUID

import pandas as pd
import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import make_url

from models.db.engines import convert_to_libpq_url
from models.ml.profiles.frame_contracts import check_interactions, check_profiles
from pipelines.assets.extract import read_blocks, read_interactions, read_profiles
from pipelines.assets.impressions.impressions import read_impressions
from tests.docs.conftest import Reader, copied
from tests.docs.pages import blocks
from tests.pipelines.conftest import Databases, Place
from tests.serving.conftest import serving, token_for

# The app's own tables, as the page supposes them.
DATING = """
CREATE SCHEMA dating;
CREATE TABLE dating.people AS TABLE app.profiles;
ALTER TABLE dating.people ADD PRIMARY KEY (id);
CREATE TABLE dating.swipes AS TABLE app.interactions;
CREATE TABLE dating.blocks AS TABLE app.blocks;
ALTER TABLE dating.swipes ADD FOREIGN KEY (actor_id) REFERENCES dating.people ON DELETE CASCADE,
                          ADD FOREIGN KEY (target_id) REFERENCES dating.people ON DELETE CASCADE;
"""
DATING_ROLE = (
    "CREATE ROLE dating_app",
    "GRANT USAGE ON SCHEMA dating TO dating_app",
    "GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA dating TO dating_app",
)
LISTS = "SELECT viewer_id, candidate_ids FROM matching.match_lists ORDER BY viewer_id LIMIT 1"


def execute(place: Place, sql: str) -> None:
    with psycopg.connect(convert_to_libpq_url(place.database_url), autocommit=True) as connection:
        connection.execute(sql.encode())


def people_are_added(sql: str, request: pytest.FixtureRequest) -> None:
    """They keep the contract; the change is stamped later than the row."""
    databases: Databases = request.getfixturevalue("databases")
    with databases() as url:
        place = Place(request.getfixturevalue("tmp_path"), url)
        with psycopg.connect(convert_to_libpq_url(url), autocommit=True) as connection:
            for statement in sql.split(";\n"):
                connection.execute(statement.encode())
        with place.engine.connect() as connection:
            accepted, rejected = check_profiles(read_profiles(connection))
            done, undone = check_interactions(read_interactions(connection), frozenset(accepted["profile_id"]))
            assert (len(accepted), len(rejected), len(done), len(undone)) == (2, 0, 1, 0)
            assert len(read_blocks(connection)) == 1
        changed = place.ask("SELECT source_key FROM app.profiles WHERE updated_at > created_at")
        assert changed == [("my-app:1",)]


def views_take_the_tables_place(sql: str, request: pytest.FixtureRequest) -> None:
    """The pipeline reads the same as before, the API shows the same, an erased person is gone from all of it."""
    reader: Reader = request.getfixturevalue("reader")
    databases: Databases = request.getfixturevalue("databases")
    with copied(reader, databases) as copy, serving(copy.place.database_url, copy.folder / "api.log") as api:
        place = copy.place
        before = extracted(place)
        ((viewer, candidates),) = place.ask(LISTS)
        listed = api.shown(viewer, 50)
        assert set(listed) & set(candidates)
        execute(place, DATING)
        execute(place, sql)
        for was, now in zip(before, extracted(place), strict=True):
            pd.testing.assert_frame_equal(now, was)
        assert api.shown(viewer, 50) == listed
        done = copy.types(f"matching erase {listed[0]}")
        assert done.returncode == 0, done.stderr
        assert api.shown(viewer, 50) == listed[1:]
        assert place.ask("SELECT FROM dating.people WHERE id = %(who)s", who=listed[0]) == []
        assert place.ask("SELECT FROM matching.match_lists WHERE %(who)s = ANY (candidate_ids)", who=listed[0]) == []
        assert api.get("/v1/me/matches", token_for(listed[0])).status_code == 403
        the_app_deletes(place, listed[1])
        assert listed[1] not in api.shown(viewer, 50)
        assert place.ask("SELECT FROM matching.match_lists WHERE %(who)s = ANY (candidate_ids)", who=listed[1]) == []


def the_app_deletes(place: Place, person: UUID) -> None:
    """With rights on its own tables only, and taking turns with whoever else deletes somebody."""
    with psycopg.connect(convert_to_libpq_url(place.database_url)) as connection:
        for statement in (*DATING_ROLE, "SET LOCAL ROLE dating_app"):
            connection.execute(statement)
        connection.execute("DELETE FROM dating.people WHERE id = %s", [person])
        connection.execute("RESET ROLE")
        held = "SELECT FROM pg_locks WHERE relation = 'matching.erasure_lock'::regclass AND granted"
        assert connection.execute(held).fetchall()
        connection.execute("DROP OWNED BY dating_app")
        connection.execute("DROP ROLE dating_app")


def extracted(place: Place) -> tuple[pd.DataFrame, ...]:
    with place.engine.connect() as connection:
        profiles = read_profiles(connection).drop(columns="extracted_at")
        return profiles, read_interactions(connection), read_blocks(connection)


def own_app_block(begins: str) -> str:
    """A block of the page for own apps, as another of its blocks supposes it."""
    return next(each.text for each in blocks("docs/guides/connect-your-app.md") if each.text.startswith(begins))


def impressions_are_written(sql: str, request: pytest.FixtureRequest) -> None:
    """Both of the batch count, and none of somebody who is not there any more."""
    databases: Databases = request.getfixturevalue("databases")
    with databases() as url:
        place = Place(request.getfixturevalue("tmp_path"), url)
        execute(place, own_app_block("INSERT INTO app.profiles"))
        execute(place, "INSERT INTO matching.publications (ranker_version, encoder) VALUES ('1', 'letters')")
        execute(place, sql)
        with place.engine.connect() as connection:
            found = read_impressions(connection)
        assert (found.accepted, found.refused) == (2, {})
        execute(place, "DELETE FROM app.profiles WHERE source_key = 'my-app:2'")
        execute(place, sql)
        assert place.ask("SELECT FROM app.views") == []


SCREEN_LOG = """
CREATE TABLE dating.screen_log AS
SELECT me.id AS user_id, other.id AS shown_user_id, '1' AS list_number, screen, 2 AS place, event, now() AS logged_at
FROM dating.people AS me JOIN dating.people AS other ON me.id > other.id,
     unnest('{stack,daily,received,more}'::text[]) AS screen, unnest('{card_shown,card_tapped}'::text[]) AS event
"""


def a_view_over_a_log(sql: str, request: pytest.FixtureRequest) -> None:
    """In the place of the view without rows; every card that was shown counts."""
    databases: Databases = request.getfixturevalue("databases")
    with databases() as url:
        place = Place(request.getfixturevalue("tmp_path"), url)
        execute(place, own_app_block("INSERT INTO app.profiles"))
        execute(place, "INSERT INTO matching.publications (ranker_version, encoder) VALUES ('1', 'letters')")
        for each in (DATING, own_app_block("BEGIN;"), SCREEN_LOG, sql):
            execute(place, each)
        with place.engine.connect() as connection:
            found = read_impressions(connection)
        assert (len(found.undecided), found.accepted, found.refused) == (1, 4, {})
        places = place.ask("SELECT surface, position FROM app.views ORDER BY surface")
        assert places == [("likes", None), ("list", 2), ("most_compatible", None), ("similar", None)]


def a_user_for_the_api(sql: str, request: pytest.FixtureRequest) -> None:
    """With it the API serves; by itself it may read nothing."""
    reader: Reader = request.getfixturevalue("reader")
    with copied(reader, request.getfixturevalue("databases")) as copy:
        place = copy.place
        execute(place, sql)
        theirs = make_url(place.database_url).set(username="delete_api", password="one-of-your-own")
        as_api = theirs.render_as_string(hide_password=False)
        ((viewer, _),) = place.ask(LISTS)
        with serving(as_api, copy.folder / "api.log") as api:
            assert api.shown(viewer)
        with psycopg.connect(convert_to_libpq_url(as_api)) as connection, pytest.raises(InsufficientPrivilege):
            connection.execute("SELECT FROM matching.publications")
        execute(place, "DROP ROLE delete_api")


TRIED: dict[str, Callable[[str, pytest.FixtureRequest], None]] = {
    "INSERT INTO app.profiles": people_are_added,
    "BEGIN;": views_take_the_tables_place,
    "INSERT INTO app.views": impressions_are_written,
    "CREATE OR REPLACE VIEW app.views AS": a_view_over_a_log,
    "CREATE ROLE delete_api LOGIN NOINHERIT PASSWORD 'one-of-your-own';": a_user_for_the_api,
}
