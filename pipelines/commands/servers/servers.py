"""The API and the notebooks as commands, each on its own port.

Each replaces this process, so that Ctrl-C reaches it directly.
"""

import os
import sys
from importlib.util import find_spec
from typing import NoReturn

from models.db.errors import InputError
from models.db.schema.migrations import ROOT
from models.db.settings import Settings
from pipelines.processes.ports import require_free


def serve_api(port: int) -> NoReturn:
    """Replace this process with the API.

    Raises:
        InputError: The port is in use.
    """
    require_free(port, "--port")
    options = ["--port", str(port), "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "10"]
    _replace_process(sys.executable, "-m", "uvicorn", "serving.app:create_app", "--factory", *options)


def serve_notebooks(settings: Settings, port: int) -> NoReturn:
    """Replace this process with JupyterLab.

    Raises:
        InputError: The port is in use, or JupyterLab is not installed.
    """
    require_free(port, "--port")
    if find_spec("jupyterlab") is None:
        raise InputError("JupyterLab is not installed; `make notebooks` installs it")
    # Notebooks run in their own folder, where a relative home would be another one.
    os.environ["MATCHING_HOME"] = str(settings.home)
    root = ["--allow-root"] if os.geteuid() == 0 else []
    # -y: stop at Ctrl-C without asking.
    options = ["--port", str(port), "--ServerApp.port_retries=0", "-y", *root, str(ROOT / "notebooks")]
    _replace_process(sys.executable, "-m", "jupyterlab", *options)


def _replace_process(*command: str) -> NoReturn:
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - our own commands
