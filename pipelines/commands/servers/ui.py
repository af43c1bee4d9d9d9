"""The user interfaces for data scientists: Dagster, and MLflow unless a tracking server is configured."""

import os
import sys
from contextlib import nullcontext, suppress

from rich.console import Console

from models.db.errors import InputError
from models.db.schema.migrations import ROOT
from models.db.settings import Settings
from pipelines.commands.run_pipeline import ensure_dagster_home
from pipelines.commands.servers.ui_lock import hold_ui_lock
from pipelines.definitions import build_registry
from pipelines.processes.ports import DAGSTER_PORT, HOST, MLFLOW_PORT, require_free
from pipelines.processes.process_groups import run_process, stop_on_signals

# Silences telemetry and warnings of the two packages that users cannot act on.
QUIET_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "PYTHONWARNINGS": "ignore:Function `dev_command` is superseded,ignore:starlette.middleware.wsgi is deprecated",
}
# MLflow's job queues are for language models and need several processes with much memory.
WITHOUT_JOBS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def run_interfaces(
    settings: Settings, console: Console, port: int = DAGSTER_PORT, mlflow_port: int = MLFLOW_PORT
) -> None:
    """Run both until Dagster ends, the user presses Ctrl-C, or this process is terminated.

    Args:
        settings: The settings of this process.
        console: Shows the addresses.
        port: Port of Dagster.
        mlflow_port: Port of MLflow.

    Raises:
        InputError: Both already run for this home, or a port is in use.
    """
    where, home = build_registry(settings), ensure_dagster_home(settings)
    stop_on_signals()
    environment = os.environ | QUIET_ENVIRONMENT | WITHOUT_JOBS | {"DAGSTER_HOME": str(home)}
    with suppress(KeyboardInterrupt), hold_ui_lock(home, f"http://{HOST}:{port}"):
        require_free(port, "--port")
        if not where.is_a_server:
            _require_another(port, mlflow_port)
            require_free(mlflow_port, "--mlflow-port")
        page = where.get_page(f"http://{HOST}:{mlflow_port}")
        console.print(f"Dagster: http://{HOST}:{port}\nMLflow:  {page}", soft_wrap=True)
        with (
            nullcontext()
            if where.is_a_server
            else run_process(_make_mlflow_command(where.tracking_uri, mlflow_port), environment),
            run_process(_make_dagster_command(port), environment) as dagster,
        ):
            dagster.wait()


def _require_another(port: int, mlflow_port: int) -> None:
    if port == mlflow_port:
        raise InputError(f"Dagster and MLflow cannot share port {port}; choose another with --port or --mlflow-port")


def _make_dagster_command(port: int) -> list[str]:
    return [sys.executable, "-m", "dagster", "dev", "-w", str(ROOT / "workspace.yaml"), "-p", str(port)]


def _make_mlflow_command(store: str, port: int) -> list[str]:
    # MLflow's default of four workers needs far more memory for the same pages.
    return [
        sys.executable,
        "-m",
        "mlflow",
        "ui",
        "--port",
        str(port),
        "--workers",
        "1",
        "--backend-store-uri",
        store,
        # Without this, it logs a line for each image of a page.
        "--uvicorn-opts",
        "--log-level warning",
    ]
