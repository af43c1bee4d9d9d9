"""Old runs are deleted with their events and output, and no asset loses its last materialization."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.store.run_pruning import RunRetention, prune_runs, pruning

HOUR = timedelta(hours=1)


@dg.asset
def table(context: dg.AssetExecutionContext) -> None:
    """An asset that writes a line."""
    print("a line")
    context.log.info("and an event")


@dg.op
def fail() -> None:
    """Fail."""
    raise RuntimeError("on purpose")


@dg.job
def failing() -> None:
    """A job that fails."""
    fail()


def test_old_runs_go_but_for_the_last_of_each_asset(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        first, last = (dg.materialize([table], instance=instance).run_id for _ in range(2))
        failed = failing.execute_in_process(instance=instance, raise_on_error=False).run_id
        assert prune_runs(instance, datetime.now(UTC) - HOUR) == 0
        assert {each.run_id for each in instance.get_runs()} == {first, last, failed}
        assert prune_runs(instance, datetime.now(UTC) + HOUR) == 2
        assert [each.run_id for each in instance.get_runs()] == [last]
        assert not instance.has_run(first)
        assert not list(tmp_path.rglob(f"*{first}*"))
        assert instance.get_latest_materialization_event(dg.AssetKey("table")) is not None


def test_the_job_deletes_what_is_older_than_the_setting(capfd: pytest.CaptureFixture[str]) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = failing.execute_in_process(instance=instance, raise_on_error=False).run_id
        pruning.execute_in_process(instance=instance, resources={"run_retention": RunRetention(days=1)})
        assert instance.get_run_by_id(run_id) is not None
        pruning.execute_in_process(instance=instance, resources={"run_retention": RunRetention(days=-1)})
        assert instance.get_run_by_id(run_id) is None
    assert "older than" in capfd.readouterr().err
