"""The data scientists' user interfaces: Dagster and MLflow, side by side, unless MLflow is a server elsewhere."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress

from rich.console import Console

from models.db.migrations import ROOT
from models.db.settings import Settings
from pipelines.definitions import registry
from pipelines.running import dagster_home

DAGSTER_PORT, MLFLOW_PORT = 3000, 5000
# What the two packages say of themselves on every start is nothing that their user could mend.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "PYTHONWARNINGS": "ignore:Function `dev_command` is superseded,ignore:starlette.middleware.wsgi is deprecated",
}
# MLflow's queues of jobs are for language models: seven processes, and more than a gigabyte.
WITHOUT_JOBS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def serve(settings: Settings, console: Console) -> None:
    """Run both until Dagster ends, or the user presses Ctrl-C or ends this process."""
    where = registry(settings)
    console.print(f"Dagster: http://127.0.0.1:{DAGSTER_PORT}\nMLflow:  {where.page()}", soft_wrap=True)
    environment = os.environ | QUIET | WITHOUT_JOBS | {"DAGSTER_HOME": str(dagster_home(settings))}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Started in the background, this process ignores Ctrl-C, and Dagster's, which end each other by it, would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with (
        nullcontext() if where.is_a_server else _running(_mlflow(where.tracking_uri), environment),
        _running(_dagster(), environment) as dagster,
        suppress(KeyboardInterrupt),
    ):
        dagster.wait()


def _dagster() -> list[str]:
    return [sys.executable, "-m", "dagster", "dev", "-w", str(ROOT / "workspace.yaml"), "-p", str(DAGSTER_PORT)]


def _mlflow(store: str) -> list[str]:
    # One worker: MLflow's default of four takes a gigabyte more to show the same pages.
    return [
        sys.executable,
        "-m",
        "mlflow",
        "ui",
        "--port",
        str(MLFLOW_PORT),
        "--workers",
        "1",
        "--backend-store-uri",
        store,
        # Not a line for every picture of a page.
        "--uvicorn-opts",
        "--log-level warning",
    ]


@contextmanager
def _running(command: list[str], environment: Mapping[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - our own commands
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
