"""The real API in a process of its own, over a database that each test fills."""

import json
import math
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import make_url

from models.db.engines import convert_to_libpq_url
from models.db.settings import Settings
from models.db.tokens import issue_token
from serving.schemas import Problem
from serving.titles import TITLES
from tests.serving import issuer
from tests.support.waiting import free_port, until

SECRET = "a secret of the tests that is long enough for HS256"
HOUR = timedelta(hours=1)
# After an orderly shutdown uvicorn ends by the signal it was sent, unless interrupts are ignored here.
ENDED_IN_ORDER = (-signal.SIGTERM, 0)
APP = "https://app.example"
BURST = 5

# Two users who are both like this support every reason, with these details.
ALIKE: dict[str, object] = {
    "latitude": 52.0,
    "longitude": 13.0,
    "interests": ["jazz", "chess"],
    "texts": {"About me": "I sail"},
    "facts": {"smokes_at": "parties"},
    "traits": {"humour": 8},
    "wants": {"humour": 0.6},
}
DETAIL = {"shared_interests": ["chess", "jazz"], "in_common": ["smokes at (parties)"]}
LISTS = "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'matching.match_lists'::regclass"
JSON_COLUMNS = ("texts", "facts", "traits", "wants")
UNEXPECTED = [[{"code": "close_by", "detail": "Secretive is not a list"}]]
"""Reasons that the API cannot read."""


class Api:
    """The running server, asked over HTTP."""

    def __init__(self, url: str, log: Path, process: subprocess.Popen[bytes]) -> None:
        self.client = httpx2.Client(base_url=url, timeout=30)
        self.log = log
        self.process = process

    def log_lines(self) -> list[dict[str, object]]:
        whole, _, _ = self.log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx2.Response:
        authorization = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.client.get(path, headers=authorization | headers)

    def me(self, viewer: uuid.UUID, path: str, **headers: str) -> httpx2.Response:
        return self.get(f"/v1/me/{path}", token_for(viewer), **headers)

    def matches(self, viewer: uuid.UUID) -> httpx2.Response:
        return self.me(viewer, "matches")

    def read(self, viewer: uuid.UUID, path: str = "matches") -> dict[str, Any]:
        """The body of a response that is no problem."""
        response = self.me(viewer, path)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    def open(self, viewer: uuid.UUID, candidate: object) -> httpx2.Response:
        return self.me(viewer, f"matches/{candidate}")

    def page(self, viewer: uuid.UUID, limit: int, cursor: str | None = None) -> dict[str, Any]:
        return self.read(viewer, page_path(limit, cursor))

    def shown(self, viewer: uuid.UUID, limit: int | None = None) -> list[uuid.UUID]:
        """The candidates that a viewer is shown, in order."""
        return ids(self.read(viewer, "matches" if limit is None else f"matches?limit={limit}"))

    def similar(self, viewer: uuid.UUID, limit: int = 50) -> list[uuid.UUID]:
        return ids(self.read(viewer, f"similar?limit={limit}"))


def page_path(limit: int, cursor: str | None) -> str:
    return f"matches?limit={limit}" + ("" if cursor is None else f"&cursor={cursor}")


def ids(body: Mapping[str, Any]) -> list[uuid.UUID]:
    return [uuid.UUID(match["candidate"]["id"]) for match in body["matches"]]


def problem(response: httpx2.Response, status: HTTPStatus, kind: str | None = None) -> dict[str, Any]:
    """The problem of a response, once its shape is right; `kind` is the end of its type."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    Problem.model_validate_json(response.content, strict=True)
    body: dict[str, Any] = response.json()
    assert (body["title"], body["status"]) == (TITLES[status], status)
    assert body["detail"]
    assert kind is None or body["type"] == (kind if kind == "about:blank" else f"urn:delete:problem:{kind}")
    return body


class Users:
    """Users and what they do, written as the app and the pipeline would."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def add(self, gender: str = "woman", **columns: object) -> uuid.UUID:
        """A user who fits everyone of the other gender, unless `columns` say otherwise."""
        row: dict[str, object] = {
            "id": uuid.uuid4(),
            "display_name": "Somebody",
            "birth_date": date(1990, 1, 1),
            "gender": gender,
            "seeks": ["man" if gender == "woman" else "woman"],
        }
        row |= columns
        row |= {name: Jsonb(row[name]) for name in JSON_COLUMNS if name in row}
        names, values = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        self.run(f"INSERT INTO app.profiles ({names}) VALUES ({values})", **row)
        return uuid.UUID(str(row["id"]))

    def men(self, count: int, **columns: object) -> list[uuid.UUID]:
        return [self.add("man", **columns) for _ in range(count)]

    def viewer(self, men: int = 1, **columns: object) -> tuple[uuid.UUID, list[uuid.UUID]]:
        """A woman and the men on her published list."""
        me, listed = self.add("woman", **columns), self.men(men, **columns)
        self.publish({me: listed})
        return me, listed

    def neighbours(self, men: int, encoder: str = "letters") -> tuple[uuid.UUID, list[uuid.UUID]]:
        """A woman and men, those with the nearest embeddings first."""
        me, others = self.add(), self.men(men)
        for number, person in enumerate([me, *others]):
            self.embed(person, math.cos(number / (men + 1)), math.sin(number / (men + 1)), encoder)
        return me, others

    def run(self, statement: str, **values: object) -> None:
        self.connection.execute(statement.encode(), values)

    def change(self, person: uuid.UUID, **columns: object) -> None:
        assignments = ", ".join(f"{name} = %({name})s" for name in columns)
        self.run(f"UPDATE app.profiles SET {assignments} WHERE id = %(person)s", **columns, person=person)

    def erase(self, person: uuid.UUID) -> None:
        self.connection.execute("DELETE FROM app.profiles WHERE id = %s", [person])

    def block(self, blocker: uuid.UUID, blocked: uuid.UUID) -> None:
        self.connection.execute("INSERT INTO app.blocks VALUES (%s, %s)", [blocker, blocked])

    def act(self, actor: uuid.UUID, kind: str, target: uuid.UUID) -> None:
        statement = "INSERT INTO app.interactions (actor_id, target_id, kind) VALUES (%s, %s, %s)"
        self.connection.execute(statement, [actor, target, kind])

    def embed(self, person: uuid.UUID, first: float, second: float, encoder: str = "letters") -> None:
        """An embedding whose direction is that of (first, second)."""
        self.connection.execute(
            "INSERT INTO matching.embeddings (profile_id, encoder, content_hash, embedding) VALUES (%s, %s, '', %s)",
            [person, encoder, f"[{first},{second}{',0' * 382}]"],
        )

    def publish(
        self,
        lists: Mapping[uuid.UUID, Sequence[uuid.UUID]],
        p_match: Sequence[float] | None = None,
        reasons: Sequence[Sequence[Mapping[str, object]]] | None = None,
        made_at: datetime | None = None,
        encoder: str = "letters",
    ) -> int:
        """Make these lists the live publication, in one transaction; p_match and reasons are those of every list."""
        with self.connection.transaction():
            row = self.connection.execute(
                "INSERT INTO matching.publications (ranker_version, encoder, created_at)"
                " VALUES ('1', %s, coalesce(%s, now())) RETURNING id",
                [encoder, made_at],
            )
            publication = int(row.fetchall()[0][0])
            table = f"matching.match_lists_{publication} PARTITION OF matching.match_lists"
            self.run(f"CREATE TABLE {table} FOR VALUES IN ({publication})")
            for viewer, candidates in lists.items():
                chances = list(p_match or [0.5] * len(candidates))
                why = Jsonb(list(reasons or [[] for _ in candidates]))
                self.connection.execute(
                    "INSERT INTO matching.match_lists VALUES (%s, %s, %s, %s::real[], %s::real[], %s::real[], %s)",
                    [publication, viewer, list(candidates), chances, chances, chances, why],
                )
            self.connection.execute("UPDATE matching.publications SET state = 'retired' WHERE state = 'live'")
            self.connection.execute("UPDATE matching.publications SET state = 'live' WHERE id = %s", [publication])
        return publication

    def pair(self, publication: int, viewer: uuid.UUID, partner: uuid.UUID, p_match: float = 0.5, *codes: str) -> None:
        """Make `partner` most compatible with a viewer who has a list."""
        reasons = Jsonb([{"code": code, "detail": DETAIL.get(code, [])} for code in codes])
        self.connection.execute(
            "UPDATE matching.match_lists SET most_compatible_id = %s, most_compatible_p_match = %s,"
            " most_compatible_reasons = %s WHERE publication_id = %s AND viewer_id = %s",
            [partner, p_match, reasons, publication, viewer],
        )

    def lock_lists(self) -> None:
        """Keep the API from reading lists until the transaction ends."""
        self.run("LOCK TABLE matching.match_lists IN ACCESS EXCLUSIVE MODE")

    def waiting(self) -> int:
        """The number of connections of the API that wait for a lock."""
        query = "SELECT FROM pg_stat_activity WHERE application_name = 'delete-serving' AND wait_event_type = 'Lock'"
        self.run("SELECT pg_stat_clear_snapshot()")
        return self.connection.execute(query).rowcount


@pytest.fixture(scope="session")
def api_database(server: psycopg.Connection, template_url: str) -> Iterator[str]:
    """The database the API reads, `postgresql+psycopg://`."""
    template = make_url(template_url)
    name = f"serving_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template.database}")
    yield template.set(database=name).render_as_string(hide_password=False)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def api(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API of nearly all tests; one viewer may send any number of requests."""
    log = tmp_path_factory.mktemp("api") / "log"
    with serving(api_database, log, MATCHING_RATE_PER_SECOND="1e6", MATCHING_RATE_BURST="1000000") as api:
        yield api


@pytest.fixture(scope="session")
def strict_api(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API with published keys, origins and a low rate limit, on a Python with other phrases of statuses."""
    folder = tmp_path_factory.mktemp("strict_api")
    # Python runs this module when it starts.
    (folder / "sitecustomize.py").write_text(
        "from http import HTTPStatus\nfor status in HTTPStatus: status.phrase = f'another phrase for {int(status)}'\n"
    )
    with issuer.published(*issuer.all_keys()) as sign_in:
        variables = {
            "MATCHING_JWT_SECRET": "",
            "MATCHING_JWKS_URL": sign_in.url,
            "MATCHING_JWT_ISSUER": issuer.ISSUER,
            "MATCHING_JWT_AUDIENCE": issuer.AUDIENCE,
            "MATCHING_JWT_LEEWAY_SECONDS": "20",
            "MATCHING_CURSOR_SECRET": "another secret of the tests, for the cursors",
            "MATCHING_RATE_PER_SECOND": "0.001",
            "MATCHING_RATE_BURST": str(BURST),
            "MATCHING_CORS_ORIGINS": f"{APP}, http://localhost:5173",
            "PYTHONPATH": str(folder),
        }
        with serving(api_database, folder / "log", **variables) as api:
            yield api


@pytest.fixture(scope="session")
def telling(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API of nearly all tests, but where likes are told and arms named."""
    log = tmp_path_factory.mktemp("telling") / "log"
    rates = {"MATCHING_RATE_PER_SECOND": "1e6", "MATCHING_RATE_BURST": "1000000"}
    with serving(api_database, log, MATCHING_LIKES="told", MATCHING_ARM_HEADER="1", **rates) as api:
        yield api


@contextmanager
def serving(
    database_url: str, log: Path, application: str = "serving.app", ready: str = "/livez", **variables: str
) -> Iterator[Api]:
    """The API as it is run, by uvicorn, with its log in a file; environment variables that are empty are unset.

    `application` may be another module with a `create_app`, which is there once `ready` answers.
    """
    port = free_port()
    environment = os.environ | {"DATABASE_URL": database_url, "MATCHING_JWT_SECRET": SECRET} | variables
    environment = {name: value for name, value in environment.items() if value}
    words = ["-m", "uvicorn", f"{application}:create_app", "--factory", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", *words], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    api = Api(url, log, process)
    try:
        wait_until_served(url + ready, process, log)
        yield api
    finally:
        api.client.close()
        process.terminate()
        assert process.wait(timeout=20) in ENDED_IN_ORDER, log.read_text()
        assert "Application shutdown complete." in log.read_text()


@pytest.fixture
def users(api_database: str) -> Iterator[Users]:
    """The API's database without users and publications."""
    with psycopg.connect(convert_to_libpq_url(api_database), autocommit=True) as connection:
        for (lists,) in connection.execute(LISTS).fetchall():  # truncating them would take longer each time
            connection.execute(f"DROP TABLE {lists}".encode())
        connection.execute("TRUNCATE app.profiles, matching.publications CASCADE")
        yield Users(connection)


def wait_until_served(url: str, process: subprocess.Popen[bytes], log: Path | None = None) -> None:
    def answers() -> bool:
        assert process.poll() is None, log and log.read_text()
        try:
            return httpx2.get(url, timeout=30).status_code == 200
        except httpx2.TransportError:
            return False

    until(answers)


def token_for(person: uuid.UUID, lifetime: timedelta = HOUR) -> str:
    return issue_token(Settings(jwt_secret=SECRET), person, lifetime)
