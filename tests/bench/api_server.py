"""What the API's benchmark runs: the real application with two routes more, and FastAPI with nothing but one."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
from fastapi import FastAPI, Response
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from models.db.engines import resolve_database_url
from models.db.settings import get_settings
from serving.app import create_app
from serving.dependencies import Viewer
from tests.bench import api_orm

SECRET = "a secret of the benchmark, long enough for HS256"
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
    """FastAPI and an empty route."""
    app = FastAPI()

    @app.get("/empty")
    async def get_empty() -> Response:
        return Response(b"{}", media_type="application/json")

    @app.get("/livez")
    async def get_liveness() -> Response:
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
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", *app], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _await(port, server, log)
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _await(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
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
