"""Where a run belongs: Dagster's timeline and list of jobs show what the workspace made, and leave out other runs."""

import dagster as dg
from dagster._core.remote_origin import RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG
from dagster._core.workspace.load import location_origins_from_yaml_paths

from models.db.schema.migrations import ROOT


def make_tags() -> dict[str, str]:
    """What a run is tagged with from its start, so that the list of jobs shows it."""
    return {REPOSITORY_LABEL_TAG: _make_workspace_origin().get_label()}


def record_origin(instance: dg.DagsterInstance, run_id: str) -> None:
    """Say of a run that was made in this process that it is the workspace's, so that the timeline shows it."""
    if run := instance.get_run_by_id(run_id):
        instance.run_storage.replace_job_origin(run, RemoteJobOrigin(_make_workspace_origin(), run.job_name))


def _make_workspace_origin() -> RemoteRepositoryOrigin:
    (location,) = location_origins_from_yaml_paths([str(ROOT / "workspace.yaml")])
    return RemoteRepositoryOrigin(location, "__repository__")
