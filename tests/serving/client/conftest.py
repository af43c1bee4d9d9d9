"""The TypeScript client as it is built, or a skipped test that says what this machine lacks for it."""

import fcntl
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID, uuid4

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright

from models.db.engines import convert_to_libpq_url
from tests.examples.conftest import Backend, backend
from tests.serving.conftest import Api, Users

if TYPE_CHECKING:
    from tests.serving.client.browsing import Visit

__all__ = ["backend"]

CLIENT = Path(__file__).parents[3] / "serving" / "client"
NAMES = ("Emeka", "Jonas", "Luís", "Omar", "Kenji", "Mateo", "Ravi", "Søren", "Tomasz", "Yusuf", "Anton", "Zoltán")
REASONS = [{"code": "shared_interests", "detail": ["hiking", "jazz"]}, {"code": "close_by", "detail": []}]


@cache
def find_missing() -> str | None:
    """What keeps this machine from building the client, if anything does."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "no Node.js here; install node 18 or newer and npm, then `make client`"
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
    if reason := find_missing():
        pytest.skip(reason)


@pytest.fixture(scope="session")
def client(node: None) -> Path:
    """The client's folder, with the client built in it."""
    with (CLIENT / "node_modules" / ".building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker may be at it
        run("npm", "run", "build")
    return CLIENT


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    from tests.serving.client.browsing import CHROMIUM

    if CHROMIUM is None:
        pytest.skip("no browser here; install Debian's chromium, or Google Chrome")
    return CHROMIUM


@pytest.fixture(scope="module")  # not longer: Playwright keeps this thread's event loop to itself
def browser(chromium: str, client: Path) -> Iterator[Browser]:
    from tests.serving.client.browsing import QUIET

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=QUIET, chromium_sandbox=False)


@pytest.fixture(scope="session")
def example(chromium: str, client: Path, tmp_path_factory: pytest.TempPathFactory, api_database: str) -> Iterator[str]:
    """The URL of the built example, over an API where likes are told."""
    from tests.serving.client.browsing import site

    with site(tmp_path_factory.mktemp("site"), api_database, MATCHING_LIKES="told") as url:
        yield url


@pytest.fixture
def visit(browser: Browser, example: str) -> "Iterator[Visit]":
    from tests.serving.client.browsing import visiting

    with visiting(browser, example) as visit:
        yield visit


@pytest.fixture(scope="module")
def whole_example(chromium: str, client: Path, telling: Api, backend: Backend) -> Iterator[str]:
    """The URL of the example with its backend, as `make example` runs it, where likes are told."""
    from tests.serving.client.browsing import development_server

    with development_server(telling, backend) as url:
        yield url


@pytest.fixture
def stay(browser: Browser, whole_example: str) -> "Iterator[Visit]":
    """A visit of the example with its backend."""
    from tests.serving.client.browsing import visiting

    with visiting(browser, whole_example) as visit:
        yield visit


@contextmanager
def slow(database_url: str) -> Iterator[None]:
    """A database that answers nothing about matches while this lasts."""
    with psycopg.connect(convert_to_libpq_url(database_url)) as connection:
        Users(connection).lock_lists()
        yield
        connection.rollback()


TURNS = {"mine": timedelta(minutes=5), "theirs": timedelta(hours=3), "nobody": timedelta(days=2)}
"""When a conversation of each turn last had a message, or began: so long ago."""


def add_conversation(users: Users, me: UUID, him: UUID, turn: str) -> UUID:
    """A conversation of the two, two days old, in which it is that turn of mine; both wrote, or nobody did."""
    conversation, now = uuid4(), datetime.now(UTC)
    users.run(
        "INSERT INTO app.conversations (id, person_a, person_b, matched_at)"
        " VALUES (%(id)s, least(%(me)s, %(him)s), greatest(%(me)s, %(him)s), %(at)s)",
        id=conversation,
        me=me,
        him=him,
        at=now - timedelta(days=2),
    )
    senders = {"mine": (me, him), "theirs": (him, me), "nobody": ()}[turn]
    for ago, sender in zip((timedelta(days=1), TURNS[turn]), senders, strict=False):
        users.run(
            "INSERT INTO app.messages (conversation_id, sender_id, sent_at) VALUES (%(to)s, %(by)s, %(at)s)",
            to=conversation,
            by=sender,
            at=now - ago,
        )
    return conversation


class Viewer(NamedTuple):
    """A woman who looks at her matches."""

    id: UUID
    listed: list[UUID]
    """Her list, best first."""
    partner: UUID
    """Her most compatible candidate, who is not on her list."""
    others: list[UUID]
    """Similar users who follow her list, nearest first."""
    publication: int


def add_viewer(users: Users, listed: int = 64, others: int = 6) -> Viewer:
    """The first simulated person, and simulated men."""
    keys = (f"simulated:1-2000:{number}" for number in count())
    me = users.add(
        display_name="Helena",
        source_key=next(keys),
        latitude=52.5,
        longitude=13.4,
        interests=["jazz", "hiking"],
    )
    *men, partner = (
        users.add(
            "man",
            display_name=NAMES[number % len(NAMES)],
            source_key=next(keys),
            birth_date=date(1985 + number % 12, 1 + number % 12, 1),
            latitude=52.5 + number / 400,
            longitude=13.4,
            interests=["hiking", "jazz", "pottery"],
            texts={"What I love": "Long train rides, short emails, and soup.", "You should know": "I play the cello."},
        )
        for number in range(listed + others + 1)
    )
    for index, person in enumerate([me, *reversed(men)]):
        users.embed(person, math.cos(index / len(men)), math.sin(index / len(men)))
    chances = [0.9 - number / 100 for number in range(listed)]
    publication = users.publish({me: men[:listed]}, chances, [REASONS] * listed)
    users.pair(publication, me, partner, 0.27, "likely_mutual", "similar_answers")
    return Viewer(me, men[:listed], partner, men[listed:][::-1], publication)
