"""The example app: its development server, and its backend on a free port beside it."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress

from models.db.errors import InputError, MatchingError
from models.db.schema.migrations import ROOT
from models.db.settings import Settings
from pipelines.processes.ports import HOST, find_free, require_free
from pipelines.processes.process_groups import run_process, stop_on_signals

CLIENT = ROOT / "serving" / "client"
VITE = CLIENT / "node_modules" / "vite" / "bin" / "vite.js"
LOOK_SECONDS = 0.2


def run_example(settings: Settings, port: int) -> None:
    """Run both until one of them ends, the user presses Ctrl-C, or this process is terminated.

    Raises:
        InputError: The port is in use, or Node.js or its packages are missing.
        MatchingError: One of the two ended by itself, after it said why.
    """
    require_free(port, "--port")
    node = shutil.which("node")
    if node is None or not VITE.exists():
        raise InputError("the example needs Node.js 18 or newer and its packages; `make example` installs the packages")
    stop_on_signals()
    backend_port = find_free()
    backend = ["-m", "uvicorn", "examples.backend.app:create_app", "--factory", "--log-level", "warning"]
    home = {"MATCHING_HOME": str(settings.home)}  # a relative one would be another in another folder
    page = os.environ | {"EXAMPLE_BACKEND": f"http://{HOST}:{backend_port}"}
    with (
        suppress(KeyboardInterrupt),
        run_process([sys.executable, *backend, "--port", str(backend_port)], os.environ | home, ROOT) as first,
        run_process([node, str(VITE), "--port", str(port), "--strictPort"], page, CLIENT / "example") as second,
    ):
        _await_end(first, second)


def _await_end(*processes: "subprocess.Popen[bytes]") -> None:
    while all(process.poll() is None for process in processes):
        time.sleep(LOOK_SECONDS)
    raise MatchingError("the example ended by itself; the lines above say why")
