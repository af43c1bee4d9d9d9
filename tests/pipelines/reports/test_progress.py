"""What a run prints on the terminal."""

import re

import dagster as dg
import pytest

from pipelines.checks.check_results import WARN, make_check_result
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


@dg.asset(check_specs=[dg.AssetCheckSpec(name, asset="third") for name in ("not_met", "not_seen")])
def third() -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster reads the bare class
    cases = {"not_met": ("0.2", True), "not_seen": ("not judged: dark", False)}
    return dg.MaterializeResult(
        check_results=[
            make_check_result(passed=False, severity=WARN, said=said, figures={"judged": judged}, check_name=name)
            for name, (said, judged) in cases.items()
        ]
    )


def test_a_check_that_was_not_judged_says_no_no(capfd: pytest.CaptureFixture[str]) -> None:
    job = dg.Definitions(
        assets=[third], jobs=[dg.define_asset_job("one")], loggers={"console": progress}
    ).resolve_job_def("one")
    with dg.DagsterInstance.ephemeral() as instance:
        job.execute_in_process(run_config={"loggers": {"console": {"config": {}}}}, instance=instance)
    lines = [line for line in capfd.readouterr().err.splitlines() if ": " in line]
    assert lines == ["    warning: not met: no; 0.2", "    warning: not seen: not judged: dark"]
