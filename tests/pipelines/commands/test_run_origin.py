"""A run that was made in this process is listed among those of the workspace."""

import re
from pathlib import Path

import dagster as dg

from models.db.schema.migrations import ROOT
from pipelines.commands.run_origin import CODE_LOCATION, REPOSITORY, RUN_TAGS
from pipelines.definitions import defs


@dg.op
def nothing() -> None:
    """The one step."""


@dg.job
def of_the_workspace() -> None:
    """A job of this name."""
    nothing()


def test_the_runs_of_the_workspace_are_found_by_their_tag(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        of_the_workspace.execute_in_process(instance=instance)
        tagged = of_the_workspace.execute_in_process(instance=instance, tags=RUN_TAGS)
        found = instance.get_runs(dg.RunsFilter(tags={".dagster/repository": "__repository__@matching"}))
    assert [run.run_id for run in found] == [tagged.run_id]


def test_the_code_location_is_the_one_that_the_workspace_file_names() -> None:
    workspace = (ROOT / "workspace.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^ +location_name: (\S+)$", workspace, re.MULTILINE) == [CODE_LOCATION]
    assert defs().get_repository_def().name == REPOSITORY
