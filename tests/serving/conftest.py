"""The real API in a process of its own, over a database of its own, and a town that each test settles from nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx2
import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import make_url

from models.db.engines import convert_to_libpq_url
from models.db.settings import Settings
from models.db.tokens import issue_token

SECRET = "a secret of the tests that is long enough for HS256"
HOUR = timedelta(hours=1)
# Shut down in order, uvicorn ends of the signal it was sent; but not where whoever runs the tests ignores interrupts.
ENDED_IN_ORDER = (-signal.SIGTERM, 0)


# Two such people bear out every reason, these details included.
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
JSON_COLUMNS = ("texts", "facts", "traits", "wants")


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

    def matches(self, viewer: uuid.UUID, limit: int | None = None) -> httpx2.Response:
        query = "" if limit is None else f"?limit={limit}"
        return self.get(f"/v1/me/matches{query}", token_for(viewer))

    def shown(self, viewer: uuid.UUID, limit: int | None = None) -> list[uuid.UUID]:
        """The candidates that a viewer is shown, in order."""
        answer = self.matches(viewer, limit)
        assert answer.status_code == 200, answer.text
        return [uuid.UUID(match["candidate"]["id"]) for match in answer.json()["matches"]]


class Town:
    """People and what they do, written as the app and the pipeline would."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def person(self, gender: str = "woman", **columns: object) -> uuid.UUID:
        """Somebody who fits everybody of the other gender, unless `columns` say otherwise."""
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
        self.connection.execute(f"INSERT INTO app.profiles ({names}) VALUES ({values})", row)
        return uuid.UUID(str(row["id"]))

    def run(self, statement: str, **values: object) -> None:
        self.connection.execute(statement.encode(), values)

    def people(self, gender: str, count: int) -> list[uuid.UUID]:
        return [self.person(gender) for _ in range(count)]

    def change(self, person: uuid.UUID, **columns: object) -> None:
        assignments = ", ".join(f"{name} = %({name})s" for name in columns)
        self.connection.execute(
            f"UPDATE app.profiles SET {assignments} WHERE id = %(person)s", columns | {"person": person}
        )

    def erase(self, person: uuid.UUID) -> None:
        self.connection.execute("DELETE FROM app.profiles WHERE id = %s", [person])

    def block(self, blocker: uuid.UUID, blocked: uuid.UUID) -> None:
        self.connection.execute("INSERT INTO app.blocks VALUES (%s, %s)", [blocker, blocked])

    def act(self, actor: uuid.UUID, kind: str, target: uuid.UUID) -> None:
        self.connection.execute(
            "INSERT INTO app.interactions (actor_id, target_id, kind) VALUES (%s, %s, %s)", [actor, target, kind]
        )

    def embed(self, person: uuid.UUID, first: float, second: float, encoder: str = "letters") -> None:
        """An embedding whose direction is that of (first, second)."""
        embedding = f"[{first},{second}{',0' * 382}]"
        self.connection.execute(
            "INSERT INTO matching.embeddings (profile_id, encoder, content_hash, embedding) VALUES (%s, %s, '', %s)",
            [person, encoder, embedding],
        )

    def publish(
        self,
        lists: Mapping[uuid.UUID, Sequence[uuid.UUID]],
        p_match: Sequence[float] | None = None,
        reasons: Sequence[Sequence[Mapping[str, object]]] | None = None,
        made_at: datetime | None = None,
    ) -> int:
        """Make these lists the live publication, in one transaction; p_match and reasons are those of every list."""
        with self.connection.transaction():
            publication = self._announce(made_at)
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
        """Make `partner` the one of the day for a viewer who has a list."""
        reasons = Jsonb([{"code": code, "detail": []} for code in codes])
        self.connection.execute(
            "UPDATE matching.match_lists SET most_compatible_id = %s, most_compatible_p_match = %s,"
            " most_compatible_reasons = %s WHERE publication_id = %s AND viewer_id = %s",
            [partner, p_match, reasons, publication, viewer],
        )

    def _announce(self, made_at: datetime | None) -> int:
        row = self.connection.execute(
            "INSERT INTO matching.publications (ranker_version, encoder, created_at)"
            " VALUES ('1', 'letters', coalesce(%s, now())) RETURNING id",
            [made_at],
        ).fetchone()
        assert row is not None
        publication = int(row[0])
        self.connection.execute(
            f"CREATE TABLE matching.match_lists_{publication} PARTITION OF matching.match_lists"
            f" FOR VALUES IN ({publication})"
        )
        return publication


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
    """The API of all tests."""
    with serving(api_database, tmp_path_factory.mktemp("api") / "log") as api:
        yield api


@pytest.fixture(scope="session")
def telling(api_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The same API where likes are told."""
    with serving(api_database, tmp_path_factory.mktemp("telling") / "log", MATCHING_LIKES="told") as api:
        yield api


@contextmanager
def serving(database_url: str, log: Path, **variables: str) -> Iterator[Api]:
    """The API as it is run, by uvicorn, with its log in a file; environment variables that are empty are unset."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = os.environ | {"DATABASE_URL": database_url, "MATCHING_JWT_SECRET": SECRET} | variables
    environment = {name: value for name, value in environment.items() if value}
    command = [sys.executable, "-W", "error", "-m", "uvicorn", "serving.app:create_app", "--factory", "--port", port]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    api = Api(f"http://127.0.0.1:{port}", log, process)
    try:
        wait_until_alive(api, process)
        yield api
    finally:
        api.client.close()
        process.terminate()
        assert process.wait(timeout=20) in ENDED_IN_ORDER, log.read_text()
        assert "Application shutdown complete." in log.read_text()


@pytest.fixture
def town(api_database: str) -> Iterator[Town]:
    """The API's database with nobody in it and nothing published."""
    with psycopg.connect(convert_to_libpq_url(api_database), autocommit=True) as connection:
        connection.execute("TRUNCATE app.profiles, matching.publications CASCADE")
        yield Town(connection)


def wait_until_alive(api: Api, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while True:
        assert process.poll() is None, api.log.read_text()
        try:
            assert api.get("/livez").status_code == 200
        except httpx2.TransportError:
            assert time.monotonic() < deadline, api.log.read_text()
            time.sleep(0.05)
        else:
            return


def token_for(person: uuid.UUID, lifetime: timedelta = HOUR) -> str:
    return issue_token(Settings(jwt_secret=SECRET), person, lifetime)
