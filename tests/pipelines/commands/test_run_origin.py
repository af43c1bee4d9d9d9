"""A run of the command is listed among those of the workspace."""

import dagster as dg

from pipelines.commands.run_origin import CODE_LOCATION, REPOSITORY
from pipelines.commands.run_pipeline import ensure_dagster_home
from pipelines.definitions import NIGHTLY_JOB
from tests.pipelines.conftest import Place


def test_runs_are_found_by_the_tag_of_their_repository(settled: Place) -> None:
    of_the_workspace = dg.RunsFilter(tags={".dagster/repository": f"{REPOSITORY}@{CODE_LOCATION}"})
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(settled.settings))) as instance:
        assert [run.job_name for run in instance.get_runs(of_the_workspace)] == [NIGHTLY_JOB]
