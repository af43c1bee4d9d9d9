"""The runs that Dagster has recorded: how each ended, how long its steps took, and what its assets reported."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from models.db.settings import Settings

# An asset that none of so many successful runs materialized has no expected time.
RUNS_READ = 10
Event = dg.DagsterEventType
PLANNED = {Event.ASSET_MATERIALIZATION_PLANNED, Event.ASSET_CHECK_EVALUATION_PLANNED}
TIMED = {Event.STEP_START, Event.STEP_SUCCESS}


def find_dagster_home(settings: Settings) -> Path:
    """Return the folder of Dagster's instance: DAGSTER_HOME, or one under the home."""
    return Path(os.environ.get("DAGSTER_HOME") or settings.home / "dagster")


def find_last_run(
    instance: dg.DagsterInstance, job: str, statuses: Collection[dg.DagsterRunStatus] = ()
) -> dg.RunRecord | None:
    """Return the newest run of a job, with one of these statuses if any are given; None if there is none."""
    found = instance.get_run_records(dg.RunsFilter(job_name=job, statuses=list(statuses) or None), limit=1)
    return found[0] if found else None


def list_planned_steps(instance: dg.DagsterInstance, run_id: str) -> frozenset[str]:
    """List the steps that a run plans, by its own record."""
    return frozenset(each.step_key for each in instance.all_logs(run_id, PLANNED) if each.step_key)


def find_current_step(instance: dg.DagsterInstance, run_id: str) -> tuple[str, int] | None:
    """Return the step that a run has started last, and its number from 1; None before the first one."""
    started = [each.step_key for each in instance.all_logs(run_id, Event.STEP_START) if each.step_key]
    return (started[-1], len(started)) if started else None


def measure_steps(instance: dg.DagsterInstance, job: str, steps: Collection[str]) -> dict[str, float]:
    """Measure how long steps took in the last successful run of a job that includes them.

    Returns:
        Seconds by step, without the steps that no recent run includes.
    """
    seconds: dict[str, float] = {}
    succeeded = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS])
    for record in instance.get_run_records(succeeded, limit=RUNS_READ):
        if seconds.keys() >= set(steps):
            break
        seconds = _measure_run(instance, record.dagster_run.run_id) | seconds
    return {step: each for step, each in seconds.items() if step in steps}


def _measure_run(instance: dg.DagsterInstance, run_id: str) -> dict[str, float]:
    started: dict[str | None, float] = {}
    seconds: dict[str, float] = {}
    for each in instance.all_logs(run_id, TIMED):
        first = started.setdefault(each.step_key, each.timestamp)
        if each.dagster_event_type is Event.STEP_SUCCESS and each.step_key:
            seconds[each.step_key] = each.timestamp - first
    return seconds


def find_publishing_run(instance: dg.DagsterInstance, publication_id: int) -> str | None:
    """Return the run that made a publication; None if no recent run did."""
    made = instance.fetch_materializations(dg.AssetKey("publication"), limit=RUNS_READ).records
    for record in made:
        if record.asset_materialization is not None:
            known = record.asset_materialization.metadata.get("publication")
            if known is not None and known.value == publication_id:
                return record.run_id
    return None


def read_reports(instance: dg.DagsterInstance, run_id: str) -> dict[str, Mapping[str, Any]]:
    """Read the metadata that each asset of a run reported: value by name by asset."""
    reports: dict[str, Mapping[str, Any]] = {}
    for entry in instance.all_logs(run_id, Event.ASSET_MATERIALIZATION):
        made = entry.asset_materialization
        if made is not None:
            reports[made.asset_key.to_user_string()] = {name: each.value for name, each in made.metadata.items()}
    return reports
