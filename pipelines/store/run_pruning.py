"""The job that deletes old runs of Dagster, with their events, so that its storage does not grow forever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

PRUNING_JOB = "pruning"
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


class RunRetention(dg.ConfigurableResource):  # type: ignore[type-arg] # Dagster reads the bare class
    """How long runs are kept."""

    days: int
    """Days since the creation of a run."""


def prune_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete the ended runs that were created before a moment, with their events and their output.

    A run stays if it made the last materialization of an asset, so that Dagster can still show that.

    Args:
        instance: Dagster's instance.
        before: The moment, with a time zone.

    Returns:
        The number of deleted runs.
    """
    old = set(instance.get_run_ids(dg.RunsFilter(statuses=ENDED, created_before=before)))
    pruned = old - _find_last_makers(instance)
    for run_id in pruned:
        instance.delete_run(run_id)
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        # Dagster's default storage has a file for each run, which keeps its size when its events are deleted.
        for file in Path(instance.root_directory, "history", "runs").glob(f"{run_id}.db*"):
            file.unlink()
    return len(pruned)


def _find_last_makers(instance: dg.DagsterInstance) -> set[str]:
    """Return the runs that made the last materialization of each asset."""
    made = [each.asset_entry.last_materialization_record for each in instance.get_asset_records()]
    return {each.run_id for each in made if each is not None}


@dg.op
def prune_old_runs(context: dg.OpExecutionContext, run_retention: RunRetention) -> None:
    """Delete the runs that are older than the retention."""
    pruned = prune_runs(context.instance, datetime.now(UTC) - timedelta(days=run_retention.days))
    context.log.info(f"{pruned:,} runs older than {run_retention.days} days deleted")


@dg.job(
    name=PRUNING_JOB,
    description="Deletes runs of Dagster older than MATCHING_KEEP_RUNS_DAYS, but for the last of each asset.",
)
def pruning() -> None:
    """Delete old runs."""
    prune_old_runs()
