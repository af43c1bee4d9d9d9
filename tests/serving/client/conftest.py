"""The TypeScript client as it is built, or a skipped test that says what this machine lacks for it."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from models.db.engines import convert_to_libpq_url

CLIENT = Path(__file__).parents[3] / "serving" / "client"
OLDEST_NODE = 18


@cache
def lacking() -> str | None:
    """What keeps this machine from building the client, if anything does."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return f"no Node.js here; install node {OLDEST_NODE} or newer and npm, then `make client`"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").split(".")[0]) < OLDEST_NODE:
        return f"Node.js {version.strip()} is too old; install {OLDEST_NODE} or newer, then `make client`"
    if not (CLIENT / "node_modules" / ".package-lock.json").exists():
        return "serving/client/node_modules is not there; `make client` installs it"
    return None


def run(*command: str, stdin: str | None = None, **variables: str) -> str:
    """What a command in the client's folder prints; an assertion with all of it if it fails."""
    environment = os.environ | variables
    done = subprocess.run(
        command, cwd=CLIENT, env=environment, input=stdin, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def node() -> None:
    """Node.js and the client's packages."""
    if reason := lacking():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def client(node: None) -> Path:
    """The client's folder, with the client built in it."""
    with (CLIENT / "node_modules" / ".building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be at it
        run("npm", "run", "build")
    return CLIENT


@contextmanager
def slow(database_url: str) -> Iterator[None]:
    """A database that answers nothing about matches while this lasts."""
    with psycopg.connect(convert_to_libpq_url(database_url)) as connection:
        connection.execute("LOCK TABLE matching.match_lists IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


@contextmanager
def scenes(actions: Mapping[str, Callable[[], object]]) -> Iterator[str]:
    """A URL under which each action happens when it is asked for by its name; anything else is a plain 404."""

    class Scenes(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            action = actions.get(self.path.removeprefix("/"))
            if action is not None:
                action()
            self.send_response(404 if action is None else 200)
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 -- the name is http.server's
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Scenes) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
