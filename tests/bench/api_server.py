"""What the API's benchmark runs: the API with two more routes, FastAPI with only an empty one, and pgbench."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

import psutil
from fastapi import FastAPI, Response
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from models.db.embedded.server import _find_programs
from models.db.engines import convert_to_libpq_url, resolve_database_url
from models.db.settings import get_settings
from serving.app import create_app
from serving.dependencies import Viewer
from serving.queries.read_pool import SETTINGS
from serving.queries.viewer_matches import PAGE
from serving.queries.wording.dictionary import load_dictionary
from tests.bench import api_orm
from tests.bench.api_population import PAUSED_ONE_IN

SECRET = "a secret of the benchmark, long enough for HS256"
CONNECTIONS = 16
START_SECONDS = 60


def measured() -> FastAPI:
    """The API, an empty route behind the same middleware and sign-in, and the endpoint with an ORM."""
    app = create_app()
    app.state.sessions = async_sessionmaker(create_async_engine(resolve_database_url(get_settings())))
    app.include_router(api_orm.router)

    @app.get("/empty")
    async def get_empty(_: Viewer) -> Response:
        return Response(b"{}", media_type="application/json")

    return app


def bare() -> FastAPI:
    app = FastAPI()

    @app.get("/livez")
    @app.get("/empty")
    async def get_empty() -> Response:
        return Response(b"{}", media_type="application/json")

    return app


@contextmanager
def running(factory: str, url: str, log: Path) -> Iterator[tuple[int, psutil.Process]]:
    """The port and process of a server as `make serve` starts it, of one of this module's factories."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    environment = os.environ | {
        "DATABASE_URL": url,
        "MATCHING_JWT_SECRET": SECRET,
        "MATCHING_LIKES": "told",
        "MATCHING_RATE_PER_SECOND": "1e6",
        "MATCHING_RATE_BURST": "1000000",
    }
    app = [f"{__name__}:{factory}", "--factory", "--port", str(port), "--no-access-log", "--no-server-header"]
    command = [sys.executable, "-m", "uvicorn", *app]
    with log.open("w") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(port, server, log)
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/livez", timeout=5).close()
        except URLError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not start: {log.read_text()}") from None
            time.sleep(0.1)
        else:
            return


def pgbench_rate(url: str, people: int, seconds: float) -> float:
    """How often a second pgbench, with 16 connections, gets the first 20 matches of random viewers: by the statement,
    role and session settings of the API, prepared.
    """
    with TemporaryDirectory() as folder:
        script = Path(folder) / "matches.sql"
        script.write_text(_write_script(people))
        command = [str(_find_programs() / "pgbench"), "--no-vacuum", "--protocol=prepared", f"--file={script}"]
        command += [f"--client={CONNECTIONS}", "--jobs=2", f"--time={round(seconds)}"]
        command += [
            f"--define=sentences={load_dictionary(None)['en'].templates}",
            "--define=shown={}",
            convert_to_libpq_url(url),
        ]
        environment = os.environ | {"PGOPTIONS": pgbench_options()}
        report = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return float(report.partition("tps = ")[2].split()[0])


def pgbench_options() -> str:
    """The API's session settings as PGOPTIONS."""
    return " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())


def _write_script(people: int) -> str:
    statement = PAGE.strip()
    parameters = {"viewer_id": "md5(:number)::uuid", "limit": "20", "room": "20", "begun": "NULL"}
    for name, value in (parameters | {"shown": ":shown", "sentences": ":sentences"}).items():
        statement = statement.replace(f"%({name})s", value)
    # No paused users, as in the load on the API.
    numbers = f"{PAUSED_ONE_IN} * random(0, {people // PAUSED_ONE_IN - 1}) + random(2, {PAUSED_ONE_IN})"
    return f"\\set number {numbers}\n{statement};\n"
