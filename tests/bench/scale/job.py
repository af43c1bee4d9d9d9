"""The pipeline's job in a process of its own: what each of its stages takes."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Thread
from typing import Any

import dagster as dg
import numpy as np
import psutil

from models.db.engines import open_database
from pipelines.commands.run_pipeline import ensure_dagster_home, run_pipeline
from tests.bench.memory import peak_megabytes
from tests.bench.scale.founding import settings_of

INTERVAL = 0.1  # seconds between looks at the process
COUNTS = ("answers_encoded", "shards_kept", "pairs_scored", "pairs")


@dataclass
class Stage:
    """What a stage took of the process; PostgreSQL is not in it."""

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
        """Of all stages."""
        return sum(stage.processor_seconds for stage in self.stages.values())


@dataclass
class _Looks:
    """Moments, and the process's resident MB and processor seconds then."""

    taken: list[tuple[float, float, float]] = field(default_factory=list)

    def look(self) -> None:
        me = psutil.Process()
        self.taken.append((time.time(), me.memory_info().rss / 2**20, sum(me.cpu_times()[:2])))

    def stage(self, start: float, end: float) -> Stage:
        moment, resident, worked = np.array(self.taken).T
        at = np.interp([start, end], moment, worked)
        within = resident[(moment >= start) & (moment <= end)]
        return Stage(end - start, float(at[1] - at[0]), float(within.max(initial=np.interp(end, moment, resident))))


def job(home: Path) -> Run:
    """Run the job on the installation at `home`, in a new process."""
    start = time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        done = pool.submit(_job, home).result()
    done.seconds = time.perf_counter() - start
    return done


def _job(home: Path) -> Run:
    os.environ["DAGSTER_HOME"] = str(home / "dagster")
    here = settings_of(home)
    with _looking() as looks, open_database(here) as engine:
        run_pipeline(here, engine, print)
    stages: dict[str, Stage] = {}
    counts: dict[str, float] = {}
    started: dict[str, float] = {}
    for entry in _events(home):
        event: Any = entry.dagster_event
        if event.is_step_start:
            started[event.step_key] = entry.timestamp
        elif event.is_step_success:
            stages[event.step_key] = looks.stage(started[event.step_key], entry.timestamp)
        elif event.is_step_materialization:
            said = event.step_materialization_data.materialization.metadata
            counts |= {name: float(said[name].value) for name in COUNTS if name in said}
    return Run(0.0, peak_megabytes(), stages, counts)


def _events(home: Path) -> list[dg.EventLogEntry]:
    """Those of Dagster in the last run."""
    with dg.DagsterInstance.from_config(str(ensure_dagster_home(settings_of(home)))) as instance:
        last = instance.get_run_records(limit=1)[0].dagster_run.run_id
        return [entry for entry in instance.all_logs(last) if entry.is_dagster_event]


@contextmanager
def _looking() -> Iterator[_Looks]:
    """Looks taken of this process all along, by a thread beside."""
    looks, over = _Looks(), Event()

    def go_on() -> None:
        looks.look()
        while not over.wait(INTERVAL):
            looks.look()
        looks.look()

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield looks
    finally:
        over.set()
        thread.join()
