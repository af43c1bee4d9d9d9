"""The data scientists' user interfaces: Dagster and MLflow, side by side."""

import os
import subprocess
import sys

from rich.console import Console

from models.db.migrations import ROOT
from models.db.settings import Settings
from pipelines.definitions import registry
from pipelines.running import dagster_home

DAGSTER_PORT, MLFLOW_PORT = 3000, 5000


def serve(settings: Settings, console: Console) -> None:
    """Run both until one of them ends or the user presses Ctrl-C."""
    environment = os.environ | {"DAGSTER_HOME": str(dagster_home(settings))}
    dagster = [sys.executable, "-m", "dagster", "dev", "-w", str(ROOT / "workspace.yaml"), "-p", str(DAGSTER_PORT)]
    mlflow = [sys.executable, "-m", "mlflow", "ui", "--port", str(MLFLOW_PORT)]
    mlflow += ["--backend-store-uri", registry(settings).tracking_uri]
    console.print(f"Dagster: http://127.0.0.1:{DAGSTER_PORT}   MLflow: http://127.0.0.1:{MLFLOW_PORT}")
    processes = [subprocess.Popen(command, env=environment) for command in (dagster, mlflow)]  # noqa: S603 - our own commands
    try:
        processes[0].wait()
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
