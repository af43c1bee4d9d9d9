"""The pipeline's job in a process of its own: what each of its stages takes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

import dagster as dg
import numpy as np
import psutil

from models.db.engines import open_database
from pipelines.commands.run_pipeline import ensure_dagster_home, run_pipeline
from tests.bench.figures import new_process, peak_megabytes
from tests.bench.scale.founding import settings_of

INTERVAL = 0.1  # seconds between samples of the process
COUNTS = ("answers_encoded", "shards_kept", "pairs_scored", "pairs")
Samples = list[tuple[float, float, float]]
"""Moments, and the process's resident MB and processor seconds then."""


@dataclass
class Stage:
    """What a stage took of the process, without PostgreSQL."""

    seconds: float
    processor_seconds: float
    peak_mb: float


@dataclass
class Run:
    """What a run took, from the start of its process to its end: the imports are in it."""

    seconds: float
    peak_mb: float
    stages: dict[str, Stage]
    counts: dict[str, float]
    """What the assets report: answers encoded, shards kept ..."""

    @property
    def processor_seconds(self) -> float:
        return sum(stage.processor_seconds for stage in self.stages.values())


def job(home: Path) -> Run:
    """Run the job on the installation at `home`, in a new process."""
    start = time.perf_counter()
    with new_process() as pool:
        run = pool.submit(run_here, home).result()
    run.seconds = time.perf_counter() - start
    return run


def run_here(home: Path) -> Run:
    os.environ["DAGSTER_HOME"] = str(home / "dagster")
    here = settings_of(home)
    with _sampled() as samples, open_database(here) as engine:
        run_pipeline(here, engine, print)
    run = Run(0.0, peak_megabytes(), {}, {})
    started: dict[str, float] = {}
    for entry in _events(home):
        event: Any = entry.dagster_event
        if event.is_step_start:
            started[event.step_key] = entry.timestamp
        elif event.is_step_success:
            run.stages[event.step_key] = _stage(samples, started[event.step_key], entry.timestamp)
        elif event.is_step_materialization:
            said = event.step_materialization_data.materialization.metadata
            run.counts |= {name: float(said[name].value) for name in COUNTS if name in said}
    return run


def _stage(samples: Samples, start: float, end: float) -> Stage:
    moment, resident, worked = np.array(samples).T
    spent = np.diff(np.interp([start, end], moment, worked))
    within = resident[(moment >= start) & (moment <= end)]
    return Stage(end - start, float(spent[0]), float(within.max(initial=np.interp(end, moment, resident))))


def _events(home: Path) -> list[dg.EventLogEntry]:
    """Those of Dagster in the last run."""
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(settings_of(home)))) as instance:
        last = instance.get_run_records(limit=1)[0].dagster_run.run_id
        return [entry for entry in instance.all_logs(last) if entry.is_dagster_event]


@contextmanager
def _sampled() -> Iterator[Samples]:
    """Samples of this process throughout the block, taken by a thread."""
    samples, over, process = Samples(), Event(), psutil.Process()

    def sample() -> None:
        ending = False
        while not ending:
            ending = over.is_set()
            samples.append((time.time(), process.memory_info().rss / 2**20, sum(process.cpu_times()[:2])))
            over.wait(INTERVAL)

    thread = Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
