"""Alive is the process; ready is the process, the database and a live publication."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from uuid import UUID, uuid4

import psycopg
import pytest

from models.db.schema.reader_role import ROLE
from tests.serving.conftest import Api, Town, serving, token_for
from tests.serving.observability.test_logs import lines_of


def test_ready_only_while_a_publication_is_live(api: Api, town: Town) -> None:
    assert api.get("/readyz").status_code == 503
    made_at = datetime.now(UTC) - timedelta(hours=2)
    publication = town.publish({}, made_at=made_at)
    answer = api.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["publication"]["id"] == publication
    assert datetime.fromisoformat(answer.json()["publication"]["made_at"]) == made_at
    assert 7200 <= answer.json()["age_seconds"] < 7260
    town.connection.execute("UPDATE matching.publications SET state = 'retired'")
    assert api.get("/readyz").status_code == 503
    assert api.get("/livez").json() == {"status": "alive"}


@contextmanager
def database_away(server: psycopg.Connection, name: str) -> Iterator[None]:
    """Nobody is connected to the database, and nobody can connect."""
    server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
    try:
        yield
    finally:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_the_database_goes_and_comes_back(api: Api, town: Town, server: psycopg.Connection) -> None:
    me, he = town.person(), town.person("man")
    town.publish({me: [he]})
    assert api.shown(me) == [he]
    database = town.connection.info.dbname
    town.connection.close()
    with database_away(server, database):
        for answer in (api.matches(me), api.get("/readyz")):
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"] == "5"
            assert answer.json()["type"] == "urn:delete:problem:unavailable"
            assert answer.elapsed < timedelta(seconds=4)
        assert api.get("/livez").status_code == 200
    assert recovered(api, me) == [he]
    assert api.get("/readyz").status_code == 200


def test_it_starts_without_a_database(tmp_path: Path) -> None:
    with serving("postgresql://127.0.0.1:1/nowhere", tmp_path / "log") as api:
        assert api.get("/livez").status_code == 200
        assert api.get("/readyz").status_code == 503


def recovered(api: Api, viewer: UUID) -> list[UUID]:
    """What the viewer is shown as soon as there is an answer again."""
    deadline = monotonic() + 10
    while api.matches(viewer).status_code != 200:
        assert monotonic() < deadline
        sleep(0.1)
    return api.shown(viewer)


def test_connections_lost_while_idle_are_not_noticed_outside(api: Api, town: Town, server: psycopg.Connection) -> None:
    me, he = town.person(), town.person("man")
    town.publish({me: [he]})
    for _ in range(3):
        assert api.shown(me) == [he]
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'delete-serving'"
        )


def test_a_statement_that_takes_too_long_is_given_up(api: Api, town: Town) -> None:
    me = town.person()
    town.publish({me: []})
    with town.connection.transaction():
        town.connection.execute("LOCK TABLE matching.match_lists IN ACCESS EXCLUSIVE MODE")
        answer = api.matches(me)
        assert answer.status_code == 503
        assert "too slow" in answer.json()["detail"]
        assert answer.elapsed < timedelta(seconds=4)
    assert api.shown(me) == []


def test_a_busy_pool_refuses_soon_and_says_when_to_ask_again(api: Api, town: Town) -> None:
    me = town.person()
    town.publish({me: []})
    with ThreadPoolExecutor(20) as people:
        with town.connection.transaction():
            town.connection.execute("LOCK TABLE matching.match_lists IN ACCESS EXCLUSIVE MODE")
            asked = [people.submit(api.matches, me) for _ in range(20)]
            sleep(0.7)
            alive, metrics = api.get("/livez"), people.submit(api.get, "/metrics")
            answers = [request.result() for request in asked]
        for answer in answers:
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.elapsed < timedelta(seconds=6)
        assert (alive.status_code, alive.elapsed < timedelta(seconds=1)) == (200, True)
        assert re.search(r"^matching_pool_waiting 1[0-9]\.0$", metrics.result().text, re.MULTILINE)
    assert api.shown(me) == []


# What is missing or may not be read, how it comes back, which addresses need it, and what the log says of it.
UNFIT = {
    "a table": (
        "ALTER TABLE matching.publications RENAME TO elsewhere",
        "ALTER TABLE matching.elsewhere RENAME TO publications",
        ("/readyz", "/v1/me/matches"),
        'relation "matching.publications" does not exist',
    ),
    "a column": (
        "ALTER TABLE matching.publications RENAME COLUMN created_at TO elsewhere",
        "ALTER TABLE matching.publications RENAME COLUMN elsewhere TO created_at",
        ("/readyz", "/v1/me/matches"),
        "created_at",
    ),
    "a function": (
        "ALTER FUNCTION matching.neighbours RENAME TO elsewhere",
        "ALTER FUNCTION matching.elsewhere RENAME TO neighbours",
        ("/v1/me/similar", "/v1/me/matches"),
        "function matching.neighbours(",
    ),
    "a right": (
        f"REVOKE EXECUTE ON FUNCTION matching_api.read_publication() FROM {ROLE}",
        f"GRANT EXECUTE ON FUNCTION matching_api.read_publication() TO {ROLE}",
        ("/readyz", "/v1/publications/current"),
        "permission denied for function read_publication",
    ),
    "the right to a schema": (
        f"REVOKE USAGE ON SCHEMA matching_api FROM {ROLE}",
        f"GRANT USAGE ON SCHEMA matching_api TO {ROLE}",
        ("/v1/me/matches", f"/v1/me/matches/{UUID(int=1)}"),
        "permission denied for schema matching_api",
    ),
}


@pytest.mark.parametrize("what", UNFIT)
def test_a_database_that_lacks_something_is_not_ready_and_the_log_says_what(api: Api, town: Town, what: str) -> None:
    break_it, mend_it, paths, said = UNFIT[what]
    me = town.person()
    town.embed(me, 1, 0)
    town.publish({me: []})
    town.run(break_it)
    try:
        for path in paths:
            request_id = uuid4().hex
            answer = api.get(path, token_for(me), **{"X-Request-ID": request_id})
            assert (answer.status_code, answer.headers.get("retry-after")) == (503, "5"), path
            assert "has not been migrated, or its rights are missing" in answer.json()["detail"]
            assert said not in answer.text, "what the database is made of is nobody's outside"
            why, request = lines_of(api, request_id)
            assert (why["level"], said in str(why["missing"])) == ("error", True)
            assert "run `matching migrate`" in str(why["event"])
            assert request["status"] == 503
        assert api.get("/metrics").status_code == 200
    finally:
        town.run(mend_it)
    for path in paths:
        assert api.get(path, token_for(me)).status_code in (200, 404)
