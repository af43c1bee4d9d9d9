"""The commands that serve pages, as processes: what they start, one at a time, and their end by Ctrl-C or by a kill."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx2
import psutil

from models.db.schema.migrations import ROOT
from pipelines.commands.run_origin import CODE_LOCATION, REPOSITORY
from tests.pipelines.conftest import Place
from tests.support.waiting import free_port, until

MATCHING = Path(sys.prefix, "bin", "matching")
LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries {
    name loadStatus locationOrLoadError { ... on RepositoryLocation { repositories { name } } }
} } } }
"""
# Holds the lock as `matching ui` does, and has a child that inherits it.
UI_WITH_A_CHILD = """
import subprocess, sys, time
from pathlib import Path
from pipelines.processes.process_groups import end_with_this_process
from pipelines.commands.servers.ui_lock import hold_ui_lock

with hold_ui_lock(Path(sys.argv[1]), "http://127.0.0.1:3000"):
    child = subprocess.Popen(["sleep", "600"], start_new_session=True, close_fds=False)
    with end_with_this_process(child.pid):
        print(child.pid, flush=True)
        time.sleep(600)
"""
TAKE_THE_LOCK = """
import sys
from pathlib import Path
from pipelines.commands.servers.ui_lock import hold_ui_lock

with hold_ui_lock(Path(sys.argv[1]), "http://127.0.0.1:3001"):
    print("held")
"""


class EmptyMlflow(BaseHTTPRequestHandler):
    """A server of MLflow's interface that knows of nothing."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()
        self.wfile.write(json.dumps({"error_code": "RESOURCE_DOES_NOT_EXIST"}).encode())

    def log_message(self, *_: object) -> None:
        """Not a line a request."""


@contextmanager
def started(place: Place, *words: object, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process group of its own, as a terminal starts it."""
    command = [str(MATCHING), *map(str, words)]
    environment = place.environment | variables
    with (
        (place.home / "log").open("w") as log,
        subprocess.Popen(
            command, env=environment, start_new_session=True, stdout=log, stderr=log, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=30).is_success
    except httpx2.TransportError:
        return False


def interrupt(process: subprocess.Popen[str], log: Path) -> None:
    """Press Ctrl-C: it ends well and quietly, and nothing that it started is left."""
    family = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(240) == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert psutil.wait_procs(family, timeout=240)[1] == []


def test_ctrl_c_ends_the_api(place: Place) -> None:
    port = free_port()
    with started(place, "serve", "--port", port) as process:
        until(lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}/livez"))
        interrupt(process, place.home / "log")


def test_dagster_and_mlflow_need_two_ports(place: Place) -> None:
    port = str(free_port())
    done = place.command("ui", "--port", port, "--mlflow-port", port)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr


def load_locations(address: str) -> list[dict[str, object]]:
    """The code locations that Dagster has loaded."""
    answer = httpx2.post(f"{address}/graphql", json={"query": LOCATIONS}, timeout=30).json()
    entries = answer["data"]["workspaceOrError"]["locationEntries"]
    return [each for each in entries if each["loadStatus"] == "LOADED"]


def test_one_ui_a_home_with_the_workspace_until_ctrl_c(place: Place) -> None:
    port, mlflow_port = free_port(), free_port()
    dagster, mlflow = (f"http://127.0.0.1:{each}" for each in (port, mlflow_port))
    with started(place, "ui", "--port", port, "--mlflow-port", mlflow_port) as process:
        until(lambda: process.poll() is not None or (answers(dagster) and answers(mlflow)))
        until(lambda: load_locations(dagster))
        (location,) = load_locations(dagster)
        assert location["name"] == CODE_LOCATION
        assert location["locationOrLoadError"] == {"repositories": [{"name": REPOSITORY}]}
        second = place.command("ui", "--port", str(free_port()), "--mlflow-port", str(free_port()))
        assert (second.returncode, len(second.stderr.splitlines())) == (2, 1), second.stderr
        assert dagster in second.stderr
        interrupt(process, place.home / "log")


def is_dagster(process: psutil.Process) -> bool:
    """Whether a process is Dagster; none that has ended is."""
    try:
        return "dagster" in process.cmdline()
    except psutil.Error:
        return False


def test_no_mlflow_is_started_beside_a_server_of_it(place: Place) -> None:
    """MLflow refuses to be the store of itself, with a traceback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyMlflow) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with started(place, "ui", "--port", free_port(), MLFLOW_TRACKING_URI=address) as process:
            parent = psutil.Process(process.pid)
            until(lambda: process.poll() is not None or any(map(is_dagster, parent.children())))
            assert not any("mlflow" in each.cmdline() for each in parent.children())
            assert f"MLflow:  {address}\n" in (place.home / "log").read_text()
            interrupt(process, place.home / "log")
        server.shutdown()


def test_what_a_killed_ui_started_ends_and_blocks_no_other(tmp_path: Path) -> None:
    command = [sys.executable, "-c", UI_WITH_A_CHILD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as killed:
        assert killed.stdout is not None
        child = psutil.Process(int(killed.stdout.readline()))
        killed.kill()
    taken = subprocess.run(
        [sys.executable, "-c", TAKE_THE_LOCK, str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert taken.stdout == "held\n", taken.stderr
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
