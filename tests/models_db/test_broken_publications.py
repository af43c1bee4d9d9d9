"""Publications that die half-way, for real: killed processes, lost connections, a full disk, two builders at once."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, create_engine, text

from models.db.errors import DatabaseUnavailable, NotEnoughProfiles, PublicationRefused
from models.db.match_lists import MatchList
from models.db.publications import StoredPublication, get_live_publication, list_publications, partitions, roll_back
from tests.models_db.conftest import TOWN, list_for, person_id, publish_lists, run, stored_lists, wait_until

KILLABLE = """
import os, signal, sys, time
from datetime import UTC, date, datetime
from sqlalchemy import create_engine
from models.db.publications import switch
from models.db.match_lists import MatchList

moment, url, *ids = sys.argv[1:]

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def lists():
    for viewer, candidate in zip(ids, reversed(ids)):
        yield MatchList(viewer, [candidate], [0.5], [0.5], [0.25], "[[]]")
    if moment == "copy":
        kill()

if moment == "switch":
    switch._switch_live = kill
switch.publish_match_lists(create_engine(url), lists(), ranker_version="7", encoder="letters", metrics={},
               as_of=date(2020, 2, 1), scored_at=datetime(2020, 2, 1, tzinfo=UTC))
"""


@pytest.fixture
def before(town: Engine) -> StoredPublication:
    """The publication that is live when another one breaks."""
    return publish_lists(town, TOWN)


def builder(engine: Engine, moment: str) -> subprocess.Popen[bytes]:
    """A process that publishes lists for 1 and 2 and kills itself at a moment: copy, switch or never."""
    url = engine.url.render_as_string(hide_password=False)
    return subprocess.Popen([sys.executable, "-c", KILLABLE, moment, url, person_id(1), person_id(2)])


def locks(engine: Engine) -> int:
    """How many builders hold the lock."""
    query = "SELECT count(*) FROM pg_locks JOIN pg_database AS mine ON mine.oid = database"
    query += " WHERE relation = 'matching.publication_lock'::regclass AND datname = current_database()"
    with engine.connect() as connection:
        return connection.scalar(text(query)) or 0


def assert_undisturbed(engine: Engine, before: StoredPublication, error: str) -> None:
    """Nothing of the broken publication is left but its record, and the next one goes through."""
    with engine.connect() as connection:
        assert get_live_publication(connection) == before
        broken = list_publications(connection)[0]
        assert (broken.state, broken.kept) == ("failed", False)
        assert error in broken.metrics["error"]
        assert partitions.find_partitions(connection) == {before.id}
        assert stored_lists(connection, before.id) == TOWN
    after = publish_lists(engine, TOWN)
    with engine.connect() as connection:
        assert get_live_publication(connection) == after
        assert stored_lists(connection, after.id) == TOWN


def half_way(error: BaseException) -> Iterator[MatchList]:
    yield list_for(1, [2])
    raise error


def test_lists_that_fail_half_way_publish_nothing(town: Engine, before: StoredPublication) -> None:
    with pytest.raises(PublicationRefused, match="not published: ZeroDivisionError no market") as raised:
        publish_lists(town, half_way(ZeroDivisionError("no market")))
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert_undisturbed(town, before, "ZeroDivisionError no market")


def test_an_error_of_the_users_keeps_its_kind(town: Engine, before: StoredPublication) -> None:
    with pytest.raises(
        NotEnoughProfiles, match=r"publication 2 was not published: two people at least\. What was live"
    ):
        publish_lists(town, half_way(NotEnoughProfiles("two people at least")))
    assert_undisturbed(town, before, "two people at least")


def test_an_interrupted_publication_is_recorded_as_failed(town: Engine, before: StoredPublication) -> None:
    with pytest.raises(KeyboardInterrupt):
        publish_lists(town, half_way(KeyboardInterrupt()))
    assert_undisturbed(town, before, "KeyboardInterrupt")


def test_a_connection_lost_while_copying(town: Engine, before: StoredPublication) -> None:
    def lists() -> Iterator[MatchList]:
        yield list_for(1, [2])
        copying = (
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE query LIKE 'COPY matching.%'"
        )
        with town.connect() as other:
            assert other.scalar(text(copying)) == 1
        yield from (list_for(2, [1]) for _ in range(10_000))

    with pytest.raises(DatabaseUnavailable, match=r"the database does not answer .*; see that it runs, then try again"):
        publish_lists(town, lists())
    assert_undisturbed(town, before, "the database does not answer")


def room(engine: Engine, *, viewer: int, then: str) -> None:
    """Make the server do something when it stores the list of `viewer`."""
    run(engine, "CREATE FUNCTION room(viewer uuid) RETURNS boolean LANGUAGE plpgsql AS "
                f"$$ BEGIN IF viewer = '{person_id(viewer)}' THEN {then}; END IF; RETURN true; END $$")  # fmt: skip
    run(engine, "ALTER TABLE matching.match_lists ADD CHECK (room(viewer_id)) NOT VALID")


def free_room(engine: Engine) -> None:
    run(engine, "DROP FUNCTION room CASCADE")


NO_SPACE = "RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'"


def fill_disk(engine: Engine, *, when: str) -> None:
    run(engine, f"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {NO_SPACE}; END $$")
    run(engine, f"CREATE TRIGGER full_disk {when} EXECUTE FUNCTION full_disk()")


def test_a_disk_that_fills_while_copying(town: Engine) -> None:
    room(town, viewer=3, then=NO_SPACE)
    with pytest.raises(PublicationRefused, match=r"no room \(could not extend file: .*; free space on its disk, then"):
        publish_lists(town, TOWN)
    free_room(town)
    before = publish_lists(town, TOWN)
    room(town, viewer=5, then=NO_SPACE)
    with pytest.raises(PublicationRefused, match="no room"):
        publish_lists(town, TOWN)
    free_room(town)
    assert_undisturbed(town, before, "no room (could not extend file")


def test_a_disk_so_full_that_the_failure_cannot_be_recorded(town: Engine, before: StoredPublication) -> None:
    room(town, viewer=3, then=NO_SPACE)
    run(town, f"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {NO_SPACE}; END $$")
    run(
        town,
        "CREATE TRIGGER full_disk BEFORE UPDATE ON matching.publications FOR EACH ROW EXECUTE FUNCTION full_disk()",
    )
    with pytest.raises(PublicationRefused, match="no room"):
        publish_lists(town, TOWN)
    with town.connect() as connection:
        assert get_live_publication(connection) == before
        assert [found.state for found in list_publications(connection)] == ["building", "live"]
    run(town, "DROP FUNCTION full_disk CASCADE")
    free_room(town)
    publish_lists(town, TOWN)
    with town.connect() as connection:
        assert [found.state for found in list_publications(connection)] == ["live", "failed", "retired"]


def test_a_disk_that_is_full_from_the_start(town: Engine, before: StoredPublication) -> None:
    fill_disk(town, when="BEFORE INSERT ON matching.publications")
    with pytest.raises(PublicationRefused, match="no room"):
        publish_lists(town, TOWN)
    with town.connect() as connection:
        assert list_publications(connection) == [before]
    assert locks(town) == 0


def test_no_server() -> None:
    nowhere = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnavailable, match=r"the database does not answer .*refused"):
        publish_lists(nowhere, TOWN)
    with pytest.raises(DatabaseUnavailable, match=r"the database does not answer .*refused"):
        roll_back(nowhere)


@pytest.mark.parametrize("moment", ["copy", "switch"])
def test_a_builder_killed(town: Engine, before: StoredPublication, moment: str) -> None:
    with builder(town, moment) as process:
        assert process.wait(60) == -signal.SIGKILL
    wait_until(lambda: locks(town) == 0)
    with town.connect() as connection:
        assert get_live_publication(connection) == before
        assert [found.state for found in list_publications(connection)] == ["building", "live"]
        assert partitions.find_partitions(connection) == ({1} if moment == "copy" else {1, 2})
    with pytest.raises(PublicationRefused):
        publish_lists(town, {})
    with town.connect() as connection:
        broken = list_publications(connection)[1]
        assert (broken.id, broken.state) == (2, "failed")
        assert "its process ended" in broken.metrics["error"]
        assert partitions.find_partitions(connection) == {1}, "even a publication that fails clears up"
    assert publish_lists(town, {1: [2]}).state == "live"


def test_a_builder_killed_while_the_server_is_busy_for_it(town: Engine, before: StoredPublication) -> None:
    """A server that is not waiting for its client has to notice by itself, or the lock would stay."""
    room(town, viewer=1, then="PERFORM pg_sleep(300)")
    with builder(town, "never") as process:
        wait_until(lambda: busy(town), seconds=60)
        process.kill()
    started = time.monotonic()
    wait_until(lambda: locks(town) == 0)
    assert time.monotonic() - started < 10
    free_room(town)
    assert publish_lists(town, TOWN).state == "live"


def busy(engine: Engine) -> bool:
    with engine.connect() as connection:
        sleeping = (
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep')"
        )
        return bool(connection.scalar(text(sleeping)))


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
            with pytest.raises(PublicationRefused, match="another publication is being built; wait until it is done"):
                publish_lists(town, TOWN)
            with pytest.raises(PublicationRefused, match="another publication is being built"):
                roll_back(town)
            with town.connect() as connection:
                assert [found.state for found in list_publications(connection)] == ["building", "live"]
        finally:
            go_on.set()
        published = first.result()
    with town.connect() as connection:
        assert get_live_publication(connection) == published
        assert stored_lists(connection, published.id) == {1: [2], 2: [1]}


def test_the_lock_is_given_back(town: Engine, before: StoredPublication) -> None:
    publish_lists(town, TOWN)
    roll_back(town)
    with pytest.raises(PublicationRefused):
        publish_lists(town, {})
    assert locks(town) == 0
