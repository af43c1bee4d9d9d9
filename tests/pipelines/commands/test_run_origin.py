"""A run that was made in this process is listed among those of the workspace."""

from pathlib import Path
from uuid import uuid4

import dagster as dg

from pipelines.commands import run_origin

LABEL = "__repository__@matching"


@dg.op
def nothing() -> None:
    """The one step."""


@dg.job
def of_the_workspace() -> None:
    """A job of this name."""
    nothing()


def test_the_timeline_and_the_list_of_jobs_find_the_run(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        first, second = str(uuid4()), str(uuid4())
        of_the_workspace.execute_in_process(instance=instance, run_id=first)
        of_the_workspace.execute_in_process(instance=instance, run_id=second, tags=run_origin.make_tags())
        run_origin.record_origin(instance, second)
        run_origin.record_origin(instance, str(uuid4()))  # one that failed before it was there
        (found,) = instance.get_runs(dg.RunsFilter(tags={".dagster/repository": LABEL}))
        other = instance.get_run_by_id(first)
    assert (found.run_id, found.status) == (second, dg.DagsterRunStatus.SUCCESS)
    origin = found.remote_job_origin
    assert origin is not None
    assert (origin.job_name, origin.repository_origin.get_label()) == ("of_the_workspace", LABEL)
    assert other is not None
    assert other.remote_job_origin is None
