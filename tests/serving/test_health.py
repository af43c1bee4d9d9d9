"""Alive is the process; ready is the process, the database and a live publication."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import uuid4

import httpx2
import psycopg
import pytest

from models.db.schema.reader_role import ROLE
from tests.serving.conftest import Api, Users, problem, token_for
from tests.serving.observability.test_logs import lines_of
from tests.support.waiting import until


def unavailable(response: httpx2.Response) -> str:
    assert response.headers["retry-after"] == "5"
    return str(problem(response, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")["detail"])


def test_ready_only_while_a_publication_is_live(api: Api, users: Users) -> None:
    unavailable(api.get("/readyz"))
    none = api.get("/v1/publications/current", token_for(users.add()))
    problem(none, HTTPStatus.NOT_FOUND, "no-publication")
    assert "etag" not in none.headers
    made_at = datetime.now(UTC) - timedelta(hours=2)
    publication = users.publish({}, made_at=made_at)
    users.run("UPDATE matching.publications SET viewer_count = 12, pair_count = 345 WHERE state = 'live'")
    ready = api.get("/readyz").json()
    assert 7200 <= ready["age_seconds"] < 9000
    made = {"id": publication, "made_at": ready["publication"]["made_at"]}
    assert ready["publication"] == made
    assert datetime.fromisoformat(made["made_at"]) == made_at
    current = api.get("/v1/publications/current", token_for(uuid4()))
    assert current.json() == made | {"viewers": 12, "pairs": 345}, "it needs no profile"
    users.run("UPDATE matching.publications SET state = 'retired'")
    unavailable(api.get("/readyz"))
    assert api.get("/livez").json() == {"status": "alive"}


def test_the_database_goes_and_comes_back(api: Api, users: Users, server: psycopg.Connection) -> None:
    me, men = users.viewer()
    assert api.shown(me) == men
    database = users.connection.info.dbname
    users.connection.close()
    server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    try:
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])
        for response in (api.matches(me), api.get("/readyz")):
            unavailable(response)
        assert api.get("/livez").status_code == 200
    finally:
        server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    until(lambda: api.matches(me).status_code == 200)
    assert api.shown(me) == men


def test_connections_lost_while_idle_are_replaced(api: Api, users: Users, server: psycopg.Connection) -> None:
    me, men = users.viewer()
    for _ in range(3):
        assert api.shown(me) == men
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'delete-serving'"
        )


def test_a_slow_or_busy_database_is_given_up(api: Api, users: Users) -> None:
    me, men = users.viewer()
    with ThreadPoolExecutor(20) as threads:
        with users.connection.transaction():
            users.lock_lists()
            asked = [threads.submit(api.matches, me) for _ in range(20)]
            until(users.waiting)
            assert api.get("/livez").status_code == 200
            details = {unavailable(request.result()).partition(";")[0] for request in asked}
        assert details == {"the database was too slow", "the database does not answer"}
    assert api.shown(me) == men


# How the log names what is missing or may not be read; how it goes and comes back; a route that needs it.
UNFIT = {
    'relation "matching.publications" does not exist': (
        "ALTER TABLE matching.publications RENAME TO elsewhere",
        "ALTER TABLE matching.elsewhere RENAME TO publications",
        "/readyz",
    ),
    "created_at": (
        "ALTER TABLE matching.publications RENAME COLUMN created_at TO elsewhere",
        "ALTER TABLE matching.publications RENAME COLUMN elsewhere TO created_at",
        "/v1/me/matches",
    ),
    "function matching.neighbours(": (
        "ALTER FUNCTION matching.neighbours RENAME TO elsewhere",
        "ALTER FUNCTION matching.elsewhere RENAME TO neighbours",
        "/v1/me/similar",
    ),
    "permission denied for schema matching_api": (
        f"REVOKE USAGE ON SCHEMA matching_api FROM {ROLE}",
        f"GRANT USAGE ON SCHEMA matching_api TO {ROLE}",
        "/v1/me/most-compatible",
    ),
}


@pytest.mark.parametrize("named", UNFIT)
def test_the_log_names_what_the_database_lacks(api: Api, users: Users, named: str) -> None:
    break_it, repair_it, path = UNFIT[named]
    me, _ = users.neighbours(0)
    users.publish({me: []})
    users.run(break_it)
    try:
        response = api.get(path, token_for(me), **{"X-Request-ID": (request_id := uuid4().hex)})
        assert "has not been migrated, or its rights are missing" in unavailable(response)
        assert named not in response.text, "the database's parts are not for callers"
        why, request = lines_of(api, request_id)
        assert (why["level"], named in str(why["missing"]), request["status"]) == ("error", True, 503)
        assert "run `matching migrate`" in str(why["event"])
        assert api.get("/metrics").status_code == 200
    finally:
        users.run(repair_it)
    assert api.get(path, token_for(me)).status_code == 200
