"""The commands behind a pooler that lends sessions by the transaction, as they are without one."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import NIGHTLY_JOB, list_assets_without_training
from pipelines.loaders.simulation import simulated_loader
from pipelines.store.run_lock import try_run_lock
from tests.pgbouncer import pooled
from tests.pipelines.conftest import Databases, Place
from tests.pipelines.store.test_run_lock import HOLD, is_free
from tests.support.places import copied
from tests.support.waiting import until

LEFT = """
SELECT (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_class WHERE relpersistence = 't'),
       (SELECT count(*) FROM pg_settings WHERE source = 'session' AND name NOT IN ('client_encoding', 'DateStyle'))
"""


@pytest.fixture
def pooled_place(place: Place) -> Iterator[Place]:
    """An empty home and an empty database behind a pooler."""
    with pooled(place.database_url, sessions=5) as url:
        yield Place(place.home, url)


def test_load_run_rollback_and_erase(settled: Place, databases: Databases, tmp_path: Path) -> None:
    states = "SELECT state FROM matching.publications ORDER BY id"
    with copied(settled, databases, tmp_path / "home") as place, pooled(place.database_url, sessions=5) as url:
        behind = Place(place.home, url)
        simulated_loader.load_simulated(behind.engine, 5, 2, behind.home)
        run_job(behind.settings, NIGHTLY_JOB, list_assets_without_training())
        assert place.ask(states) == [("retired",), ("live",)]
        for words in (["rollback"], ["erase", "simulated:1-150:7"]):
            done = behind.command(*words)
            assert done.returncode == 0, done.stderr
        assert place.ask(states) == [("live",), ("retired",)]
        assert place.ask("SELECT count(*) FROM app.profiles") == [(150 + 5 - 1,)]
        assert {row for _ in range(20) for row in behind.ask(LEFT)} == {(0, 0, 0)}


def test_migrate(databases: Databases, template_url: str, tmp_path: Path) -> None:
    with databases() as url, pooled(url, sessions=2) as behind:
        Place(tmp_path, url).tell("DROP SCHEMA app, matching, matching_api CASCADE")
        for _ in range(2):
            migrated = Place(tmp_path, behind).command("migrate")
            assert migrated.returncode == 0, migrated.stderr
        assert Place(tmp_path, behind).ask("SELECT count(*) FROM app.profiles") == [(0,)]
        assert Place(tmp_path, behind).ask(LEFT) == [(0, 0, 0)]


def test_one_run_at_a_time_and_a_lock_that_dies_with_its_process(place: Place, pooled_place: Place) -> None:
    command = [sys.executable, "-c", HOLD, pooled_place.database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        for _ in range(10):  # other transactions, by which the pooler would lend its session to others
            pooled_place.ask("SELECT 1")
        assert not is_free(place)
        assert not is_free(pooled_place)
        process.send_signal(signal.SIGKILL)
    until(lambda: is_free(place))
    with try_run_lock(pooled_place.engine) as free:
        assert free
        assert not is_free(place)
    assert is_free(place)
