"""`kill -9` of `matching run`: what was published stays, whole, and running again finishes."""

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event

import httpx2
import pytest

from models.db.tokens import issue_token
from tests.pipelines.conftest import Place, RunOnce
from tests.pipelines.forked import forked
from tests.support.waiting import free_port, until

# Where something is written that the next run finds: vectors and shards, a version of the ranker, shards, frames, rows.
# Each with the options of its run: without training a run comes sooner to the steps behind.
STEPS = {
    "profile_embeddings": (),
    "ranker": ("--train",),
    "scored_candidates": (),
    "match_lists": (),
    "publication": (),
}
LIVE = "SELECT id, viewer_count, pair_count FROM matching.publications WHERE state = 'live'"
LISTS = "SELECT count(DISTINCT viewer_id), count(*) FROM matching.matches WHERE state = 'live'"
# One row a tenth of a second: long enough to be seen copying.
SLOW = (
    "CREATE FUNCTION slowly() RETURNS boolean LANGUAGE sql VOLATILE AS $$ SELECT pg_sleep(0.1) IS NOT NULL $$",
    "ALTER TABLE matching.match_lists ADD CONSTRAINT slowly CHECK (slowly()) NOT VALID",
)
FAST = ("ALTER TABLE matching.match_lists DROP CONSTRAINT slowly", "DROP FUNCTION slowly")
COPYING = """
SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY matching.match_lists%' AND datname = current_database()
"""
HURRIED = {"MATCHING_RATE_PER_SECOND": "1000", "MATCHING_RATE_BURST": "1000"}
EDIT = """
UPDATE app.profiles SET updated_at = now(), texts = texts || '{"Lately": "I learn to sail, and fall into the water."}'
WHERE id = (SELECT min(viewer_id::text)::uuid FROM matching.matches)
"""


@pytest.fixture(scope="module")
def town(run_once: RunOnce) -> Iterator[Place]:
    """A town of 60 with a live publication."""
    with run_once(60, 3) as place:
        yield place


@pytest.fixture(scope="module")
def api(town: Place) -> Iterator[httpx2.Client]:
    """The API over the town, as somebody with a list asks it."""
    ((viewer,),) = town.ask("SELECT min(viewer_id::text) FROM matching.matches")
    token = issue_token(town.settings, uuid.UUID(viewer), timedelta(hours=1))
    port = str(free_port())
    command = [sys.executable, "-m", "uvicorn", "serving.app:create_app", "--factory", "--port", port]
    with (
        subprocess.Popen([*command, "--log-level", "warning"], env=town.environment | HURRIED) as process,
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}) as client,
    ):
        try:
            until(lambda: answers(client))
            yield client
        finally:
            process.terminate()


def answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def shown(api: httpx2.Client) -> list[str]:
    answer = api.get("/v1/me/matches")
    assert answer.status_code == 200, answer.text
    return [match["candidate"]["id"] for match in answer.json()["matches"]]


def live(town: Place) -> tuple[int, int, int]:
    """The live publication and what it should hold, after counting that it does."""
    ((publication, viewers, pairs),) = town.ask(LIVE)
    assert town.ask(LISTS) == [(viewers, pairs)]
    return publication, viewers, pairs


@contextmanager
def asked_all_the_time(api: httpx2.Client) -> Iterator[list[list[str]]]:
    """Whom the API showed, asked again and again for the length of the block."""
    lists: list[list[str]] = []
    done = Event()

    def ask() -> None:
        while not done.wait(0.1):
            lists.append(shown(api))

    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(ask)
        try:
            yield lists
        finally:
            done.set()
        asked.result()


def kill_at(town: Place, step: str) -> None:
    """Run the pipeline and kill it as soon as it says that it is at this step."""
    said = []
    with forked(town.environment, "run", *STEPS[step]) as (process, lines):
        for line in lines:
            said.append(line)
            if line == f"▸ {step}\n":
                process.kill()
                break
    assert process.exitcode == -signal.SIGKILL, "".join(said)


def test_killed_at_a_step_what_was_published_stays(town: Place, api: httpx2.Client, subtests: pytest.Subtests) -> None:
    before, list_before = live(town), shown(api)
    for step in STEPS:
        with subtests.test(step):
            town.tell(EDIT)
            with asked_all_the_time(api) as lists:
                kill_at(town, step)
            assert live(town) == before
            assert len(lists) > 0
            assert all(each == list_before for each in lists)
    finished = town.command("run", "--train")
    assert finished.returncode == 0, finished.stderr
    publication, viewers, _ = live(town)
    assert publication > before[0]
    assert viewers == before[1]
    assert town.ask("SELECT count(*) FROM matching.publications WHERE state = 'building'") == [(0,)]
    assert len(shown(api)) > 0


def test_killed_while_copying_nothing_of_it_is_seen(town: Place, api: httpx2.Client) -> None:
    before, list_before = live(town), shown(api)
    town.tell(*SLOW)
    with forked(town.environment, "run") as (process, _):
        until(lambda: town.ask(COPYING))
        time.sleep(0.3)
        process.kill()
    assert process.exitcode == -signal.SIGKILL
    assert (live(town), shown(api)) == (before, list_before)
    until(lambda: not town.ask(COPYING))
    town.tell(*FAST)
    assert (live(town), shown(api)) == (before, list_before)
    again = town.command("run")
    assert again.returncode == 0, again.stderr
    publication, _, _ = live(town)
    assert publication > before[0]
    failed = "SELECT id, metrics ->> 'error' FROM matching.publications WHERE state = 'failed' ORDER BY id DESC LIMIT 1"
    assert town.ask(failed) == [(publication - 1, "its process ended before it was done")]
    kept = town.ask("SELECT DISTINCT publication_id FROM matching.match_lists")
    assert (publication - 1,) not in kept
