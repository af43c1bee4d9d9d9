"""What a run prints on the terminal."""

import re

import dagster as dg
import pytest

from pipelines.reports.progress import progress


@dg.asset
def first(context: dg.AssetExecutionContext) -> int:
    context.log.debug("too much")
    context.log.info("half way")
    return 1


@dg.asset
def second(first: int) -> None:
    raise ValueError(first)


def test_each_step_with_its_messages_and_its_end(capfd: pytest.CaptureFixture[str]) -> None:
    job = dg.Definitions(
        assets=[first, second],
        jobs=[dg.define_asset_job("both")],
        loggers={"console": progress},
        executor=dg.in_process_executor,
    ).resolve_job_def("both")
    config: dict[str, object] = {"loggers": {"console": {"config": {}}}}
    job.execute_in_process(run_config=config, raise_on_error=False)
    said = re.sub(r"\d+\.\d s", "… s", capfd.readouterr().err)
    assert said == "▸ first\n    half way\n  done in … s\n▸ second\n  failed in … s\n"
