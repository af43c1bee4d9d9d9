"""`kill -9` of `matching run`: what was published stays, whole, and running again finishes."""

import signal
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from tests.pipelines.conftest import Databases, Place
from tests.pipelines.forked import forked
from tests.serving.conftest import serving
from tests.support.places import copied
from tests.support.waiting import until

# Some that write what the next run finds, with the options of their run; of the publication see the test below.
STEPS = {"profile_embeddings": (), "ranker": ("--train",), "scored_candidates": ()}
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
def town(settled: Place, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A copy of the settled population and its live publication, to be changed."""
    with copied(settled, databases, tmp_path_factory.mktemp("crash") / "home") as place:
        yield place


@pytest.fixture(scope="module")
def shown(town: Place) -> Iterator[Callable[[], list[uuid.UUID]]]:
    """Asks the API for the list of one viewer."""
    ((viewer,),) = town.ask("SELECT min(viewer_id::text)::uuid FROM matching.matches")
    with serving(town.database_url, town.home / "log", **HURRIED) as api:
        yield lambda: api.shown(viewer)


def live(town: Place) -> tuple[int, int, int]:
    """The live publication, and the counts of what it holds."""
    ((publication, viewers, pairs),) = town.ask(LIVE)
    assert town.ask(LISTS) == [(viewers, pairs)]
    return publication, viewers, pairs


@contextmanager
def asked_all_the_time(shown: Callable[[], list[uuid.UUID]]) -> Iterator[list[list[uuid.UUID]]]:
    """Whom the API shows during the block."""
    lists: list[list[uuid.UUID]] = []
    done = Event()

    def ask() -> None:
        while not done.wait(0.1):
            lists.append(shown())

    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(ask)
        try:
            yield lists
        finally:
            done.set()
        asked.result()


def kill_at(town: Place, step: str) -> None:
    """Run the pipeline and kill it as soon as it says that it is at this step."""
    with forked(town.environment, "run", *STEPS[step]) as (process, _, err):
        until(lambda: f"▸ {step}\n" in err.read_text() or not process.is_alive())
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, err.read_text()


def test_killed_at_a_step_what_was_published_stays(
    town: Place, shown: Callable[[], list[uuid.UUID]], subtests: pytest.Subtests
) -> None:
    before, list_before = live(town), shown()
    for step in STEPS:
        with subtests.test(step):
            town.tell(EDIT)
            with asked_all_the_time(shown) as lists:
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
    assert len(shown()) > 0


def test_killed_while_copying_nothing_of_it_is_seen(town: Place, shown: Callable[[], list[uuid.UUID]]) -> None:
    before, list_before = live(town), shown()
    town.tell(*SLOW)
    with forked(town.environment, "run") as (process, _, _):
        until(lambda: town.ask(COPYING))
        time.sleep(0.3)
    assert process.exitcode == -signal.SIGKILL
    assert (live(town), shown()) == (before, list_before)
    until(lambda: not town.ask(COPYING))
    town.tell(*FAST)
    assert (live(town), shown()) == (before, list_before)
    again = town.command("run")
    assert again.returncode == 0, again.stderr
    publication, _, _ = live(town)
    assert publication > before[0]
    failed = "SELECT id, metrics ->> 'error' FROM matching.publications WHERE state = 'failed' ORDER BY id DESC LIMIT 1"
    assert town.ask(failed) == [(publication - 1, "its process ended before it was done")]
    kept = town.ask("SELECT DISTINCT publication_id FROM matching.match_lists")
    assert (publication - 1,) not in kept
