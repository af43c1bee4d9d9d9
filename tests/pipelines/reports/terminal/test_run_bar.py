"""The bar of a run: on a terminal, of real runs of a small job."""

import os
import pty
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from uuid import uuid4

import dagster as dg
import pytest

from models.db.settings import Settings
from pipelines.commands.run_pipeline import ensure_dagster_home
from pipelines.reports.terminal.run_bar import RunState, estimate_total, open_progress
from pipelines.store.run_history import list_planned_steps, measure_steps

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dg.asset
def first(context: dg.AssetExecutionContext) -> int:
    context.log.info("half way")
    return 1


@dg.asset
def second(context: dg.AssetExecutionContext, first: int) -> int:
    if "broken" in context.run.tags:
        raise ValueError(first)
    return first


@dg.asset_check(asset=second)
def positive(second: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=second < 0, description="it is not", severity=dg.AssetCheckSeverity.WARN)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(Settings(home=tmp_path)))) as instance:
        yield instance


def run_small_job(instance: dg.DagsterInstance, assets: Sequence[str] = ("first", "second"), **tags: str) -> str:
    """Run a job as `run_job` does, and return the run's id."""
    run_id = str(uuid4())

    def read_plan() -> tuple[frozenset[str], Mapping[str, float]]:
        planned = list_planned_steps(instance, run_id)
        return planned, measure_steps(instance, "small", planned)

    with open_progress(read_plan) as logger:
        dg.Definitions(
            assets=[first, second],
            asset_checks=[positive],
            jobs=[dg.define_asset_job("small")],
            loggers={"console": logger},
            executor=dg.in_process_executor,
        ).resolve_job_def("small").execute_in_process(
            run_config={"loggers": {"console": {"config": {}}}},
            instance=instance,
            run_id=run_id,
            asset_selection=[dg.AssetKey(each) for each in assets],
            tags=tags,
            raise_on_error=False,
        )
    return run_id


def show_on_terminal(instance: dg.DagsterInstance) -> str:
    """What a run writes to a terminal."""
    reader, writer = pty.openpty()
    written: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # the terminal was closed
            while True:
                written.append(os.read(reader, 65_536))

    reads = Thread(target=read)
    reads.start()
    with os.fdopen(writer, "w") as terminal, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "80")):
            patch.setenv(name, value)
        run_small_job(instance)
    reads.join()
    os.close(reader)
    return b"".join(written).decode()


def test_a_terminal_shows_a_bar_with_the_time_of_earlier_runs(instance: dg.DagsterInstance) -> None:
    shown = [show_on_terminal(instance), show_on_terminal(instance)]
    for each in shown:
        assert "\x1b[1;36m▸ first" in each
        lines = [line.rstrip() for line in re.split(r"[\r\n]+", CONTROL.sub("", each))]
        assert [line for line in lines if line.startswith(("▸", "    "))] == [
            "▸ first",
            "    half way",
            "▸ second",
            "▸ second_positive",
            "    warning: positive: no; it is not",
        ]
        numbers = {match[0] for line in lines if (match := re.match(r"step \d of \d", line))}
        assert numbers <= {"step 1 of 3", "step 2 of 3", "step 3 of 3"}
        assert numbers, "how many of them are painted depends on how busy the machine is"
        assert max(map(len, lines)) <= 80
        assert each.rpartition("\n")[2].endswith("\x1b[2K")  # the bar is erased
    assert "of about" not in shown[0]
    assert re.search(r"step \d of 3 .* \d:\d\d of about \d:\d\d", CONTROL.sub("", shown[1]))


def test_the_time_of_a_step_is_of_the_last_success_with_it(instance: dg.DagsterInstance) -> None:
    early, late = run_small_job(instance), run_small_job(instance, ["first"])
    broken = run_small_job(instance, broken="yes")
    assert list_planned_steps(instance, late) == {"first"}
    assert list_planned_steps(instance, broken) == {"first", "second", "second_positive"}
    took = {
        (run, each.step_key): each.end_time - each.start_time
        for run in (early, late)
        for each in instance.get_run_step_stats(run)
        if each.start_time and each.end_time
    }
    assert measure_steps(instance, "small", {"first", "second", "unknown"}) == pytest.approx(
        {"first": took[late, "first"], "second": took[early, "second"]}
    )


FIVE = frozenset("abcde")
STATE = RunState(100.0, FIVE, dict.fromkeys(FIVE, 10.0), frozenset("ab"), "c", 130.0)


@pytest.mark.parametrize(
    ("state", "now", "total"),
    [
        (STATE, 134.0, 34 + 6 + 20),
        (STATE, 150.0, 50 + 0 + 20),  # the step takes longer than expected
        (RunState(100.0), 134.0, None),
        (RunState(100.0, FIVE, {"a": 10.0}, frozenset("a"), "b", 130.0), 134.0, None),
        (RunState(100.0, FIVE, dict.fromkeys("abcdef", 10.0)), 104.0, 4 + 50),
    ],
)
def test_the_expected_time_is_what_has_passed_and_what_is_left(
    state: RunState, now: float, total: float | None
) -> None:
    assert estimate_total(state, now) == total
