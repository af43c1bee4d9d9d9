"""Publications that die half-way, for real: killed processes, lost connections, a full disk, two builders at once."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, create_engine

from models.db.errors import DatabaseUnavailable, NotEnoughProfiles, PublicationRefused
from models.db.match_lists import MatchList
from models.db.publications import StoredPublication, roll_back
from tests.models_db.conftest import (
    TOWN,
    fetch,
    find_partitions,
    list_for,
    live,
    person_id,
    publications,
    publish_lists,
    run,
    stored_lists,
)
from tests.support.waiting import until

KILLABLE = """
import os, signal, sys
from datetime import UTC, date, datetime
from sqlalchemy import create_engine, event
from models.db.publications import publish_match_lists
from models.db.match_lists import MatchList

moment, url, *ids = sys.argv[1:]

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def lists():
    for viewer, candidate in zip(ids, reversed(ids)):
        yield MatchList(viewer, [candidate], [0.5], [0.5], [0.25], "[[]]")
    if moment == "copy":
        kill()

engine = create_engine(url)
if moment == "switch":  # whose first step is to look for readers
    event.listen(engine, "before_cursor_execute", lambda *call: "FROM pg_locks" in call[2] and kill())
publish_match_lists(engine, lists(), ranker_version="7", encoder="letters", metrics={}, as_of=date(2020, 2, 1),
                    scored_at=datetime(2020, 2, 1, tzinfo=UTC))
"""


@pytest.fixture
def before(town: Engine) -> StoredPublication:
    """The publication that is live when another one breaks."""
    return publish_lists(town, TOWN)


def builder(engine: Engine, moment: str) -> subprocess.Popen[bytes]:
    """A process that publishes lists for 2 and 3 and kills itself at a moment: copy, switch or never."""
    url = engine.url.render_as_string(hide_password=False)
    return subprocess.Popen([sys.executable, "-c", KILLABLE, moment, url, person_id(2), person_id(3)])


def builders(engine: Engine) -> int:
    """How many hold the lock."""
    locks = "pg_locks JOIN pg_database AS mine ON mine.oid = database AND datname = current_database()"
    return len(fetch(engine, f"SELECT FROM {locks} WHERE relation = 'matching.publication_lock'::regclass"))


def states(engine: Engine) -> list[str]:
    return [found.state for found in publications(engine)]


def assert_undisturbed(engine: Engine, before: StoredPublication, error: str) -> None:
    """Nothing of the broken publication is left but its record, and the next one goes through."""
    assert live(engine) == before
    broken = publications(engine)[0]
    assert (broken.state, broken.kept) == ("failed", False)
    assert error in broken.metrics["error"]
    assert find_partitions(engine) == {before.id}
    assert stored_lists(engine, before.id) == TOWN
    after = publish_lists(engine, TOWN)
    assert live(engine) == after
    assert stored_lists(engine, after.id) == TOWN


@pytest.mark.parametrize(
    ("error", "raises"),
    [
        (ZeroDivisionError("no market"), PublicationRefused),
        (NotEnoughProfiles("two people at least"), NotEnoughProfiles),
        (KeyboardInterrupt("Ctrl-C"), KeyboardInterrupt),
    ],
)
def test_lists_that_fail_half_way(
    town: Engine, before: StoredPublication, error: BaseException, raises: type[BaseException]
) -> None:
    def half_way() -> Iterator[MatchList]:
        yield list_for(1, [2])
        raise error

    with pytest.raises(raises, match=str(error)) as raised:
        publish_lists(town, half_way())
    assert error in (raised.value, raised.value.__cause__)
    assert_undisturbed(town, before, str(error))


def test_a_connection_lost_while_copying(town: Engine, before: StoredPublication) -> None:
    def lists() -> Iterator[MatchList]:
        yield list_for(1, [2])
        copying = "FROM pg_stat_activity WHERE query LIKE 'COPY matching.%'"
        assert fetch(town, f"SELECT pg_terminate_backend(pid, 5000) {copying}") == [(True,)]
        yield from (list_for(2, [1]) for _ in range(10_000))

    with pytest.raises(DatabaseUnavailable):
        publish_lists(town, lists())
    assert_undisturbed(town, before, "the database does not answer")


def do_at_viewer_3(engine: Engine, what: str) -> None:
    """Make the server do something when it stores the list of viewer 3."""
    body = f"$$ BEGIN IF viewer = '{person_id(3)}' THEN {what}; END IF; RETURN true; END $$"
    run(engine, f"CREATE FUNCTION at_viewer_3(viewer uuid) RETURNS boolean LANGUAGE plpgsql AS {body}")
    run(engine, "ALTER TABLE matching.match_lists ADD CHECK (at_viewer_3(viewer_id)) NOT VALID")


def test_a_disk_that_fills(town: Engine, before: StoredPublication) -> None:
    no_space = "RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'"
    do_at_viewer_3(town, no_space)
    run(town, f"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {no_space}; END $$")
    trigger = "TRIGGER full_disk BEFORE {} ON matching.publications FOR EACH ROW EXECUTE FUNCTION full_disk()"
    expected = [
        ("", ["failed", "live"]),
        ("UPDATE", ["building", "failed", "live"]),  # so full that the failure cannot be recorded
        ("INSERT", ["failed", "failed", "live"]),
    ]
    for full, found in expected:
        if full:
            run(town, "CREATE OR REPLACE " + trigger.format(full))
        with pytest.raises(PublicationRefused, match="no room"):
            publish_lists(town, TOWN)
        assert states(town) == found
        assert builders(town) == 0
    run(town, "DROP FUNCTION at_viewer_3, full_disk CASCADE")
    publish_lists(town, TOWN)
    assert states(town) == ["live", "failed", "failed", "retired"]
    assert stored_lists(town, before.id) == TOWN


def test_no_server() -> None:
    nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnavailable, match="refused"):
        publish_lists(nowhere, TOWN)
    with pytest.raises(DatabaseUnavailable, match="refused"):
        roll_back(nowhere)


@pytest.mark.parametrize(("moment", "stored"), [("copy", {1}), ("switch", {1, 2})])
def test_a_builder_killed(town: Engine, before: StoredPublication, moment: str, stored: set[int]) -> None:
    with builder(town, moment) as process:
        assert process.wait(60) == -signal.SIGKILL
    until(lambda: builders(town) == 0)
    assert states(town) == ["building", "live"]
    assert live(town) == before
    assert find_partitions(town) == stored
    with pytest.raises(PublicationRefused):
        publish_lists(town, {})
    broken = publications(town)[1]
    assert (broken.id, broken.state) == (2, "failed")
    assert "its process ended" in broken.metrics["error"]
    assert find_partitions(town) == {1}, "even a publication that fails clears up"


def test_a_builder_killed_while_the_server_is_busy(town: Engine) -> None:
    """A server that is not waiting for its client has to notice by itself, or the lock would stay."""
    do_at_viewer_3(town, "PERFORM pg_sleep(300)")
    sleeping = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    with builder(town, "never") as process:
        until(lambda: fetch(town, sleeping), seconds=60)
        process.kill()
    until(lambda: builders(town) == 0)


def test_two_at_once(town: Engine, before: StoredPublication) -> None:
    copying, go_on = threading.Event(), threading.Event()

    def slow_lists() -> Iterator[MatchList]:
        yield list_for(1, [2])
        copying.set()
        assert go_on.wait(30)
        yield list_for(2, [1])

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(publish_lists, town, slow_lists())
        try:
            assert copying.wait(30)
            with pytest.raises(PublicationRefused, match="another publication is being built"):
                publish_lists(town, TOWN)
            with pytest.raises(PublicationRefused, match="another publication is being built"):
                roll_back(town)
            assert states(town) == ["building", "live"]
        finally:
            go_on.set()
        published = first.result()
    assert live(town) == published
    assert stored_lists(town, published.id) == {1: [2], 2: [1]}
