"""One run at a time in a database, whoever starts it, and a lock that ends with its process."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import dagster as dg
import pytest

from models.db.errors import DatabaseUnavailable, PublicationRefused
from models.db.settings import Settings
from pipelines import resources
from pipelines.assets.embeddings.incremental_embeddings import INCREMENTAL_JOB
from pipelines.commands.run_pipeline import run_job
from pipelines.definitions import EVALUATION_JOB, FRESHNESS_JOB, NIGHTLY_JOB, build_definitions
from pipelines.loaders.simulation import simulated_loader
from pipelines.resources import RETRIES
from pipelines.store import run_lock
from pipelines.store.run_lock import TIMEOUT_MESSAGE, WAITING_MESSAGE, exclusive_run, try_run_lock
from tests.pipelines.conftest import Place
from tests.support.waiting import until

HOLD = """
import sys, time
from sqlalchemy import create_engine
from pipelines.store.run_lock import try_run_lock
with try_run_lock(create_engine(sys.argv[1])) as free:
    print(free, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def others_run(place: Place) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, place.database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process
        process.kill()


def is_free(place: Place) -> bool:
    with try_run_lock(place.engine) as free:
        return free


def test_the_lock_dies_with_its_process(place: Place, others_run: subprocess.Popen[str]) -> None:
    assert not is_free(place)
    others_run.send_signal(signal.SIGKILL)
    until(lambda: is_free(place))


def test_it_is_released_also_after_an_error(place: Place) -> None:
    with pytest.raises(ZeroDivisionError), exclusive_run(place.engine, pytest.fail):
        _ = 1 / is_free(place)
    assert is_free(place)


def test_a_lock_that_was_lost_with_its_connection_is_released(place: Place) -> None:
    holder = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'matching.run_lock'::regclass"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with try_run_lock(place.engine):
        assert place.ask(holder) == [(True,)]
    assert is_free(place)


def test_a_run_waits_for_another(place: Place, others_run: subprocess.Popen[str]) -> None:
    simulated_loader.load_simulated(place.engine, 2, 1, place.home)
    with ThreadPoolExecutor(1) as elsewhere:
        materialized = elsewhere.submit(place.materialize, "profiles", "rejected_profiles")
        with pytest.raises(TimeoutError):
            materialized.result(3 * run_lock.POLL_SECONDS)
        others_run.kill()
        materialized.result(60)
    assert place.metadata("profiles")["dagster/row_count"] == 2
    assert is_free(place)


@pytest.mark.usefixtures("others_run")
def test_one_that_has_waited_too_long_gives_up(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_lock, "MAX_WAIT_SECONDS", 2)
    monkeypatch.setattr(run_lock, "POLL_SECONDS", 0.1)
    with pytest.raises(PublicationRefused) as refused:
        run_job(place.settings, NIGHTLY_JOB)
    assert str(refused.value) == TIMEOUT_MESSAGE
    assert capsys.readouterr().err.strip() == WAITING_MESSAGE


def test_a_run_without_a_database_asks_again_before_it_gives_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    nowhere = Settings(home=place.home, database_url="postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnavailable):
        run_job(nowhere, NIGHTLY_JOB)
    assert waited == [resources.SECONDS_TO_WAIT] * RETRIES


def test_every_asset_of_the_nightly_job_asks_for_it_and_no_other_job() -> None:
    definitions = build_definitions(Settings())
    holders: dict[str, set[str]] = {}
    for job in (NIGHTLY_JOB, EVALUATION_JOB, FRESHNESS_JOB, INCREMENTAL_JOB):
        ops = [node.definition for node in definitions.resolve_job_def(job).nodes]
        holders[job] = {
            each.name for each in ops if isinstance(each, dg.OpDefinition) and "sole_run" in each.required_resource_keys
        }
    assert holders.pop(NIGHTLY_JOB) == {
        *("profiles", "interactions", "impressions", "activity", "profile_embeddings", "training_pairs", "ranker"),
        *("scored_candidates", "match_lists", "loop_figures", "publication"),
        *("conversations", "conversation_facts", "conversation_outcomes", "outcome_head"),
    }
    assert not any(holders.values())
